import { NEVER } from './entry-value.ts';
import type { EntryLength, Finder } from './finder.ts';

/** An address or network as integers; those it does not have are 0. */
export interface Words {
  readonly a: number;
  readonly b: number;
  readonly c: number;
  readonly d: number;
}

/** How many integers the subjects of a table have. */
export type WordCount = 1 | 2 | 4;

/** Hashes the subject in some integers. */
type HashAt = (ints: Int32Array, at: number) => number;

/** What is in a chunk while it is split; of chunks of all widths, so one may have grown without the other. */
let oldTags = new Uint8Array(0);
let oldInts = new Int32Array(0);

/**
 * Slots of open addressing: a subject and the value of its entry; its expiry in an array of their own, as most have none; and
 * a byte of its hash in another one, 0 for an empty slot. A search for a subject that is not there mostly sees only these, which fit into the caches of
 * the processor: a million of them take 2 MB where the slots take 16. Buffers that can be shared are not shared here: V8 does
 * not count them, and so does not collect garbage each time that the tables grow by a few megabytes.
 */
export class EntryChunk {
  /** How many first bits the hashes of its subjects share. */
  depth: number;
  /** The round of the last sum that has its entries. */
  round: number;
  /** Whether a subject may have entries in several lists; without any, a search ends at the first. */
  hasSeveral = false;
  readonly #words: WordCount;
  readonly #width: number;
  readonly #mask: number;
  readonly #tags: Uint8Array;
  readonly #ints: Int32Array;
  /** Made with the first entry that expires. */
  #expiries: Int32Array | undefined;
  #count = 0;

  /** The number of slots is a power of two. */
  constructor(words: WordCount, slots: number, depth: number, round: number) {
    this.#words = words;
    this.#width = words + 1;
    this.#mask = slots - 1;
    this.#tags = new Uint8Array(new SharedArrayBuffer(slots));
    this.#ints = intsFor(slots * this.#width);
    this.depth = depth;
    this.round = round;
  }

  get slots(): number {
    return this.#tags.length;
  }

  /** Slots in use. */
  get count(): number {
    return this.#count;
  }

  get bytes(): number {
    return this.#tags.byteLength + this.#ints.byteLength + (this.#expiries?.byteLength ?? 0);
  }

  /** Where a search begins: bits of the hash that do not tell the chunk. */
  homeOf(hash: number): number {
    return (hash ^ (hash >>> 15)) & this.#mask;
  }

  after(slot: number): number {
    return (slot + 1) & this.#mask;
  }

