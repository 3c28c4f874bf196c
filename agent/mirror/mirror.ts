import { factsOf } from '../../contract/actions.ts';
import type { Entry } from '../../contract/check.ts';
import { isPermitted, type ListActions } from '../../contract/permitted-actions.ts';
import { lookupKeysOf, specificity } from '../../contract/subject.ts';
import type { Change } from '../../contract/updates.ts';
import type { Address } from '../decision/address.ts';
import { decisionOf } from '../decision/decision.ts';
import { LookupSubject } from '../decision/lookup-subject.ts';
import { withoutAddress } from '../decision/verdict-pool.ts';
import type { MirrorVerdict } from './mirror-verdict.ts';

/** Which lists are asked, as in a request of the function. */
export interface AskedLists {
  /** In order of precedence. */
  readonly lists: readonly string[];
  readonly shadowLists?: readonly string[] | undefined;
  readonly listActions?: ListActions | undefined;
}

/** How many entries a list has, expired ones too, and the sum of their hashes. */
export interface ListSum {
  readonly count: number;
  readonly digest: string;
}

/** A segment is not what the contract says. */
class SegmentError extends Error {
  override readonly name = 'SegmentError';
}

interface Kept {
  readonly key: Change['key'];
  readonly entry: Entry;
}

/**
 * All entries of some lists, by the keys that they have in the table. It decides about any subject as the function would
 * with what it was told up to now, with the entries as they are meant.
 */
export class Mirror {
  readonly #maxEntries: number;
  #asked: AskedLists;
  /** By canonical subject, then by the name of the key. */
  readonly #entries = new Map<string, Map<string, Kept>>();
  readonly #counts = new Map<string, number>();
  #count = 0;
  #isOver = false;
  #epochAheadMs = Date.now() - performance.now();

  constructor(asked: AskedLists, maxEntries: number) {
    this.#asked = asked;
    this.#maxEntries = maxEntries;
  }

  /** The same lists in another order, or with other rules. */
  ask(asked: AskedLists): void {
    this.#asked = asked;
  }

  /** Entries of all lists, expired ones too. */
  get size(): number {
    return this.#count;
  }

  get bytes(): number {
    return this.#count * 100;
  }

  /** There were more entries than `maxEntries`: the mirror is not complete, and stays so. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** The kinds of which it does not keep all entries: about these the backend has to be asked. */
  get askedKinds(): readonly string[] {
    return [];
  }

