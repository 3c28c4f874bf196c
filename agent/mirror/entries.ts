import type { ListState } from '../../contract/updates.ts';
import { expiryWord } from '../../updates/digest.ts';
import type { Address } from '../decision/address.ts';
import { AddressEntries } from './address-entries.ts';
import { AddressKey } from './address-key.ts';
import { EntryClasses, type ReceivedClass } from './entry-classes.ts';
import { BESIDE, classOf, entryValue, listOf, NEVER } from './entry-value.ts';
import type { Finder } from './finder.ts';
import { Sums } from './sums.ts';
import { kindOf, TextEntries } from './text-entries.ts';

/** Texts that are summed up in one slice: less than a millisecond. */
const SLICE = 1000;

/** An entry under another key may have any: this one stands first. */
const ANY_ACTION = 'allow';

/** An entry of one subject. */
export interface Found {
  readonly key: string;
  readonly value: number;
  readonly expiry: number;
}

/** All entries of some lists, which are numbers here, by the keys that they have in the table; and the sums of their hashes. */
export class Entries {
  readonly classes = new EntryClasses();
  readonly #addresses = new AddressEntries();
  readonly #texts = new TextEntries();
  readonly #sums: Sums;
  readonly #maxEntries: number;
  #size = 0;
  #isOver = false;
  readonly #askedKinds = new Set<string>();
  #areTextsAsked = false;
  /** The lists of which not all entries are kept. */
  readonly #partial = new Set<number>();
  readonly #at = new AddressKey();

  constructor(lists: number, maxEntries: number) {
    this.#maxEntries = maxEntries;
    this.#sums = new Sums(lists);
  }

  get size(): number {
    return this.#size;
  }

  get bytes(): number {
    return this.classes.bytes + this.#texts.bytes + this.#addresses.bytes;
  }

  /** There were more than `maxEntries`; nothing is added any more. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Entries under keys that are not canonical. */
  get spelled(): number {
    return this.#texts.spelled;
  }

