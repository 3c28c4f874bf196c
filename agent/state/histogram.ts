/** Counts of values by bucket, as plain data. */
export interface HistogramState {
  /** The inclusive upper bounds of the buckets in seconds, ascending. */
  readonly bounds: readonly number[];
  /** One count for each bound, and one for values above the last; not cumulative. */
  readonly counts: readonly number[];
  readonly sumSeconds: number;
}

/** A mutable histogram. */
export interface Histogram extends HistogramState {
  readonly counts: number[];
  sumSeconds: number;
}

export function emptyHistogram(bounds: readonly number[]): Histogram {
  return { bounds, counts: new Array<number>(bounds.length + 1).fill(0), sumSeconds: 0 };
}

export function observe(histogram: Histogram, seconds: number, times = 1): void {
  const { bounds, counts } = histogram;
  let index = 0;
  while (index < bounds.length && seconds > (bounds[index] as number)) index++; // in bounds: the loop's condition
  counts[index] = (counts[index] as number) + times; // one more than bounds
  histogram.sumSeconds += seconds * times;
}

/** The sum of two histograms with the same bounds. */
export function addHistograms(one: HistogramState, other: HistogramState): Histogram {
  return {
    bounds: one.bounds,
    counts: one.counts.map((count, index) => count + (other.counts[index] ?? 0)),
    sumSeconds: one.sumSeconds + other.sumSeconds,
  };
}

/** The smallest bound that this share of the values does not exceed; 0 without values, infinite above the last bound. */
export function quantile({ bounds, counts }: HistogramState, share: number): number {
  const wanted = share * counts.reduce((sum, count) => sum + count, 0);
  let seen = 0;
  for (const [index, count] of counts.entries()) {
    seen += count;
    if (count > 0 && seen >= wanted) return bounds[index] ?? Number.POSITIVE_INFINITY;
  }
  return 0;
}
