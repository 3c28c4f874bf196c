const SLICE_MS = 1000;
const SLICES = 10;

/** The length of a window, the current second included. */
export const WINDOW_MS = SLICES * SLICE_MS;

/** The newest durations that are kept. */
const MAX_DURATIONS = 1000;

/** Counts events of the last ten seconds, in slices of one. */
export class SlidingCounts<Name extends string> {
  readonly #names: readonly Name[];
  readonly #slices: { second: number; readonly counts: Record<Name, number> }[];

  constructor(names: readonly Name[]) {
    this.#names = names;
    this.#slices = Array.from({ length: SLICES }, () => ({
      second: Number.NEGATIVE_INFINITY,
      counts: this.#none(),
    }));
  }

  add(name: Name, nowMs: number): void {
    const second = Math.floor(nowMs / SLICE_MS);
    const slice = this.#slices[second % SLICES];
    if (slice === undefined) return; // a negative time
    if (slice.second !== second) {
      slice.second = second;
      for (const each of this.#names) slice.counts[each] = 0;
    }
    slice.counts[name]++;
  }

  sums(nowMs: number): Readonly<Record<Name, number>> {
    const from = Math.floor(nowMs / SLICE_MS) - SLICES;
    const sums = this.#none();
    for (const { second, counts } of this.#slices)
      if (second > from) for (const name of this.#names) sums[name] += counts[name];
    return sums;
  }

  #none(): Record<Name, number> {
    return Object.fromEntries(this.#names.map((name) => [name, 0])) as Record<Name, number>; // each of the names
  }
}

/** The durations of the newest events that ended in the last ten seconds. */
export class SlidingDurations {
  readonly #atMs = new Float64Array(MAX_DURATIONS).fill(Number.NEGATIVE_INFINITY);
  readonly #tookMs = new Float64Array(MAX_DURATIONS);
  #next = 0;

  add(tookMs: number, nowMs: number): void {
    this.#atMs[this.#next] = nowMs;
    this.#tookMs[this.#next] = tookMs;
    this.#next = (this.#next + 1) % MAX_DURATIONS;
  }

  /** Undefined without any. */
  median(nowMs: number): number | undefined {
    const recent = this.#tookMs.filter((_tookMs, index) => (this.#atMs[index] as number) > nowMs - WINDOW_MS); // as long
    return recent.sort()[Math.ceil(recent.length / 2) - 1];
  }
}
