import { CANDIDATES, TRIAL } from './canary.ts';
import { type RoundDeps, roundOf } from './canary-round.ts';
import { type Beats, type Head, recordAfter } from './record.ts';

/** The events of a round are in the log after about a second. */
const ROUND_LIMIT_MS = 15_000;

export interface TrialDeps extends RoundDeps {
  newId(): string;
}

export function isTrialDue({ triedMs }: Head, nowMs: number): boolean {
  return nowMs - triedMs >= TRIAL.everyMs;
}

/** Sets the canaries of the log; the record that it appended, or why there is none. */
export async function tryCanaries(deps: TrialDeps): Promise<Head | 'events are late' | 'overtaken'> {
  const began = await deps.log.tail();
  const beats = await findCanaries(deps);
  if (beats === undefined || began === undefined) return 'events are late';
  for (;;) {
    const tail = await deps.log.tail();
    if (tail === undefined || tail.base !== began.base || tail.stream !== began.stream) return 'overtaken';
    const record = recordAfter(tail, { beats, triedMs: deps.clock() }, deps);
    if (await deps.log.put(record)) return record;
  }
}

/**
 * Finds the canaries that stand for the shards of the stream: candidates whose events came in one batch share a shard, and one
 * of them stays, with the time of its newest event. Undefined if events are late.
 */
export async function findCanaries(deps: RoundDeps): Promise<Beats | undefined> {
  const trial = new Trial();
  const round = { canaries: CANARIES, sinceMs: Number.NEGATIVE_INFINITY, limitMs: ROUND_LIMIT_MS };
  for (let left = TRIAL.rounds as number; left > 0; left--)
    if ((await roundOf({ ...round, seen: (batch) => trial.add(batch) }, deps)) === undefined) return undefined;
  return trial.beats();
}

const CANARIES = Array.from({ length: CANDIDATES }, (_, index) => String(index));

/** What the batches say: which canaries came together, and when the newest event of each was created. */
class Trial {
  readonly #newest: Record<string, number> = {};
  /** For each canary another one of its shard, or itself. */
  readonly #other = new Map(CANARIES.map((canary) => [canary, canary]));

  add(batch: Beats): void {
    const known = Object.keys(batch).filter((canary) => this.#other.has(canary));
    for (const canary of known) {
      this.#newest[canary] = Math.max(batch[canary] ?? 0, this.#newest[canary] ?? 0);
      this.#other.set(this.#first(canary), this.#first(known[0] ?? canary));
    }
  }

  /** One canary for each shard. */
  beats(): Beats {
    const first = CANARIES.filter((canary) => this.#first(canary) === canary);
    return Object.fromEntries(first.map((canary) => [canary, this.#newest[canary] ?? 0]));
  }

  #first(canary: string): string {
    const other = this.#other.get(canary) ?? canary;
    return other === canary ? canary : this.#first(other);
  }
}