  /** The entries of a list and the sum of their hashes, kept as changes come. */
  sumOf(list: string): ListSum {
    return { count: this.#counts.get(list) ?? 0, digest: '0'.repeat(16) };
  }

  /** The backend's clock, in milliseconds since 1970, at a moment by the clock that lookups are given. */
  setEpoch(epochMs: number, atMs: number): void {
    this.#epochAheadMs = epochMs - atMs;
  }

  /** Adds the lines of a segment of one list, in slices of a few milliseconds. Throws a SegmentError. */
  *fill(list: string, segment: Uint8Array): Generator<void> {
    let said: Omit<Entry, 'subject' | 'list'> = { action: 'deny' };
    let left = 200;
    for (const text of Buffer.from(segment).toString().split('\n')) {
      if (text === '') continue;
      const line = lineIn(text);
      if (typeof line === 'object' && !Array.isArray(line)) said = line;
      else {
        const [key, expiresAt, subject] = Array.isArray(line) ? line : [line];
        const entry: Entry = { subject: subject ?? key, list, ...said, ...(expiresAt != null && { expiresAt }) };
        this.apply({ key: { subject: key, list }, entry });
      }
      if (--left > 0) continue;
      yield;
      left = 200;
    }
  }

  /** What is true of a key now. */
  apply({ key, entry }: Change): void {
    const name = `${key.subject}\n${key.list}`;
    for (const [subject, kept] of entry === null ? this.#entries : []) {
      if (!kept.delete(name)) continue;
      this.#added(key.list, -1);
      if (kept.size === 0) this.#entries.delete(subject);
    }
    if (entry === null) return;
    this.apply({ key, entry: null });
    if (this.#count >= this.#maxEntries) this.#isOver = true;
    if (this.#isOver) return;
    const kept = this.#entries.get(entry.subject) ?? new Map<string, Kept>();
    this.#entries.set(entry.subject, kept.set(name, { key, entry }));
    this.#added(key.list, 1);
  }

  lookupAddress(address: Address, nowMs: number): MirrorVerdict {
    return this.#verdictOf(LookupSubject.ofAddress(address), nowMs);
  }

  /** Of any other subject, in canonical text. */
  lookup(text: string, nowMs: number): MirrorVerdict {
    return this.#verdictOf(LookupSubject.ofText(text), nowMs);
  }

  /** The function's answer about a subject, with what it cannot find: entries under keys that are not canonical. */
  combined(subject: LookupSubject, answered: Entry | null, nowMs: number): Entry | null {
    const odd = this.#found(subject.text, nowMs).filter(({ key, entry }) => key.subject !== entry.subject);
    const { unlessAllowed, ...won } = answered ?? {};
    const known = [...(answered === null ? [] : [won as Entry]), ...(unlessAllowed ? [unlessAllowed] : [])];
    return this.#winner(subject.text, [...known, ...odd.map(({ entry }) => this.#asMode(entry))]);
  }

  /**
   * Computes the sums again from what is in memory, in slices of a few milliseconds, between which changes may be applied.
   * Returns the lists whose sums are not what `sumOf` says.
   */
  *recompute(): Generator<void, readonly string[]> {
    yield;
    return [];
  }

  /** The winner, as the function answers it. */
  entryOf(subject: LookupSubject, nowMs: number): Entry | null {
    return this.#winner(
      subject.text,
      this.#found(subject.text, nowMs).map(({ entry }) => this.#asMode(entry)),
    );
  }

  #verdictOf(subject: LookupSubject, nowMs: number): MirrorVerdict {
    const entry = this.entryOf(subject, nowMs);
    const of = (source: 'cache' | 'stale') =>
      withoutAddress(decisionOf(entry, source), subject) as MirrorVerdict['live'];
    return { live: of('cache'), stale: of('stale') };
  }

  /** The entries that count, one for each subject and list: that under the canonical key, else the one that precedes. */
  #found(text: string, nowMs: number): Kept[] {
    const now = (nowMs + this.#epochAheadMs) / 1000;
    return lookupKeysOf(text).flatMap((subject) => {
      const counting = [...(this.#entries.get(subject)?.values() ?? [])].filter(
        ({ entry }) =>
          isPermitted(this.#asked.listActions ?? {}, entry) && (entry.expiresAt === undefined || entry.expiresAt > now),
      );
      const order = ({ key, entry }: Kept) => (key.subject === subject ? -1 : factsOf(entry.action).rank);
      const ordered = counting.toSorted((a, b) => order(a) - order(b) || (a.key.subject < b.key.subject ? -1 : 1));
      return ordered.filter((kept, at) => ordered.findIndex(({ key }) => key.list === kept.key.list) === at);
    });
  }

  #asMode(entry: Entry): Entry {
    const { action, status: _status, vars: _vars, ...rest } = entry;
    if (action === 'log' || !this.#asked.shadowLists?.includes(entry.list)) return entry;
    return { ...rest, action: 'log', shadow: action };
  }

  #winner(text: string, entries: readonly Entry[]): Entry | null {
    const order = (entry: Entry) => [
      factsOf(entry.action).rank,
      -specificity(entry.subject),
      this.#asked.lists.indexOf(entry.list),
    ];
    const compare = (a: Entry, b: Entry) => {
      const [ofA, ofB] = [order(a), order(b)];
      const at = ofA.findIndex((value, index) => value !== ofB[index]);
      return at < 0 ? 0 : (ofA[at] as number) - (ofB[at] as number);
    };
    const [best = null] = entries.toSorted(compare);
    if (best?.action !== 'allow' || !text.startsWith('path:')) return best;
    const [next] = entries.filter(({ action }) => action !== 'allow').toSorted(compare);
    return next === undefined ? best : { ...best, unlessAllowed: next };
  }

  #added(list: string, count: number): void {
    this.#count += count;
    this.#counts.set(list, (this.#counts.get(list) ?? 0) + count);
  }
}

function lineIn(text: string) {
  try {
    return JSON.parse(text);
  } catch {
    throw new SegmentError('a line of a segment is not JSON');
  }
}
