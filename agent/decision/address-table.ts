import type { Address } from './address.ts';
import { AddressHash, type Hash } from './address-hash.ts';
import { Eviction } from './eviction.ts';
import { NetworkShares } from './network-cache-shares.ts';

const FIRST_SLOTS = 8192;
/** The load at which the table is doubled: a lookup takes three slots then, which are a cache line or two. */
const MAX_LOAD = 0.8;
/** The longest search, in slots: at that load, the longest among a million random addresses takes a third of it. */
export const MAX_PROBES = 512;
/** Set in a slot's value when it was looked up since the clock hand of the eviction passed. */
const USED = 1 << 30;
/** Set in a slot's value if it may be refreshed before it expires. */
const REFRESHABLE = 1 << 29;
const FLAGS = USED | REFRESHABLE;

/**
 * Addresses with a value each: a hash table with open addressing in one Int32Array, so that a lookup is one cache line or
 * two and an entry is 16 bytes (IPv4) or 32 (IPv6), without an object. At `capacity` it evicts an expired entry, else one
 * of a network over its share, else one that was not used, else the oldest of a few: a flood of new addresses does not
 * evict those of returning clients, and a flood from one network evicts only that network's own. In the end about half of
 * the slots are empty, and an empty slot ends every search. So does `MAX_PROBES`: an address that would be stored farther
 * away replaces one in between.
 *
 * The table grows: 200,000 addresses in a table for a million cost a quarter more CPU a request than in one of their size,
 * for the caches of the processor.
 */
export class AddressTable {
  readonly #width: 4 | 8;
  readonly #capacity: number;
  readonly #hash: Hash;
  readonly #shares: NetworkShares;
  readonly #eviction: Eviction;
  #ints: Int32Array;
  /** A search begins at the high bits of the hash: those that this shift leaves. */
  #shift = 32 - Math.log2(FIRST_SLOTS);
  #count = 0;
  #evicted = 0;

  constructor(words: 1 | 4, capacity: number, hash: Hash = new AddressHash()) {
    this.#width = words === 1 ? 4 : 8;
    this.#capacity = capacity;
    this.#hash = hash;
    this.#shares = new NetworkShares(words, capacity, hash);
    this.#eviction = new Eviction(this, this.#shares);
    this.#ints = emptySlots(FIRST_SLOTS * this.#width);
  }

  /** Integers an address. */
  get words(): 1 | 4 {
    return this.#width === 4 ? 1 : 4;
  }

  /** The number of addresses, expired ones included. */
  get size(): number {
    return this.#count;
  }

  get bytes(): number {
    return this.#ints.byteLength;
  }

  /** Addresses that were evicted before they expired. */
  get evicted(): number {
    return this.#evicted;
  }

  /** The first occupied slot from this position on, or -1; the table may have grown since the position was read. */
  nextOccupied(from: number): number {
    const ints = this.#ints;
    const width = this.#width;
    for (let slot = from; slot < ints.length; slot += width) if (ints[slot + width - 1] !== 0) return slot;
    return -1;
  }

  nextAfter(slot: number): number {
    return this.nextOccupied(this.after(slot));
  }

  after(slot: number): number {
    return slot + this.#width;
  }

  word(slot: number, index: number): number {
    return this.#ints[slot + index] as number; // slots are in bounds
  }

  copyAddress(slot: number, to: Int32Array, at: number): void {
    for (let word = 0; word < this.words; word++) to[at + word] = this.word(slot, word);
  }

