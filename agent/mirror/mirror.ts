import { factsOf } from '../../contract/actions.ts';
import type { Entry } from '../../contract/check.ts';
import { standing, standingBySpecificity } from '../../contract/precedence.ts';
import { lookupKeysOf, specificity } from '../../contract/subject.ts';
import type { Change, ListState } from '../../contract/updates.ts';
import { SegmentReader } from '../../updates/segment-reader.ts';
import type { Address } from '../decision/address.ts';
import type { LookupSubject } from '../decision/lookup-subject.ts';
import { AddressKey } from './address-key.ts';
import type { AskedLists } from './asked-lists.ts';
import { Entries, type Found } from './entries.ts';
import { BESIDE, classOf, listOf } from './entry-value.ts';
import { Collected, Search, Standings } from './search.ts';
import { SegmentFiller } from './segment-filler.ts';
import { kindOf } from './text-entries.ts';
import { type KnownEntry, type MirrorVerdict, NOTHING_KNOWN, NOTHING_LISTED, Verdicts, verdictOf } from './verdicts.ts';

/** Lines of a segment that are read in one slice: less than a millisecond, and a few at first. */
const SLICE = 100;

/** An entry that counts, and where it stands. */
interface Rival extends Found {
  readonly subject: string;
  readonly at: number;
  /** The place of its subject among those that are looked up: the first of two that stand alike wins. */
  readonly order: number;
  /** That of its action, also where it is only logged. */
  readonly rank: number;
}

/**
 * All entries of some lists, by the keys that they have in the table. It decides about any subject as the function would
 * with what the mirror was told, all entries read as they are meant.
 */
export class Mirror {
  /** The lists by number. */
  readonly #names: readonly string[];
  readonly #entries: Entries;
  #asked: AskedLists;
  #standings: Standings;
  #search: Search;
  #verdicts: Verdicts;
  #aheadMs = Date.now() - performance.now();

