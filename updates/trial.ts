import type { Log } from './append.ts';
import { CANDIDATES, TRIAL } from './canary.ts';
import { type Beats, type Head, type LogRecord, NO_BASE, pack } from './record.ts';
import { RETENTION_SECONDS } from './table.ts';

/** The events of a round are in the log after about a second. */
const ROUND_LIMIT_MS = 15_000;
const LOOK_EVERY_MS = 100;

export interface TrialDeps {
  readonly log: Log;
  /** Writes these canaries now. */
  write(canaries: readonly string[]): Promise<void>;
  newId(): string;
  /** Milliseconds since 1970. */
  clock(): number;
  wait(ms: number): Promise<unknown>;
}

/** The record that the trial appended, or why there is none. */
export type TrialOutcome = Head | 'not due' | 'events are late' | 'overtaken';

/**
 * Finds the canaries that stand for the shards of the stream: candidates whose events came in one batch share a shard, and one
 * of them stays. Its record begins a new base if there is none: from then on no event was lost, and an agent that has asked
 * before begins again.
 */
export async function tryCanaries(deps: TrialDeps): Promise<TrialOutcome> {
  if (!isDue(await deps.log.tail(), deps.clock())) return 'not due';
  const trial = new Trial();
  let began: Head | undefined;
  for (let round = 0; round < TRIAL.rounds; round++) {
    if (!(await runRound(trial, deps))) return 'events are late';
    began ??= await deps.log.tail();
  }
  for (;;) {
    const tail = await deps.log.tail();
    if (tail === undefined || tail.base !== began?.base || tail.stream !== began.stream) return 'overtaken';
    const record = recordAfter(tail, trial.beats(), deps);
    if (await deps.log.put(record)) return record;
  }
}

function isDue(tail: Head | undefined, nowMs: number): boolean {
  return tail === undefined || tail.base === NO_BASE || nowMs - tail.triedMs >= TRIAL.everyMs;
}

/** Writes all candidates, and waits until the event of each is in the log; false if that takes too long. */
async function runRound(trial: Trial, { log, write, clock, wait }: TrialDeps): Promise<boolean> {
  let { number = 0 } = (await log.tail()) ?? {};
  const left = new Set(CANARIES);
  const untilMs = clock() + ROUND_LIMIT_MS;
  await write(CANARIES);
  while (left.size > 0) {
    if (clock() > untilMs) return false;
    await wait(LOOK_EVERY_MS);
    for (const record of (await log.from(number + 1, { isConsistent: true })).records) {
      trial.add(record.batch);
      for (const canary of Object.keys(record.batch)) left.delete(canary);
      number = record.number;
    }
  }
  return true;
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

function recordAfter(tail: Head, beats: Beats, { newId, clock }: TrialDeps): LogRecord {
  const nowMs = clock();
  const [{ packed } = { packed: new Uint8Array() }] = pack([]);
  return {
    number: tail.number + 1,
    id: newId(),
    base: tail.base === NO_BASE ? newId() : tail.base,
    stream: tail.stream,
    ...{ beats, batch: {}, triedMs: nowMs, packed },
    expiresAt: Math.ceil(nowMs / 1000) + RETENTION_SECONDS,
  };
}
