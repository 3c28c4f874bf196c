import type { EntryHits, TopSubject } from './state.ts';

/** Enough counters for a correct ranking, unless thousands of subjects are denied about equally often. */
const MAX_COUNTERS = 5000;
const SHOWN = 20;

type Counter = { -readonly [Key in keyof TopSubject]: TopSubject[Key] } & {
  /** The part of `count` that may be of others. */
  readonly over: number;
};

/** How often each listed subject was denied, in bounded memory: where there are too many, the rarer half makes room. */
export class TopSubjects {
  readonly #counters = new Map<string, Counter>();
  /** The most that a subject without a counter can have been denied. */
  #unseen = 0;

  add(subject: string, list: string, client: string | undefined): void {
    const key = `${list} ${subject}`;
    const known = this.#counters.get(key);
    if (known !== undefined) {
      known.count++;
      if (client !== undefined) known.client = client;
      return;
    }
    if (this.#counters.size >= MAX_COUNTERS) this.#removeRarerHalf();
    const counter = { subject, list, count: this.#unseen + 1, over: this.#unseen };
    this.#counters.set(key, { ...counter, ...(client === undefined ? {} : { client }) });
  }

  /** Most frequent first. */
  get state(): TopSubject[] {
    return mergeTop([...this.#counters.values()].map(({ over: _over, ...counter }) => counter));
  }

  /** At least so often; exactly so often if no subject lacks a counter. */
  get hits(): EntryHits[] {
    return [...this.#counters.values()].map(({ subject, list, count, over }) => ({
      subject,
      list,
      count: count - over,
    }));
  }

  /** Whether every subject that was added has its counter. */
  get hasAll(): boolean {
    return this.#unseen === 0;
  }

  #removeRarerHalf(): void {
    const byCount = [...this.#counters].sort(([, a], [, b]) => a.count - b.count);
    for (const [key, { count }] of byCount.slice(0, MAX_COUNTERS / 2)) {
      this.#counters.delete(key);
      this.#unseen = count;
    }
  }
}

/** Merges the top subjects of several processes, most frequent first. */
export function mergeTop(subjects: readonly TopSubject[]): TopSubject[] {
  return addedUp(subjects).slice(0, SHOWN);
}

/** Adds up the hits of several processes, most frequent first. */
export function mergeHits(hits: readonly EntryHits[]): EntryHits[] {
  return addedUp(hits);
}

function addedUp<One extends EntryHits>(counts: readonly One[]): One[] {
  const sums = new Map<string, One>();
  for (const one of counts) {
    const key = `${one.list} ${one.subject}`;
    const sum = sums.get(key);
    sums.set(key, sum === undefined ? one : { ...sum, count: sum.count + one.count });
  }
  return [...sums.values()].sort((a, b) => b.count - a.count);
}
