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

/** The same answer for all who ask within a second. */
export function sharedForASecond<Answer>(take: () => Promise<Answer>, clock: Clock): () => Promise<Answer> {
  let takenAtMs = Number.NEGATIVE_INFINITY;
  let latest: Promise<Answer> | undefined;
  return () => {
    const nowMs = clock.nowMs();
    if (latest !== undefined && nowMs - takenAtMs < INTERVAL_MS) return latest;
    takenAtMs = nowMs;
    latest = take();
    return latest;
  };
}

/** Takes snapshots of the agent, which all clients share. */
export class Snapshots {
  readonly #kept: AgentState[] = [];
  /** A snapshot that is at most a second old. */
  readonly latest: () => Promise<Snapshot>;

  constructor(take: () => Promise<AgentState>, clock: Clock) {
    this.latest = sharedForASecond(async () => this.#keep(await take()), clock);
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