  /** The slot of the address, or -1; valid until the next `put`. */
  find(address: Address): number {
    const ints = this.#ints;
    const width = this.#width;
    const { a } = address;
    let slot = this.#startOf(a, address.b, address.c, address.d);
    for (let left = MAX_PROBES; left > 0 && ints[slot + width - 1] !== 0; left--) {
      if (ints[slot] === a && (width === 4 || this.#sameRest(slot, address))) return slot;
      slot = this.#next(slot);
    }
    return -1;
  }

  /**
   * The value of an address that is fresh, or 0. Negative where it ends within `soon` ticks and may be refreshed: once, so
   * that one lookup refreshes it.
   */
  freshValue(address: Address, now: number, soon: number): number {
    const slot = this.find(address);
    if (slot < 0) return 0;
    const left = this.freshUntil(slot) - now;
    if (left <= 0) return 0;
    const value = this.value(slot);
    this.use(slot);
    if (left >= soon || !this.isRefreshable(slot)) return value;
    this.#ints[slot + this.#width - 1] = this.#valueAndFlags(slot) & ~REFRESHABLE;
    return -value;
  }

  freshUntil(slot: number): number {
    return this.#ints[slot + this.#width - 3] as number; // slots are in bounds
  }

  keptUntil(slot: number): number {
    return this.#ints[slot + this.#width - 2] as number; // slots are in bounds
  }

  value(slot: number): number {
    return this.#valueAndFlags(slot) & ~FLAGS;
  }

  use(slot: number): void {
    const value = this.#valueAndFlags(slot);
    if ((value & USED) === 0) this.#ints[slot + this.#width - 1] = value | USED;
  }

  isUsed(slot: number): boolean {
    return (this.#valueAndFlags(slot) & USED) !== 0;
  }

  unuse(slot: number): void {
    this.#ints[slot + this.#width - 1] = this.#valueAndFlags(slot) & ~USED;
  }

  isRefreshable(slot: number): boolean {
    return (this.#valueAndFlags(slot) & REFRESHABLE) !== 0;
  }

  shorten(slot: number, freshUntil: number, keptUntil: number): void {
    this.#ints[slot + this.#width - 3] = freshUntil;
    this.#ints[slot + this.#width - 2] = keptUntil;
  }

  /** Stores a value from 1 to 2^29 - 1; returns the value that it replaced or evicted, 0 for none. */
  put(
    address: Address,
    entry: { value: number; freshUntil: number; keptUntil: number; refreshable: boolean },
    now: number,
  ): number {
    const found = this.find(address);
    if (found < 0 && this.#count > (this.#ints.length / this.#width) * MAX_LOAD && this.#count < this.#capacity)
      this.#double();
    let slot = found >= 0 ? found : this.#roomFor(address, now);
    let gone = this.value(slot);
    if (gone === 0 && this.#count >= this.#capacity) {
      gone = this.#evict(this.#eviction.victimFor(address, now), now);
      slot = this.#roomFor(address, now);
    } else if (gone !== 0 && found < 0) this.#countOut(slot);
    if (found < 0) this.#countIn(address);
    const ints = this.#ints;
    const last = slot + this.#width - 1;
    ints[slot] = address.a;
    if (this.#width === 8) {
      ints[slot + 1] = address.b;
      ints[slot + 2] = address.c;
      ints[slot + 3] = address.d;
    }
    ints[last - 2] = entry.freshUntil;
    ints[last - 1] = entry.keptUntil;
    ints[last] = entry.value | (found >= 0 ? USED : 0) | (entry.refreshable ? REFRESHABLE : 0);
    return gone;
  }

  /** The slot for a new address: the first expired one of its search, else the empty one at its end. */
  #roomFor(address: Address, now: number): number {
    const start = this.#startOf(address.a, address.b, address.c, address.d);
    let slot = start;
    for (let left = MAX_PROBES; left > 0; left--, slot = this.#next(slot))
      if (this.#valueAndFlags(slot) === 0 || this.keptUntil(slot) <= now) return slot;
    this.#evicted++;
    return this.#eviction.victimFrom(start, MAX_PROBES, now);
  }

  /** Evicts an entry and returns its value; 0 if there is none. */
  evict(now: number): number {
    return this.#count === 0 ? 0 : this.#evict(this.#eviction.nextVictim(now), now);
  }

  /** Removes an address and returns its value; 0 if it is not there. */
  remove(address: Address): number {
    const slot = this.find(address);
    if (slot < 0) return 0;
    const gone = this.value(slot);
    this.#remove(slot);
    return gone;
  }

  #evict(slot: number, now: number): number {
    if (this.keptUntil(slot) > now) this.#evicted++;
    const gone = this.value(slot);
    this.#remove(slot);
    return gone;
  }

  #countIn({ a, b }: Address): void {
    this.#count++;
    this.#shares.add(a, b);
  }

  #countOut(slot: number): void {
    this.#count--;
    this.#shares.remove(this.word(slot, 0), this.word(slot, 1));
  }

  /** Empties a slot, and moves up the entries behind it whose search would otherwise end at it. */
  #remove(slot: number): void {
    this.#countOut(slot);
    const ints = this.#ints;
    const reach = MAX_PROBES * this.#width;
    let hole = slot;
    for (let next = this.#next(slot); this.#valueAndFlags(next) !== 0; next = this.#next(next)) {
      if (this.#distance(hole, next) >= reach) break; // no search begins before the hole and ends here
      if (this.#distance(this.#homeOf(ints, next), next) < this.#distance(hole, next)) continue;
      ints.copyWithin(hole, next, next + this.#width);
      hole = next;
    }
    ints[hole + this.#width - 1] = 0;
  }

  /** The distance from a slot to another, round the end. */
  #distance(from: number, to: number): number {
    return to >= from ? to - from : to - from + this.#ints.length;
  }

  #next(slot: number): number {
    const next = slot + this.#width;
    return next === this.#ints.length ? 0 : next;
  }

  /**
   * Every slot becomes two neighbours, so this reads and writes nearly in order: 2 ms for 100,000 addresses. It starts
   * behind an empty slot, so that no entry gets farther from where its search begins.
   */
  #double(): void {
    const from = this.#ints;
    const width = this.#width;
    let start = 0;
    while (from[start + width - 1] !== 0) start += width;
    this.#ints = emptySlots(from.length * 2);
    this.#shift--;
    for (let read = 0; read < from.length; read += width) {
      const slot = (start + read) % from.length;
      if (from[slot + width - 1] === 0) continue;
      let to = this.#homeOf(from, slot);
      while (this.#ints[to + width - 1] !== 0) to = this.#next(to);
      for (let index = 0; index < width; index++) this.#ints[to + index] = from[slot + index] as number; // in bounds
    }
  }

  /** Where the search for the address in this slot begins. */
  #homeOf(ints: Int32Array, slot: number): number {
    const word = (index: number) => ints[slot + index] as number; // a whole slot; IPv4 uses the first word alone
    return this.#startOf(word(0), word(1), word(2), word(3));
  }

  #valueAndFlags(slot: number): number {
    return this.#ints[slot + this.#width - 1] as number; // slots are in bounds
  }

  #sameRest(slot: number, address: Address): boolean {
    const ints = this.#ints;
    return ints[slot + 1] === address.b && ints[slot + 2] === address.c && ints[slot + 3] === address.d;
  }

  #startOf(a: number, b: number, c: number, d: number): number {
    const hash = this.#width === 4 ? this.#hash.ofIpv4(a) : this.#hash.ofIpv6(a, b, c, d);
    return (hash >>> this.#shift) * this.#width;
  }
}

/**
 * Aligned to a cache line where glibc's malloc is used, whose large blocks begin 16 bytes behind one: else half of the slots
 * of IPv6 would lie across two lines. Takes 5 to 10 % off a decision about IPv6.
 */
function emptySlots(length: number): Int32Array {
  return new Int32Array(new ArrayBuffer(length * Int32Array.BYTES_PER_ELEMENT + 64), 48, length);
}
