import type { Clock } from '../decision/clock.ts';
import type { AgentState } from '../state/state.ts';

/** The shortest time between two snapshots, however many clients ask. */
const INTERVAL_MS = 1_000;
/** Rates per second are means over at most this many snapshots and this long. */
const KEPT = 11;
const KEPT_MS = 60_000;

/** A snapshot, and an earlier one, if there is one. */
export interface Snapshot {
  readonly state: AgentState;
  readonly before?: AgentState;
}

/** Takes snapshots of the agent, which all clients share. */
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

  /** A snapshot that is at most a second old. */
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
