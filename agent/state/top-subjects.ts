import type { EntryHits, TopSubject } from './state.ts';

/** Enough counters for a correct ranking, unless thousands of subjects are denied about equally often. */
const MAX_COUNTERS = 5000;
/** The same for the denies of one minute, of which at most 100 a second are recorded. */
const MAX_COUNTERS_OF_MINUTE = 1000;
const MINUTE_MS = 60_000;
/** How many minutes are kept, the current one included. */
export const TOP_MINUTES = 5;
const SHOWN = 20;

type Counter = { -readonly [Key in keyof TopSubject]: TopSubject[Key] } & {
  /** The part of `count` that may be of others. */
  readonly over: number;
};

/** How often each listed subject was denied, in bounded memory: where there are too many, the rarer half makes room. */
export class TopSubjects {
  readonly #counters = new Map<string, Counter>();
  readonly #maxCounters: number;
  /** The most that a subject without a counter can have been denied. */
  #unseen = 0;

  constructor(maxCounters = MAX_COUNTERS) {
    this.#maxCounters = maxCounters;
  }

  add(subject: string, list: string, client: string | undefined): void {
    const key = `${list} ${subject}`;
    const known = this.#counters.get(key);
    if (known !== undefined) {
      known.count++;
      if (client !== undefined) known.client = client;
      return;
    }
    if (this.#counters.size >= this.#maxCounters) this.#removeRarerHalf();
    const counter = { subject, list, count: this.#unseen + 1, over: this.#unseen };
    this.#counters.set(key, { ...counter, ...(client === undefined ? {} : { client }) });
  }

  get counts(): TopSubject[] {
    return [...this.#counters.values()].map(({ over: _over, ...counter }) => counter);
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
    for (const [key, { count }] of byCount.slice(0, this.#maxCounters / 2)) {
      this.#counters.delete(key);
      this.#unseen = count;
    }
  }
}

/** The same of the last minutes. */
export class RecentTopSubjects {
  /** Oldest first. */
  readonly #minutes: { readonly minute: number; readonly top: TopSubjects }[] = [];

  add(subject: string, list: string, client: string | undefined, nowMs: number): void {
    const minute = this.#forgetBefore(nowMs);
    let newest = this.#minutes.at(-1);
    if (newest?.minute !== minute) {
      newest = { minute, top: new TopSubjects(MAX_COUNTERS_OF_MINUTE) };
      this.#minutes.push(newest);
    }
    newest.top.add(subject, list, client);
  }

  /** Most frequent first. */
  stateAt(nowMs: number): TopSubject[] {
    this.#forgetBefore(nowMs);
    return mergeTop(this.#minutes.flatMap(({ top }) => top.counts));
  }

  #forgetBefore(nowMs: number): number {
    const minute = Math.floor(nowMs / MINUTE_MS);
    while (this.#minutes[0] !== undefined && this.#minutes[0].minute <= minute - TOP_MINUTES) this.#minutes.shift();
    return minute;
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
    sums.set(key, sum === undefined ? one : { ...sum, ...one, count: sum.count + one.count });
  }
  return [...sums.values()].sort((a, b) => b.count - a.count);
}