  constructor(asked: AskedLists, maxEntries: number) {
    this.#names = [...asked.lists];
    this.#entries = new Entries(this.#names.length, maxEntries);
    [this.#asked, this.#standings, this.#search, this.#verdicts] = this.#rules(asked);
  }

  /** The same lists in another order, or with other rules. */
  ask(asked: AskedLists): void {
    [this.#asked, this.#standings, this.#search, this.#verdicts] = this.#rules(asked);
  }

  /** Entries of all lists, expired ones too. */
  get size(): number {
    return this.#entries.size;
  }

  /** About what it takes, in the heap and outside of it. */
  get bytes(): number {
    return this.#entries.bytes;
  }

  /** There were more than `maxEntries`: it misses some from then on. */
  get isOver(): boolean {
    return this.#entries.isOver;
  }

  /** Entries under keys that are not canonical, which the function does not find. */
  get spelled(): number {
    return this.#entries.spelled;
  }

  /** The entries of a list and the sum of their hashes, kept as changes come; undefined if not all of them are kept. */
  sumOf(list: string): ListState | undefined {
    return this.#entries.stateOf(this.#numberOf(list));
  }

  /** The backend's clock, in milliseconds since 1970, at a moment by the clock that lookups are given. */
  setEpoch(epochMs: number, atMs: number): void {
    this.#aheadMs = epochMs - atMs;
  }

  /** Adds the lines of a segment of one list, in slices of a few milliseconds. Throws a SegmentError. */
  *fill(list: string, segment: Uint8Array): Generator<void> {
    const filler = new SegmentFiller(this.#entries, this.#numberOf(list));
    const reader = new SegmentReader(segment, filler);
    while (reader.read(SLICE)) yield;
    filler.flush();
  }

  /** What is true of a key now. The entry may have more in it than this version knows: that counts for the sum. */
  apply({ key, entry }: Change): void {
    const list = this.#numberOf(key.list);
    if (entry === null) {
      this.#entries.remove(list, key.subject);
      return;
    }
    const of = this.#entries.classes.read(entry);
    if (of === undefined) throw new Error(`the entry of a change in list ${key.list} is none`);
    this.#entries.set(list, key.subject, entry.subject, of, entry.expiresAt);
  }

  lookupAddress(address: Address, nowMs: number): MirrorVerdict {
    const search = this.#search;
    search.begin(nowMs + this.#aheadMs);
    this.#entries.search(address, search);
    if (search.isBeside) {
      const text = `ip:${address}`;
      const won = this.#winner(this.#rivalsOfAddress(address, nowMs), text);
      return won === undefined ? NOTHING_LISTED : verdictOf(won, text);
    }
    if (search.value === 0) return NOTHING_LISTED;
    return this.#verdicts.ofAddress(address, search.value, search.prefix);
  }

  /** Of any other subject, in canonical text. */
  lookup(text: string, nowMs: number): MirrorVerdict {
    const won = this.#winner(this.#rivalsOfText(text, nowMs), text);
    const isAsked = this.#entries.isAsked(kindOf(text));
    if (won === undefined) return isAsked ? NOTHING_KNOWN : NOTHING_LISTED;
    const verdict = verdictOf(won);
    return isAsked ? { ...verdict, live: undefined } : verdict;
  }

  /** The winner, as the function answers it. */
  entryOf(subject: LookupSubject, nowMs: number): Entry | null {
    return this.#winner(this.#rivalsOf(subject, nowMs), subject.text)?.entry ?? null;
  }

  /** The function's answer about a subject, with what it does not find: entries under keys that are not canonical. */
  combined(subject: LookupSubject, answered: Entry | null, nowMs: number): Entry | null {
    if (this.#entries.spelled === 0) return answered;
    const spelled = this.#rivalsOf(subject, nowMs).filter(({ key, subject }) => key !== subject);
    if (spelled.length === 0) return answered;
    const { unlessAllowed, ...won } = answered ?? { list: '', unlessAllowed: undefined };
    const told = 'subject' in won ? [won, ...(unlessAllowed ? [unlessAllowed] : [])] : [];
    const keys = lookupKeysOf(subject.text);
    const all = [
      ...told.map((entry) => ({ known: { entry, isWhole: true }, at: this.#standingOf(entry) })),
      ...spelled.map((rival) => ({ known: this.#known(rival), at: rival.at })),
    ].map((one) => ({ ...one, order: keys.indexOf(one.known.entry.subject) }));
    const ordered = all.sort((a, b) => a.at - b.at || a.order - b.order).map(({ known }) => known);
    return winnerOf(ordered, subject.text)?.entry ?? null;
  }

  /**
   * Computes the sums again from what is in memory, in slices, between which changes may be applied. Returns the lists of
   * which another sum is kept.
   */
  *recompute(): Generator<void, readonly string[]> {
    const lists = yield* this.#entries.recompute();
    return lists.map((list) => this.#names[list] as string); // all lists have names
  }

  #rules(asked: AskedLists): [AskedLists, Standings, Search, Verdicts] {
    const { classes } = this.#entries;
    const standings = new Standings(asked, this.#names, classes);
    return [asked, standings, new Search(standings), new Verdicts(asked, this.#names, classes)];
  }

  #numberOf(list: string): number {
    const number = this.#names.indexOf(list);
    if (number < 0) throw new Error(`the mirror does not have list ${list}`);
    return number;
  }

  #winner(rivals: readonly Rival[], text: string): KnownEntry | undefined {
    const ordered = rivals.map((rival) => this.#known(rival));
    return winnerOf(ordered, text);
  }

  #known({ subject, value, expiry }: Rival): KnownEntry {
    return this.#verdicts.entryOf(subject, value, expiry);
  }

  #standingOf({ action, subject, list }: Entry): number {
    return standing(action, specificity(subject), this.#asked.lists.indexOf(list));
  }

  #rivalsOf({ address, text }: LookupSubject, nowMs: number): readonly Rival[] {
    return address === undefined ? this.#rivalsOfText(text, nowMs) : this.#rivalsOfAddress(address, nowMs);
  }

  #rivalsOfText(text: string, nowMs: number): readonly Rival[] {
    const epochMs = nowMs + this.#aheadMs;
    const rivals: Rival[] = [];
    for (const [order, subject] of lookupKeysOf(text).entries())
      for (const found of this.#entries.textsOf(subject)) this.#add(rivals, { subject, order }, found, epochMs);
    return ordered(rivals);
  }

  #rivalsOfAddress(address: Address, nowMs: number): readonly Rival[] {
    const epochMs = nowMs + this.#aheadMs;
    const collected = new Collected();
    this.#entries.search(address, collected);
    const at = new AddressKey();
    const rivals: Rival[] = [];
    for (const [order, { value, expiry, prefix }] of collected.all.entries()) {
      at.readNetwork(address, prefix);
      const { subject } = at;
      const of = { subject, order };
      if (classOf(value) !== 0) this.#add(rivals, of, { key: subject, value: value & ~BESIDE, expiry }, epochMs);
      if ((value & BESIDE) === 0) continue;
      for (const found of this.#entries.textsOf(subject))
        if (listOf(found.value) === listOf(value)) this.#add(rivals, of, found, epochMs);
    }
    return ordered(rivals);
  }

  /** Adds an entry if it counts. */
  #add(rivals: Rival[], of: Pick<Rival, 'subject' | 'order'>, { key, value, expiry }: Found, epochMs: number): void {
    const at = this.#standings.of(value, expiry, epochMs);
    if (at === undefined) return;
    const { rank } = factsOf(this.#entries.classes.action(classOf(value)));
    rivals.push({ ...of, key, value, expiry, rank, at: at + standingBySpecificity(specificity(of.subject)) });
  }
}

/** The winner first; of several entries of a subject in one list only that under the canonical key, if there is one. */
function ordered(rivals: readonly Rival[]): readonly Rival[] {
  if (rivals.length < 2) return rivals;
  const isCanonical = ({ key, subject }: Rival) => key === subject;
  const isSame = (a: Rival, b: Rival) => a.subject === b.subject && listOf(a.value) === listOf(b.value);
  const left = rivals.filter(
    (rival) => isCanonical(rival) || !rivals.some((other) => isCanonical(other) && isSame(other, rival)),
  );
  return left.sort((a, b) => a.at - b.at || a.order - b.order || a.rank - b.rank || (a.key < b.key ? -1 : 1));
}

/** The first; beside an allow for a path, the entry that wins where the allow does not count. */
function winnerOf([won, ...others]: readonly KnownEntry[], text: string): KnownEntry | undefined {
  if (won?.entry.action !== 'allow' || !text.startsWith('path:')) return won;
  const next = others.find(({ entry }) => entry.action !== 'allow');
  if (next === undefined) return won;
  return { entry: { ...won.entry, unlessAllowed: next.entry }, isWhole: won.isWhole && next.isWhole };
}
