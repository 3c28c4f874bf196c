import { randomInt } from 'node:crypto';
import type { Address } from './address.ts';

const FIRST_SLOTS = 8192;
/** How full the table may be before it is doubled: a lookup takes three slots then, which are a cache line or two. */
const FULL = 0.8;
/** How many are compared when one of them has to go. */
const RIVALS = 8;
/** Set in a slot's value when it was found since all of its rivals had been. */
const USED = 1 << 30;
/** Set in a slot's value when it may be asked anew before its time is over. */
const REFRESHABLE = 1 << 29;
const FLAGS = USED | REFRESHABLE;

/**
 * Addresses and what is known of them: open addressing in one Int32Array, so that a lookup is one cache line or two and
 * an entry is 16 bytes (IPv4) or 32 (IPv6), without an object. Once `capacity` is reached, what is past its time goes,
 * else what was not used, else the oldest of a few: a flood of strangers does not drive out those who come again. At
 * least about half of the slots are empty, and an empty slot ends every search.
 *
 * It grows with what is in it: 200,000 addresses in a table made for a million cost a quarter more CPU a request than in
 * one of their size, for the caches of the processor.
 */
export class AddressTable {
  readonly #width: 4 | 8;
  readonly #capacity: number;
  /** Kept secret, so that nobody can choose addresses that share a place. */
  readonly #seed = randomInt(0x7fffffff);
  #ints: Int32Array;
  /** A search begins where the high bits of the hash say: what stays of it after this shift. */
  #shift = 32 - Math.log2(FIRST_SLOTS);
  #count = 0;
  /** Where the search for somebody who can go has come to. */
  #hand = 0;
  #evicted = 0;

  constructor(words: 1 | 4, capacity: number) {
    this.#width = words === 1 ? 4 : 8;
    this.#capacity = capacity;
    this.#ints = emptySlots(FIRST_SLOTS * this.#width);
  }

  /** Of how many integers its addresses are. */
  get words(): 1 | 4 {
    return this.#width === 4 ? 1 : 4;
  }

  /** How many addresses are in it, past their time or not. */
  get size(): number {
    return this.#count;
  }

  get bytes(): number {
    return this.#ints.byteLength;
  }

  /** How many went before their time to make room. */
  get evicted(): number {
    return this.#evicted;
  }

  /** The first slot in use from this one on, or -1; the table may have grown since. */
  nextUsed(from: number): number {
    const ints = this.#ints;
    const width = this.#width;
    for (let slot = from; slot < ints.length; slot += width) if (ints[slot + width - 1] !== 0) return slot;
    return -1;
  }

