import type { Action } from '../../contract/actions.ts';
import { standing, standingBySpecificity } from '../../contract/precedence.ts';
import { maskOf } from '../decision/address.ts';
import type { Hash } from '../decision/address-hash.ts';
import { EntryChunk, type WordCount, type Words } from './entry-chunk.ts';
import { listOf } from './entry-value.ts';
import type { EntryLength, Finder } from './finder.ts';

/** Slots of the first chunk, which doubles until it has as many as any other. */
const FIRST_SLOTS = 16;
/** A chunk with more entries than fit is split, which takes a few milliseconds. */
const MAX_SLOTS = 65_536;
const MAX_LOAD = 0.8;

/**
 * Entries of addresses or networks of one length, in all lists: a hash table that grows chunk by chunk, so that no change
 * takes longer than a few milliseconds. The hash is keyed, so that nobody makes its searches long.
 */
export class EntryTable implements EntryLength {
  readonly isIpv4: boolean;
  readonly prefix: number;
  readonly #hash: Hash;
  readonly bySpecificity: number;
  /** No entry stands before this, with any rules; of one that is gone it may be too low. */
  least = Number.POSITIVE_INFINITY;
  readonly #words: WordCount;
  readonly maskA: number;
  readonly maskB: number;
  /** By the first bits of a hash: so many that no two chunks have the same. */
  #chunks: EntryChunk[];
  #depth = 0;
  /** That of the last slot. */
  #chunk: EntryChunk;
  #size = 0;

  /** What is added to it is in the sum of this round. */
  constructor(isIpv4: boolean, prefix: number, hash: Hash, round: number) {
    this.isIpv4 = isIpv4;
    this.prefix = prefix;
    this.#hash = hash;
    this.bySpecificity = standingBySpecificity(this.isOfAddresses ? Number.POSITIVE_INFINITY : prefix);
    this.#words = isIpv4 ? 1 : prefix <= 64 ? 2 : 4;
    this.maskA = maskOf(prefix);
    this.maskB = maskOf(prefix - 32);
    this.#chunk = new EntryChunk(this.#words, FIRST_SLOTS, 0, round);
    this.#chunks = [this.#chunk];
  }

  /** Of addresses, not of networks. */
  get isOfAddresses(): boolean {
    return this.prefix === (this.isIpv4 ? 32 : 128);
  }

  /** Slots in use. */
  get size(): number {
    return this.#size;
  }

  get bytes(): number {
    return [...new Set(this.#chunks)].reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /** Shows a search the entries of an address, or of the network that it is in. */
  search({ a, b, c, d }: Words, search: Finder): void {
    const words = this.#words;
    const ofA = a & this.maskA;
    const ofB = words === 1 ? 0 : b & this.maskB;
    const ofC = words === 4 ? c : 0;
    const ofD = words === 4 ? d : 0;
    const hash = this.#hashOf(ofA, ofB, ofC, ofD);
    this.#chunkOf(hash).search(hash, ofA, ofB, ofC, ofD, search, this);
  }

  /** Reads where a subject would be. Returns something of it, so that the read is not left out. */
  touch({ a, b, c, d }: Words): number {
    const hash = this.#hashOf(a, b, c, d);
    return this.#chunkOf(hash).touch(hash);
  }

  /** The slot of a subject in a list, or -1. Valid until the next call of a method that has no slot. */
  find({ a, b, c, d }: Words, list: number): number {
    const hash = this.#hashOf(a, b, c, d);
    const chunk = this.#chunkOf(hash);
    this.#chunk = chunk;
    let slot = chunk.next(chunk.homeOf(hash), hash, a, b, c, d);
    while (slot >= 0 && listOf(chunk.value(slot)) !== list) {
      chunk.hasSeveral = true; // as soon as this one is added
      slot = chunk.next(chunk.after(slot), hash, a, b, c, d);
    }
    return slot;
  }

  value(slot: number): number {
    return this.#chunk.value(slot);
  }

  expiry(slot: number): number {
    return this.#chunk.expiry(slot);
  }

  set(slot: number, value: number, expiry: number): void {
    this.#chunk.set(slot, value, expiry);
  }

  remove(slot: number): void {
    this.#chunk.remove(slot, this.#hashAt);
    this.#size--;
  }

  /** Adds a subject that is not there. */
  add(words: Words, value: number, expiry: number): void {
    const hash = this.#hashOf(words.a, words.b, words.c, words.d);
    let chunk = this.#chunkOf(hash);
    while (chunk.count >= chunk.slots * MAX_LOAD) {
      if (chunk.slots < MAX_SLOTS) this.#double(chunk);
      else this.#split(chunk);
      chunk = this.#chunkOf(hash);
    }
    chunk.add(hash, words, value, expiry);
    this.#chunk = chunk;
    this.#size++;
  }

  /** It has entries with this action from now on. */
  admit(action: Action): void {
    this.least = Math.min(this.least, standing(action, Number.POSITIVE_INFINITY, 0) + this.bySpecificity);
  }

  /** Whether the sum of this round has what is in the chunk of the last slot, or of what was added last. */
  isSummed(round: number): boolean {
    return this.#chunk.round === round;
  }

  /**
   * Shows each entry whose chunk is not in the sum of this round, a chunk at a time. The table may change between two of
   * them: what comes into a chunk that was shown is not shown again.
   */
  *unsummed(round: number, show: (words: Words, value: number, expiry: number) => void): Generator<void> {
    for (let at = 0; at < this.#chunks.length; at++) {
      const chunk = this.#chunks[at] as EntryChunk;
      if (chunk.round === round) continue;
      chunk.round = round;
      chunk.each(this.#hashAt, show);
      yield;
    }
  }

  /** The only chunk gets twice as many slots. */
  #double(chunk: EntryChunk): void {
    const larger = new EntryChunk(this.#words, 2 * chunk.slots, 0, chunk.round);
    larger.hasSeveral = chunk.hasSeveral;
    this.#chunks = [larger];
    chunk.moveAll(this.#hashAt, 0, larger, larger);
  }

  /** A new chunk takes the entries whose next bit is set. */
  #split(chunk: EntryChunk): void {
    if (chunk.depth === this.#depth) {
      this.#depth++;
      this.#chunks = this.#chunks.flatMap((one) => [one, one]);
    }
    chunk.depth++;
    const added = new EntryChunk(this.#words, MAX_SLOTS, chunk.depth, chunk.round);
    added.hasSeveral = chunk.hasSeveral;
    const share = 2 ** (this.#depth - chunk.depth);
    const from = this.#chunks.indexOf(chunk) + share;
    this.#chunks.fill(added, from, from + share);
    chunk.moveAll(this.#hashAt, 1 << (32 - chunk.depth), chunk, added);
  }

  /** A shift by 32 bits would be none. */
  #chunkOf(hash: number): EntryChunk {
    return this.#chunks[(hash >>> 1) >>> (31 - this.#depth)] as EntryChunk; // there is one for all first bits
  }

  readonly #hashAt = (ints: Int32Array, at: number): number => {
    const word = (index: number) => (index < this.#words ? (ints[at + index] as number) : 0);
    return this.#hashOf(word(0), word(1), word(2), word(3));
  };

  #hashOf(a: number, b: number, c: number, d: number): number {
    return this.#words === 1 ? this.#hash.ofIpv4(a) : this.#hash.ofIpv6(a, b, c, d);
  }
}
