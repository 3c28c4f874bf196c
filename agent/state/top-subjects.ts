import type { TopSubject } from './state.ts';

/** Enough counters for a correct ranking, unless thousands of subjects are denied about equally often. */
const MAX_COUNTERS = 1000;
const SHOWN = 20;

type Counter = { -readonly [Key in keyof TopSubject]: TopSubject[Key] };

/** The most frequent subjects, in bounded memory: a new one replaces the least frequent and takes over its count (Space-Saving). */
export class TopSubjects {
  readonly #counters = new Map<string, Counter>();

  add(subject: string, list: string, client: string | undefined): void {
    const key = `${list} ${subject}`;
    const known = this.#counters.get(key);
    if (known !== undefined) {
      known.count++;
      if (client !== undefined) known.client = client;
      return;
    }
    const count = this.#counters.size < MAX_COUNTERS ? 0 : this.#removeLeast();
    this.#counters.set(key, { subject, list, count: count + 1, ...(client === undefined ? {} : { client }) });
  }

  /** Most frequent first. */
  get state(): TopSubject[] {
    return mergeTop([...this.#counters.values()].map((counter) => ({ ...counter })));
  }

  /** Removes the least frequent subject and returns its count. */
  #removeLeast(): number {
    let least: readonly [string, Counter] | undefined;
    for (const entry of this.#counters) if (least === undefined || entry[1].count < least[1].count) least = entry;
    if (least === undefined) return 0;
    this.#counters.delete(least[0]);
    return least[1].count;
  }
}

/** Merges the top subjects of several processes, most frequent first. */
export function mergeTop(subjects: readonly TopSubject[]): TopSubject[] {
  const sums = new Map<string, Counter>();
  for (const one of subjects) {
    const key = `${one.list} ${one.subject}`;
    const sum = sums.get(key);
    if (sum === undefined) sums.set(key, { ...one });
    else sum.count += one.count;
  }
  return [...sums.values()].sort((a, b) => b.count - a.count).slice(0, SHOWN);
}