  nextAfter(slot: number): number {
    return this.nextUsed(slot + this.#width);
  }

  copyAddress(slot: number, to: Int32Array, at: number): void {
    for (let word = 0; word < this.words; word++) to[at + word] = this.#ints[slot + word] as number; // slots are in bounds
  }

  /** Where the address stands, or -1; the other methods take this until the next `put`. */
  find(address: Address): number {
    const ints = this.#ints;
    const width = this.#width;
    const { a } = address;
    let slot = this.#startOf(a, address.b, address.c, address.d);
    while (ints[slot + width - 1] !== 0) {
      if (ints[slot] === a && (width === 4 || this.#sameRest(slot, address))) return slot;
      slot = this.#next(slot);
    }
    return -1;
  }

  /** The value of an address that is fresh, or 0; also 0 for one that ends within `soon` ticks and may be asked anew. */
  freshValue(address: Address, now: number, soon: number): number {
    const slot = this.find(address);
    if (slot < 0) return 0;
    const left = this.freshUntil(slot) - now;
    if (left <= 0 || (left < soon && this.isRefreshable(slot))) return 0;
    this.use(slot);
    return this.value(slot);
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

  /** Notes that this one is wanted. */
  use(slot: number): void {
    const value = this.#valueAndFlags(slot);
    if ((value & USED) === 0) this.#ints[slot + this.#width - 1] = value | USED;
  }

  isRefreshable(slot: number): boolean {
    return (this.#valueAndFlags(slot) & REFRESHABLE) !== 0;
  }

  /** Notes that it is being asked anew, which happens once. */
  refresh(slot: number): void {
    this.#ints[slot + this.#width - 1] = this.#valueAndFlags(slot) & ~REFRESHABLE;
  }

  /** Puts what is known (`value` from 1 to 2^29 - 1) under an address; returns the value that went for it, 0 for none. */
  put(
    address: Address,
    known: { value: number; freshUntil: number; keptUntil: number; refreshable: boolean },
    now: number,
  ): number {
    const found = this.find(address);
    if (found < 0 && this.#count > (this.#ints.length / this.#width) * FULL && this.#count < this.#capacity)
      this.#double();
    let slot = found >= 0 ? found : this.#roomFor(address, now);
    let gone = this.value(slot);
    if (gone === 0 && this.#count >= this.#capacity) {
      gone = this.#makeRoom(now);
      slot = this.#roomFor(address, now);
    } else if (gone === 0) this.#count++;
    const ints = this.#ints;
    const last = slot + this.#width - 1;
    ints[slot] = address.a;
    if (this.#width === 8) {
      ints[slot + 1] = address.b;
      ints[slot + 2] = address.c;
      ints[slot + 3] = address.d;
    }
    ints[last - 2] = known.freshUntil;
    ints[last - 1] = known.keptUntil;
    ints[last] = known.value | (found >= 0 ? USED : 0) | (known.refreshable ? REFRESHABLE : 0);
    return gone;
  }

  /** A slot for a new address: of one on the way that is past its time, else the empty one where the search ends. */
  #roomFor(address: Address, now: number): number {
    let slot = this.#startOf(address.a, address.b, address.c, address.d);
    while (this.#valueAndFlags(slot) !== 0 && this.keptUntil(slot) > now) slot = this.#next(slot);
    return slot;
  }

  /** Forgets one that can best be spared and returns its value; 0 if there is none. */
  evict(now: number): number {
    if (this.#count === 0) return 0;
    this.#count--;
    return this.#makeRoom(now);
  }

  /** Forgets this one and returns its value; 0 if it is not there. */
  remove(address: Address): number {
    const slot = this.find(address);
    if (slot < 0) return 0;
    const gone = this.value(slot);
    this.#count--;
    this.#remove(slot);
    return gone;
  }

  /** Takes one out of the next few, in a round through the whole table, and returns its value. */
  #makeRoom(now: number): number {
    const rivals = Math.min(RIVALS, this.#count);
    const start = this.#hand;
    let over = -1;
    let unused = -1;
    let oldest = -1;
    for (let seen = 0; seen < rivals && over < 0; this.#hand = this.#next(this.#hand)) {
      const slot = this.#hand;
      const value = this.#valueAndFlags(slot);
      if (value === 0) continue;
      seen++;
      if (this.keptUntil(slot) <= now) over = slot;
      if ((value & USED) === 0) unused = this.#older(slot, unused);
      oldest = this.#older(slot, oldest);
    }
    if (over < 0) this.#evicted++;
    if (over < 0 && unused < 0)
      for (let slot = start; slot !== this.#hand; slot = this.#next(slot))
        this.#ints[slot + this.#width - 1] = this.#valueAndFlags(slot) & ~USED;
    const slot = over >= 0 ? over : unused >= 0 ? unused : oldest;
    const gone = this.value(slot);
    this.#remove(slot);
    return gone;
  }

  /** Empties a slot, and moves those behind it up whose search would now end before them. */
  #remove(slot: number): void {
    const ints = this.#ints;
    let hole = slot;
    for (let next = this.#next(slot); this.#valueAndFlags(next) !== 0; next = this.#next(next)) {
      if (this.#distance(this.#homeOf(ints, next), next) < this.#distance(hole, next)) continue;
      ints.copyWithin(hole, next, next + this.#width);
      hole = next;
    }
    ints[hole + this.#width - 1] = 0;
  }

  /** How far one has to go from a slot to another, round the end. */
  #distance(from: number, to: number): number {
    return to >= from ? to - from : to - from + this.#ints.length;
  }

  #next(slot: number): number {
    const next = slot + this.#width;
    return next === this.#ints.length ? 0 : next;
  }

  #older(slot: number, other: number): number {
    return other < 0 || this.freshUntil(slot) < this.freshUntil(other) ? slot : other;
  }

  /** Every place becomes two neighbours, so this reads and writes nearly in order: 2 ms for 100,000 addresses. */
  #double(): void {
    const from = this.#ints;
    const width = this.#width;
    this.#ints = emptySlots(from.length * 2);
    this.#shift--;
    for (let slot = 0; slot < from.length; slot += width) {
      if (from[slot + width - 1] === 0) continue;
      let to = this.#homeOf(from, slot);
      while (this.#ints[to + width - 1] !== 0) to = this.#next(to);
      for (let index = 0; index < width; index++) this.#ints[to + index] = from[slot + index] as number; // in bounds
    }
  }

  /** Where the search for the address in this slot begins. */
  #homeOf(ints: Int32Array, slot: number): number {
    // A whole slot; what is no address in an IPv4 one does not count.
    const [a, b, c, d] = [ints[slot], ints[slot + 1], ints[slot + 2], ints[slot + 3]] as [
      number,
      number,
      number,
      number,
    ];
    return this.#startOf(a, b, c, d);
  }

  #valueAndFlags(slot: number): number {
    return this.#ints[slot + this.#width - 1] as number; // slots are in bounds
  }

  #sameRest(slot: number, address: Address): boolean {
    const ints = this.#ints;
    return ints[slot + 1] === address.b && ints[slot + 2] === address.c && ints[slot + 3] === address.d;
  }

  #startOf(a: number, b: number, c: number, d: number): number {
    let hash = Math.imul(a ^ this.#seed, 0x9e3779b1);
    if (this.#width === 8) {
      hash = Math.imul(hash ^ (hash >>> 15) ^ b, 0x85ebca6b);
      hash = Math.imul(hash ^ (hash >>> 13) ^ c, 0xc2b2ae35);
      hash = Math.imul(hash ^ (hash >>> 16) ^ d, 0x27d4eb2f);
    }
    hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
    return (hash >>> this.#shift) * this.#width;
  }
}

/**
 * So many integers, from the beginning of a cache line on where the memory itself begins 16 bytes behind one, as large
 * pieces do with glibc: half of the slots of IPv6 would lie across two lines. Takes 5 to 10 % off a decision about IPv6.
 */
function emptySlots(length: number): Int32Array {
  return new Int32Array(new ArrayBuffer(length * Int32Array.BYTES_PER_ELEMENT + 64), 48, length);
}
