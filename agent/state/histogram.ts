/** How often values fell where; plain, so that it can be sent and added up. */
export interface HistogramState {
  /** The upper ends of the classes, in seconds, growing; each value counts in the first whose end it is not above. */
  readonly bounds: readonly number[];
  /** One for each bound and one more for what is above the last; not cumulative. */
  readonly counts: readonly number[];
  readonly sumSeconds: number;
}

/** From a frame to its ACK: mostly microseconds when everything is known, at most the deadline when it is not. */
export const DECISION_BOUNDS = [
  0.00001, 0.000025, 0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.02, 0.03, 0.04, 0.05, 0.1, 0.25, 1,
  10,
] as const;

/** A call to the function. */
export const BACKEND_BOUNDS = [0.001, 0.0025, 0.005, 0.01, 0.02, 0.03, 0.04, 0.06, 0.1, 0.25, 0.5, 1, 2.5, 10] as const;

/** What was left of the deadline when an answer came that had to wait; the first class is those that were late. */
export const MARGIN_BOUNDS = [0, 0.001, 0.0025, 0.005, 0.01, 0.02, 0.03, 0.04, 0.1, 1, 10] as const;

/** Counts values in seconds by fixed classes. */
export class Histogram {
  readonly #bounds: readonly number[];
  readonly #counts: Float64Array;
  #sumSeconds = 0;

  constructor(bounds: readonly number[]) {
    this.#bounds = bounds;
    this.#counts = new Float64Array(bounds.length + 1);
  }

  add(seconds: number, times = 1): void {
    const bounds = this.#bounds;
    let index = 0;
    while (index < bounds.length && seconds > (bounds[index] as number)) index++; // in bounds: the loop's condition
    this.#counts[index] = (this.#counts[index] as number) + times; // one more than bounds
    this.#sumSeconds += seconds * times;
  }

  get state(): HistogramState {
    return { bounds: this.#bounds, counts: [...this.#counts], sumSeconds: this.#sumSeconds };
  }
}

/** Both together; they have the same bounds. */
export function addHistograms(one: HistogramState, other: HistogramState): HistogramState {
  return {
    bounds: one.bounds,
    counts: one.counts.map((count, index) => count + (other.counts[index] ?? 0)),
    sumSeconds: one.sumSeconds + other.sumSeconds,
  };
}

/** A bound that this share of all values is not above; 0 if there are none, infinite above the last bound. */
export function quantile({ bounds, counts }: HistogramState, share: number): number {
  const wanted = share * counts.reduce((sum, count) => sum + count, 0);
  let seen = 0;
  for (const [index, count] of counts.entries()) {
    seen += count;
    if (count > 0 && seen >= wanted) return bounds[index] ?? Number.POSITIVE_INFINITY;
  }
  return 0;
}
