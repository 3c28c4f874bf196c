import { standingBySpecificity } from '../../contract/precedence.ts';
import { maskOf } from '../decision/address.ts';
import type { Hash } from '../decision/address-hash.ts';
import { listOf } from './entry-value.ts';
import type { Finder } from './search.ts';

/** Slots of the first chunk, which doubles until it has as many as any other. */
const FIRST_SLOTS = 16;
/** A chunk with more entries than fit is split, which takes half a millisecond. */
const MAX_SLOTS = 16_384;
const MAX_LOAD = 0.8;

/** An address or network as integers; those it does not have are 0. */
export interface Words {
  readonly a: number;
  readonly b: number;
  readonly c: number;
  readonly d: number;
}

/** The slots of all hashes with the same first bits. */
interface Chunk {
  ints: Int32Array;
  /** How many first bits. */
  depth: number;
  count: number;
  /** The round of the last sum that has its entries. */
  round: number;
}

/** What is in a chunk while it is split. */
let scratch = new Int32Array(0);

/**
 * Entries of addresses or networks of one length, in all lists, by open addressing: a slot has 12 bytes for IPv4, 16 for
 * networks of IPv6, 24 for its addresses. It grows chunk by chunk, so that no change takes longer than a millisecond; the
 * hash is keyed, so that nobody makes its searches long.
 */
export class EntryTable {
  readonly isIpv4: boolean;
  readonly prefix: number;
  readonly #hash: Hash;
  readonly #standing: number;
  readonly #words: 1 | 2 | 4;
  readonly #width: number;
  readonly #maskA: number;
  readonly #maskB: number;
  #slots = FIRST_SLOTS;
  /** How many first bits of a hash tell the chunk. */
  #depth = 0;
  #chunks: Chunk[];
  /** Their slots, so that a search need not look at the chunk. */
  #ints: Int32Array[];
  /** That of the last slot. */
  #chunk: Chunk;
  #size = 0;
  #bytes = 0;

  /** What is added to it is in the sum of this round. */
  constructor(isIpv4: boolean, prefix: number, hash: Hash, round: number) {
    this.isIpv4 = isIpv4;
    this.prefix = prefix;
    this.#hash = hash;
    this.#standing = standingBySpecificity(prefix === (isIpv4 ? 32 : 128) ? Number.POSITIVE_INFINITY : prefix);
    this.#words = isIpv4 ? 1 : prefix <= 64 ? 2 : 4;
    this.#width = this.#words + 2;
    this.#maskA = maskOf(prefix);
    this.#maskB = maskOf(prefix - 32);
    this.#chunk = { ints: this.#newInts(), depth: 0, count: 0, round };
    this.#chunks = [this.#chunk];
    this.#ints = [this.#chunk.ints];
  }

