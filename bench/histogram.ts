/** Steps for each doubling: percentiles are at most 1.6 % too high. */
const STEPS = 64;
const DOUBLINGS = 40;

/** A histogram of logarithmic buckets. */
export class Histogram {
  readonly #counts = new Float64Array(STEPS * DOUBLINGS);
  #total = 0;

  add(value: number, times = 1): void {
    const index = Math.floor(Math.log2(Math.max(1, value)) * STEPS);
    this.#counts[Math.min(index, this.#counts.length - 1)] =
      (this.#counts[Math.min(index, this.#counts.length - 1)] ?? 0) + times;
    this.#total += times;
  }

  clear(): void {
    this.#counts.fill(0);
    this.#total = 0;
  }

  /** The value that this share of all values does not exceed. */
  at(share: number): number {
    const wanted = share * this.#total;
    let seen = 0;
    for (const [index, count] of this.#counts.entries()) {
      seen += count;
      if (seen >= wanted && count > 0) return Math.round(2 ** ((index + 1) / STEPS));
    }
    return 0;
  }
}
