import type { Log } from './append.ts';
import type { Beats } from './record.ts';

const LOOK_EVERY_MS = 100;
/** An event whose time is too early by another clock is not waited for alone. */
const WRITE_AGAIN_MS = 5000;

export interface RoundDeps {
  readonly log: Log;
  /** Writes these canaries now. */
  write(canaries: readonly string[]): Promise<void>;
  /** Milliseconds since 1970. */
  clock(): number;
  wait(ms: number): Promise<unknown>;
}

export interface Round {
  readonly canaries: readonly string[];
  /** Events that were created before count for nothing. */
  readonly sinceMs: number;
  readonly limitMs: number;
  /** Called with the canaries of each batch. */
  readonly seen?: (batch: Beats) => void;
}

/**
 * Writes canaries, and waits until an event of each is in the log. What was written to their shards before is in the log then,
 * too. Returns the times of their newest events; undefined if that takes too long.
 */
export async function roundOf(
  { canaries, sinceMs, limitMs, seen }: Round,
  { log, write, clock, wait }: RoundDeps,
): Promise<Beats | undefined> {
  let { number = 0 } = (await log.tail()) ?? {};
  const newest: Record<string, number> = {};
  const untilMs = clock() + limitMs;
  let writeMs = Number.NEGATIVE_INFINITY;
  while (canaries.some((canary) => newest[canary] === undefined)) {
    if (clock() > untilMs) return undefined;
    if (clock() - writeMs >= WRITE_AGAIN_MS) {
      await write(canaries);
      writeMs = clock();
    }
    await wait(LOOK_EVERY_MS);
    for (const record of (await log.from(number + 1, { isConsistent: true })).records) {
      seen?.(record.batch);
      for (const [canary, ms] of Object.entries(record.batch))
        if (ms > sinceMs) newest[canary] = Math.max(ms, newest[canary] ?? 0);
      number = record.number;
    }
  }
  return newest;
}