  /** Whether there were more entries of this kind than are kept. */
  isAsked(kind: string): boolean {
    return kind !== 'ip' && (this.#areTextsAsked || this.#askedKinds.has(kind));
  }

  /** Undefined if not all entries of the list are kept. */
  stateOf(list: number): ListState | undefined {
    return this.#partial.has(list) ? undefined : this.#sums.stateOf(list);
  }

  /** Shows a search the entries of every network that an address is in. */
  search(address: Address, search: Finder): void {
    this.#addresses.search(address, search);
  }

  /** The entries of a subject that are found by text: those of addresses only under keys that are not canonical. */
  textsOf(subject: string): Found[] {
    const found: Found[] = [];
    for (let entry = this.#texts.chainOf(subject); entry !== undefined; entry = entry.next) found.push(entry);
    return found;
  }

  /** Sets the entry under a key. */
  set(list: number, key: string, subject: string, of: ReceivedClass, expiresAt: number | undefined): void {
    if (this.#texts.subjectOf(list, key) !== subject) this.remove(list, key);
    const expiry = expiryWord(expiresAt) | 0;
    if (this.#at.read(subject) && key === subject) this.#setAddress(list, this.#at, of, expiry);
    else this.#setText(list, key, subject, of, expiry);
  }

  /** Reads where an address or network would be. Returns something of it, so that the read is not left out. */
  touch(at: AddressKey): number {
    return this.#addresses.tableOf(at)?.touch(at) ?? 0;
  }

  /** The same for an address or network under its canonical key. One of a length that is never looked up is kept as text. */
  setNetwork(list: number, at: AddressKey, of: ReceivedClass, expiresAt: number | undefined): void {
    const expiry = expiryWord(expiresAt) | 0;
    if (at.isLookedUp) this.#setAddress(list, at, of, expiry);
    else this.#setText(list, at.subject, at.subject, of, expiry);
  }

  /** Removes the entry under a key, if there is one. */
  remove(list: number, key: string): void {
    const subject = this.#texts.subjectOf(list, key);
    const isAddress = this.#at.read(subject);
    if (isAddress && subject === key) {
      this.#removeAddress(list);
      return;
    }
    const entry = this.#texts.find(list, key, subject);
    if (entry === undefined) return;
    this.#sumText(-1, subject, entry);
    this.#texts.remove(subject, entry);
    this.#gone(entry.value);
    if (isAddress) this.#mark(list, this.#hasText(list, subject));
  }

  /** Computes the sums anew, in slices; returns the lists of which other ones are kept. */
  *recompute(): Generator<void, readonly number[]> {
    const round = this.#sums.begin();
    for (const table of this.#addresses.tables)
      yield* table.unsummed(round, (words, value, expiry) => {
        if (classOf(value) === 0) return;
        const place = { ...words, isIpv4: table.isIpv4, prefix: table.prefix };
        this.#sums.addressAnew(1, listOf(value), place, expiry, this.classes.hash(classOf(value)));
      });
    const unmarked = new Set<number>();
    let left = SLICE;
    for (const [subject, first] of this.#texts.chains()) {
      first.round = round;
      for (let entry: typeof first | undefined = first; entry !== undefined; entry = entry.next) {
        const { key, value, expiry } = entry;
        if (key !== subject && !this.#isMarked(listOf(value), subject)) unmarked.add(listOf(value));
        this.#sums.textAnew(1, listOf(value), key, subject, expiry, this.classes.hash(classOf(value)));
      }
      if (--left > 0) continue;
      yield;
      if (this.#sums.round !== round) return [];
      left = SLICE;
    }
    return [...new Set([...unmarked, ...this.#sums.differing()])];
  }

  #setAddress(list: number, at: AddressKey, of: ReceivedClass, expiry: number): void {
    const table = this.#addresses.tableOf(at);
    const slot = table?.find(at, list) ?? -1;
    if (table === undefined || slot < 0) {
      if (!this.#hasRoom()) return;
      const value = entryValue(this.classes.take(of), list);
      const { round } = this.#sums;
      const added = this.#addresses.add(at, value, expiry, round);
      const isInBoth = added.isSummed(round);
      this.#addresses.admit(added, of.of.action);
      this.#sums.address(1, list, at, expiry, of.hash, isInBoth);
      return;
    }
    const before = table.value(slot);
    if (classOf(before) === 0 && !this.#hasRoom()) return;
    const isInBoth = table.isSummed(this.#sums.round);
    if (classOf(before) !== 0) {
      this.#sums.address(-1, list, at, table.expiry(slot), this.classes.hash(classOf(before)), isInBoth);
    }
    table.set(slot, entryValue(this.classes.take(of), list) | (before & BESIDE), expiry);
    this.#addresses.admit(table, of.of.action);
    if (classOf(before) !== 0) this.classes.release(classOf(before));
    this.#sums.address(1, list, at, expiry, of.hash, isInBoth);
  }

  #removeAddress(list: number): void {
    const table = this.#addresses.tableOf(this.#at);
    const slot = table?.find(this.#at, list) ?? -1;
    if (table === undefined || slot < 0 || classOf(table.value(slot)) === 0) return;
    const value = table.value(slot);
    const hash = this.classes.hash(classOf(value));
    this.#sums.address(-1, list, this.#at, table.expiry(slot), hash, table.isSummed(this.#sums.round));
    this.#gone(value);
    if ((value & BESIDE) === 0) table.remove(slot);
    else table.set(slot, entryValue(0, list) | BESIDE, NEVER);
  }

  #setText(list: number, key: string, subject: string, of: ReceivedClass, expiry: number): void {
    const known = this.#texts.find(list, key, subject);
    if (known !== undefined) {
      this.#sumText(-1, subject, known);
      const before = classOf(known.value);
      known.value = entryValue(this.classes.take(of), list);
      this.classes.release(before);
      known.expiry = expiry;
      this.#sumText(1, subject, known);
      return;
    }
    if (!this.#hasRoom()) return;
    const value = entryValue(this.classes.take(of), list);
    const refused = this.#texts.add(subject, { key, value, expiry });
    if (refused !== undefined) {
      this.#gone(value);
      this.#partial.add(list);
      if (refused === 'all') this.#areTextsAsked = true;
      if (refused === 'kind') this.#askedKinds.add(kindOf(subject));
      return;
    }
    this.#sumText(1, subject, { key, value, expiry });
    if (this.#at.read(subject)) this.#mark(list, true);
  }

  /** Says at the address whether it has entries under other keys in this list. */
  #mark(list: number, isBeside: boolean): void {
    const table = this.#addresses.tableOf(this.#at);
    const slot = table?.find(this.#at, list) ?? -1;
    if (table === undefined || slot < 0) {
      if (isBeside)
        this.#addresses.admit(
          this.#addresses.add(this.#at, entryValue(0, list) | BESIDE, NEVER, this.#sums.round),
          ANY_ACTION,
        );
      return;
    }
    const value = table.value(slot) & ~BESIDE;
    if (isBeside) {
      table.set(slot, value | BESIDE, table.expiry(slot));
      this.#addresses.admit(table, ANY_ACTION);
    } else if (classOf(value) === 0) table.remove(slot);
    else table.set(slot, value, table.expiry(slot));
  }

  /** Whether it is said, unless the subject is no address. */
  #isMarked(list: number, subject: string): boolean {
    if (!this.#at.read(subject)) return true;
    const table = this.#addresses.tableOf(this.#at);
    const slot = table?.find(this.#at, list) ?? -1;
    return table !== undefined && slot >= 0 && (table.value(slot) & BESIDE) !== 0;
  }

  #hasText(list: number, subject: string): boolean {
    let entry = this.#texts.chainOf(subject);
    while (entry !== undefined && listOf(entry.value) !== list) entry = entry.next;
    return entry !== undefined;
  }

  #sumText(sign: 1 | -1, subject: string, { key, value, expiry }: Found): void {
    const isInBoth = this.#texts.chainOf(subject)?.round === this.#sums.round;
    const hash = this.classes.hash(classOf(value));
    this.#sums.text(sign, listOf(value), key, subject, expiry, hash, isInBoth);
  }

  /** Counts an entry that is new; false if it is one too many. */
  #hasRoom(): boolean {
    if (this.#size >= this.#maxEntries) this.#isOver = true;
    if (this.#isOver) return false;
    this.#size++;
    return true;
  }

  #gone(value: number): void {
    this.#size--;
    this.classes.release(classOf(value));
  }
}
