import { type Beats, type Head, NO_BASE } from './record.ts';

/** What a batch of the stream says beside the keys in it. */
export interface BatchFacts {
  /** The label of the stream. */
  readonly stream: string;
  /** The creation time of the newest event of each canary in it. */
  readonly canaries: Beats;
  /** The creation time of its oldest event; infinite without events. */
  readonly oldestMs: number;
}

/** The stream keeps events for 24 hours. A writer that is half as late may have missed some. */
const MAX_LATE_MS = 12 * 3_600_000;

export type Carried = Pick<Head, 'base' | 'stream' | 'beats' | 'triedMs' | 'checkedMs'>;

/**
 * What a record hands on: as the tail has it, but no base, and so no proof, if events may have been lost. Beats are raised
 * by the last record of a batch alone: only then everything before them is in the log.
 */
export function carriedOn(
  tail: Carried | undefined,
  { stream, canaries, oldestMs }: BatchFacts,
  { nowMs, isLast }: { readonly nowMs: number; readonly isLast: boolean },
): Carried {
  const { base = NO_BASE, beats = {}, triedMs = 0, checkedMs = 0 } = tail ?? {};
  const isUnbroken =
    tail !== undefined &&
    base !== NO_BASE &&
    stream === tail.stream &&
    nowMs - oldestMs <= MAX_LATE_MS &&
    Object.entries(beats).every(([canary, beat]) => (canaries[canary] ?? beat) - beat <= MAX_LATE_MS);
  if (!isUnbroken) return { base: NO_BASE, stream, beats: {}, triedMs, checkedMs };
  return { base, stream, beats: isLast ? raised(beats, canaries) : beats, triedMs, checkedMs };
}

/** How long ago the moment was up to which everything is proven to be in the log; undefined without proof. */
export function provenAgeMs({ base, beats }: Pick<Head, 'base' | 'beats'>, nowMs: number): number | undefined {
  const all = Object.values(beats);
  return base === NO_BASE || all.length === 0 ? undefined : Math.max(0, nowMs - Math.min(...all));
}

/** Only those that are there: the others stand for no shard. */
function raised(beats: Beats, canaries: Beats): Beats {
  return Object.fromEntries(
    Object.entries(beats).map(([canary, beat]) => [canary, Math.max(beat, canaries[canary] ?? beat)]),
  );
}