  /** Reads where a search begins. Returns something of it, so that the read is not left out. */
  touch(hash: number): number {
    const slot = this.homeOf(hash);
    return (this.#tags[slot] as number) ^ (this.#ints[slot * this.#width] as number); // slots are in bounds, here and below
  }

  /** The first slot of a subject from this one on; -1 if there is no more. There is always an empty slot. */
  next(slot: number, hash: number, a: number, b: number, c: number, d: number): number {
    const tags = this.#tags;
    const tag = tagOf(hash);
    for (let at = slot; ; at = (at + 1) & this.#mask) {
      const own = tags[at];
      if (own === 0) return -1;
      if (own === tag && this.#isOf(at, a, b, c, d)) return at;
    }
  }

  /** Shows a search each entry of a subject. One loop, as this is on the hot path. */
  search(hash: number, a: number, b: number, c: number, d: number, search: Finder, table: EntryLength): void {
    const [tags, ints, expiries, words, mask] = [this.#tags, this.#ints, this.#expiries, this.#words, this.#mask];
    const isOnly = !this.hasSeveral;
    const tag = tagOf(hash);
    for (let slot = this.homeOf(hash); ; slot = (slot + 1) & mask) {
      const own = tags[slot];
      if (own === 0) return;
      if (own !== tag) continue;
      const at = slot * (words + 1);
      if (ints[at] !== a) continue;
      if (words !== 1 && (ints[at + 1] !== b || (words === 4 && (ints[at + 2] !== c || ints[at + 3] !== d)))) continue;
      search.found(ints[at + words] as number, expiries === undefined ? NEVER : (expiries[slot] as number), table);
      if (isOnly) return;
    }
  }

  value(slot: number): number {
    return this.#ints[slot * this.#width + this.#words] as number;
  }

  expiry(slot: number): number {
    return this.#expiries === undefined ? NEVER : (this.#expiries[slot] as number);
  }

  set(slot: number, value: number, expiry: number): void {
    this.#ints[slot * this.#width + this.#words] = value;
    this.#setExpiry(slot, expiry);
  }

  add(hash: number, { a, b, c, d }: Words, value: number, expiry: number): void {
    const slot = this.#take(hash);
    const at = slot * this.#width;
    this.#ints[at] = a;
    if (this.#words > 1) this.#ints[at + 1] = b;
    if (this.#words > 2) {
      this.#ints[at + 2] = c;
      this.#ints[at + 3] = d;
    }
    this.set(slot, value, expiry);
  }

  /** Empties a slot, and moves up the entries behind it whose search would otherwise end at it. */
  remove(slot: number, hashAt: HashAt): void {
    const [tags, ints, width] = [this.#tags, this.#ints, this.#width];
    let hole = slot;
    for (let next = this.after(slot); tags[next] !== 0; next = this.after(next)) {
      const home = this.homeOf(hashAt(ints, next * width));
      if (((next - home) & this.#mask) < ((next - hole) & this.#mask)) continue;
      tags[hole] = tags[next] as number;
      ints.copyWithin(hole * width, next * width, (next + 1) * width);
      this.#setExpiry(hole, this.expiry(next));
      hole = next;
    }
    tags[hole] = 0;
    this.#count--;
  }

  /** Shows each entry. One whose tag is not that of its subject is left out, as no search finds it. */
  each(hashAt: HashAt, show: (words: Words, value: number, expiry: number) => void): void {
    const ints = this.#ints;
    const word = (at: number, index: number) => (index < this.#words ? (ints[at + index] as number) : 0);
    for (let slot = 0; slot <= this.#mask; slot++) {
      const at = slot * this.#width;
      if (this.#tags[slot] === 0 || this.#tags[slot] !== tagOf(hashAt(ints, at))) continue;
      const words = { a: word(at, 0), b: word(at, 1), c: word(at, 2), d: word(at, 3) };
      show(words, this.value(slot), this.expiry(slot));
    }
  }

  /** Moves all entries: to one chunk if the bit of their hash is not set, to the other one if it is; this may be either. */
  moveAll(hashAt: HashAt, bit: number, unset: EntryChunk, set: EntryChunk): void {
    const { length } = this.#ints;
    if (oldTags.length < this.slots) oldTags = new Uint8Array(this.slots);
    if (oldInts.length < length) oldInts = new Int32Array(length);
    oldTags.set(this.#tags);
    oldInts.set(this.#ints);
    const oldExpiries = this.#expiries?.slice();
    this.#tags.fill(0);
    this.#count = 0;
    const width = this.#width;
    for (let from = 0, slot = 0; from < length; from += width, slot++) {
      if (oldTags[slot] === 0) continue;
      const hash = hashAt(oldInts, from);
      const chunk = (hash & bit) === 0 ? unset : set;
      const to = chunk.#take(hash);
      for (let index = 0; index < width; index++) chunk.#ints[to * width + index] = oldInts[from + index] as number;
      chunk.#setExpiry(to, oldExpiries === undefined ? NEVER : (oldExpiries[slot] as number));
    }
  }

  #setExpiry(slot: number, expiry: number): void {
    if (this.#expiries === undefined) {
      if (expiry === NEVER) return;
      this.#expiries = intsFor(this.slots).fill(NEVER);
    }
    this.#expiries[slot] = expiry;
  }

  /** The first empty slot of a search, which is taken. */
  #take(hash: number): number {
    let slot = this.homeOf(hash);
    while (this.#tags[slot] !== 0) slot = this.after(slot);
    this.#tags[slot] = tagOf(hash);
    this.#count++;
    return slot;
  }

  #isOf(slot: number, a: number, b: number, c: number, d: number): boolean {
    const ints = this.#ints;
    const at = slot * this.#width;
    if (ints[at] !== a) return false;
    if (this.#words === 1) return true;
    if (ints[at + 1] !== b) return false;
    return this.#words === 2 || (ints[at + 2] === c && ints[at + 3] === d);
  }
}

function intsFor(length: number): Int32Array {
  return new Int32Array(new SharedArrayBuffer(length * Int32Array.BYTES_PER_ELEMENT));
}

/** Other bits of the hash than where its search begins. */
function tagOf(hash: number): number {
  return ((hash >>> 16) & 0xff) | 1;
}