  /** Slots in use. */
  get size(): number {
    return this.#size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Shows a search the entries of an address, or of the network that it is in. */
  search({ a, b, c, d }: Words, search: Finder): void {
    const words = this.#words;
    const ofA = a & this.#maskA;
    const ofB = words === 1 ? 0 : b & this.#maskB;
    const ofC = words === 4 ? c : 0;
    const ofD = words === 4 ? d : 0;
    const hash = this.#hashOf(ofA, ofB, ofC, ofD);
    const ints = this.#ints[this.#chunkAt(hash)] as Int32Array; // there are as many as first bits can tell
    for (let slot = this.#homeOf(hash); ; slot = this.#next(slot)) {
      const value = ints[slot + words] as number; // slots are in bounds, here and below
      if (value === 0) return;
      if (ints[slot] === ofA && this.#isSame(ints, slot, ofB, ofC, ofD))
        search.found(value, ints[slot + words + 1] as number, this.#standing, this.prefix);
    }
  }

  /** The slot of a subject in a list, or -1. Valid until the next call of a method that has no slot. */
  find({ a, b, c, d }: Words, list: number): number {
    const hash = this.#hashOf(a, b, c, d);
    this.#chunk = this.#chunks[this.#chunkAt(hash)] as Chunk;
    const { ints } = this.#chunk;
    for (let slot = this.#homeOf(hash); ; slot = this.#next(slot)) {
      const value = ints[slot + this.#words] as number;
      if (value === 0) return -1;
      if (listOf(value) === list && ints[slot] === a && this.#isSame(ints, slot, b, c, d)) return slot;
    }
  }

  value(slot: number): number {
    return this.#chunk.ints[slot + this.#words] as number;
  }

  expiry(slot: number): number {
    return this.#chunk.ints[slot + this.#words + 1] as number;
  }

  set(slot: number, value: number, expiry: number): void {
    this.#chunk.ints[slot + this.#words] = value;
    this.#chunk.ints[slot + this.#words + 1] = expiry;
  }

  /** Whether the sum of this round has what is in the chunk that was searched or changed last. */
  isSummed(round: number): boolean {
    return this.#chunk.round === round;
  }

  /** Adds a subject that is not there. */
  add({ a, b, c, d }: Words, value: number, expiry: number): void {
    const hash = this.#hashOf(a, b, c, d);
    while ((this.#chunks[this.#chunkAt(hash)] as Chunk).count >= this.#slots * MAX_LOAD) this.#grow(hash);
    this.#chunk = this.#chunks[this.#chunkAt(hash)] as Chunk;
    const { ints } = this.#chunk;
    const slot = this.#freeFrom(ints, this.#homeOf(hash));
    ints[slot] = a;
    if (this.#words > 1) ints[slot + 1] = b;
    if (this.#words > 2) {
      ints[slot + 2] = c;
      ints[slot + 3] = d;
    }
    this.set(slot, value, expiry);
    this.#chunk.count++;
    this.#size++;
  }

  /** Empties a slot, and moves up the entries behind it whose search would otherwise end at it. */
  remove(slot: number): void {
    const { ints } = this.#chunk;
    const width = this.#width;
    const mask = this.#slots * width;
    const distance = (from: number, to: number) => (to >= from ? to - from : to - from + mask);
    let hole = slot;
    for (let next = this.#next(slot); ints[next + this.#words] !== 0; next = this.#next(next)) {
      if (distance(this.#homeOf(this.#hashAt(ints, next)), next) < distance(hole, next)) continue;
      ints.copyWithin(hole, next, next + width);
      hole = next;
    }
    ints[hole + this.#words] = 0;
    this.#chunk.count--;
    this.#size--;
  }

  /**
   * Shows each slot whose chunk is not in the sum of this round, a chunk at a time. The table may change between two of
   * them: what is added to a chunk that was shown is not shown again.
   */
  *unsummed(round: number, each: (words: Words, value: number, expiry: number) => void): Generator<void> {
    for (let at = 0; at < this.#chunks.length; at++) {
      const chunk = this.#chunks[at] as Chunk;
      if (chunk.round === round) continue;
      chunk.round = round;
      const { ints } = chunk;
      const word = (slot: number, index: number) => (index < this.#words ? (ints[slot + index] as number) : 0);
      for (let slot = 0; slot < ints.length; slot += this.#width) {
        const value = ints[slot + this.#words] as number;
        if (value === 0) continue;
        const words = { a: word(slot, 0), b: word(slot, 1), c: word(slot, 2), d: word(slot, 3) };
        each(words, value, ints[slot + this.#words + 1] as number);
      }
      yield;
    }
  }

  #grow(hash: number): void {
    if (this.#slots < MAX_SLOTS) this.#double();
    else this.#split(hash);
  }

  /** The only chunk gets twice as many slots. */
  #double(): void {
    const [chunk] = this.#chunks as [Chunk];
    const from = chunk.ints;
    this.#slots *= 2;
    this.#bytes -= from.byteLength;
    chunk.ints = this.#newInts();
    this.#ints = [chunk.ints];
    this.#addAll(from, from.length);
  }

  /** A new chunk takes those entries whose next bit is set. */
  #split(hash: number): void {
    const at = this.#chunkAt(hash);
    const chunk = this.#chunks[at] as Chunk;
    if (chunk.depth === this.#depth) {
      this.#depth++;
      this.#chunks = this.#chunks.flatMap((one) => [one, one]);
      this.#ints = this.#chunks.map(({ ints }) => ints);
    }
    chunk.depth++;
    const added = { ...chunk, ints: this.#newInts() };
    const share = 2 ** (this.#depth - chunk.depth);
    const from = this.#chunks.indexOf(chunk) + share;
    for (let index = from; index < from + share; index++) {
      this.#chunks[index] = added;
      this.#ints[index] = added.ints;
    }
    const { length } = chunk.ints;
    if (scratch.length < length) scratch = new Int32Array(length);
    scratch.set(chunk.ints);
    chunk.ints.fill(0);
    this.#addAll(scratch, length);
    chunk.count = countIn(chunk.ints, this.#width, this.#words);
    added.count = countIn(added.ints, this.#width, this.#words);
  }

  /** Puts all entries of some slots to where they belong now. */
  #addAll(from: Int32Array, length: number): void {
    const width = this.#width;
    for (let read = 0; read < length; read += width) {
      if (from[read + this.#words] === 0) continue;
      const hash = this.#hashAt(from, read);
      const ints = this.#ints[this.#chunkAt(hash)] as Int32Array;
      const slot = this.#freeFrom(ints, this.#homeOf(hash));
      for (let index = 0; index < width; index++) ints[slot + index] = from[read + index] as number;
    }
  }

  #freeFrom(ints: Int32Array, home: number): number {
    let slot = home;
    while (ints[slot + this.#words] !== 0) slot = this.#next(slot);
    return slot;
  }

  #next(slot: number): number {
    const next = slot + this.#width;
    return next === this.#slots * this.#width ? 0 : next;
  }

  #isSame(ints: Int32Array, slot: number, b: number, c: number, d: number): boolean {
    if (this.#words === 1) return true;
    if (ints[slot + 1] !== b) return false;
    return this.#words === 2 || (ints[slot + 2] === c && ints[slot + 3] === d);
  }

  #hashAt(ints: Int32Array, slot: number): number {
    const word = (index: number) => (index < this.#words ? (ints[slot + index] as number) : 0);
    return this.#hashOf(word(0), word(1), word(2), word(3));
  }

  #hashOf(a: number, b: number, c: number, d: number): number {
    return this.#words === 1 ? this.#hash.ofIpv4(a) : this.#hash.ofIpv6(a, b, c, d);
  }

  /** A shift by 32 bits would be none. */
  #chunkAt(hash: number): number {
    return (hash >>> 1) >>> (31 - this.#depth);
  }

  /** Where a search in a chunk begins: the bits that the chunks do not tell. */
  #homeOf(hash: number): number {
    return ((hash ^ (hash >>> 15)) & (this.#slots - 1)) * this.#width;
  }

  #newInts(): Int32Array {
    const ints = new Int32Array(this.#slots * this.#width);
    this.#bytes += ints.byteLength;
    return ints;
  }
}

function countIn(ints: Int32Array, width: number, valueAt: number): number {
  let count = 0;
  for (let slot = 0; slot < ints.length; slot += width) if (ints[slot + valueAt] !== 0) count++;
  return count;
}
