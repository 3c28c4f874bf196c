import type { Clock } from '../decision/clock.ts';
import type { AgentState } from '../state/state.ts';

/** However many read, the processes are asked no more often. */
const INTERVAL_MS = 1_000;
/** What is shown a second is the mean of as much as this. */
const KEPT = 11;
const KEPT_MS = 60_000;

/** A snapshot, and one from before, if there is one. */
export interface Snapshot {
  readonly state: AgentState;
  readonly before?: AgentState;
}

/** Snapshots that all readers share. */
export class Snapshots {
  readonly #take: () => Promise<AgentState>;
  readonly #clock: Clock;
  readonly #kept: AgentState[] = [];
  #takenAtMs = Number.NEGATIVE_INFINITY;
  #latest: Promise<Snapshot> | undefined;

  constructor(take: () => Promise<AgentState>, clock: Clock) {
    this.#take = take;
    this.#clock = clock;
  }

  /** At most a second old. */
  latest(): Promise<Snapshot> {
    const nowMs = this.#clock.nowMs();
    if (this.#latest === undefined || nowMs - this.#takenAtMs >= INTERVAL_MS) {
      this.#takenAtMs = nowMs;
      this.#latest = this.#take().then((state) => this.#keep(state));
    }
    return this.#latest;
  }

  #keep(state: AgentState): Snapshot {
    const isOld = (kept: AgentState) =>
      state.takenAtMs - kept.takenAtMs > KEPT_MS ||
      state.takenAtMs <= kept.takenAtMs ||
      kept.startedAtMs !== state.startedAtMs;
    while (this.#kept[0] !== undefined && (this.#kept.length >= KEPT || isOld(this.#kept[0]))) this.#kept.shift();
    const [before] = this.#kept;
    this.#kept.push(state);
    return before === undefined ? { state } : { state, before };
  }
}
