import { randomInt } from 'node:crypto';
import type { Address } from './address.ts';

/** Slots that one hash can fall into: enough that a set is rarely full while the table is not. */
const WAYS = 8;
const FIRST_SETS = 1024;
/** How full the table may be before it is doubled. */
const FULL = 0.5;
/** Set in a slot's value when it was found since the set was last searched for room. */
const USED = 1 << 30;
/** Set in a slot's value when it may be asked anew before its time is over. */
const REFRESHABLE = 1 << 29;
const FLAGS = USED | REFRESHABLE;

/**
 * Addresses and what is known of them: a set-associative table in one Int32Array, so that a lookup is one or two cache
 * lines and an entry is 16 bytes (IPv4) or 32 (IPv6), without an object. Where there is no room, what is past its time
 * goes, else what was not used, else the oldest: a flood of strangers does not drive out those who come again.
 *
 * It grows with what is in it: 200,000 addresses in a table made for a million cost a quarter more CPU a request than in
 * one of their size, for the caches of the processor.
 */
export class AddressTable {
  readonly #width: 4 | 8;
  readonly #capacity: number;
  /** Kept secret, so that nobody can choose addresses that share a set. */
  readonly #seed = randomInt(0x7fffffff);
  #ints: Int32Array;
  /** The set is the high bits of the hash: what stays after this shift. */
  #shift = 32 - Math.log2(FIRST_SETS);
  #count = 0;

  constructor(words: 1 | 4, capacity: number) {
    this.#width = words === 1 ? 4 : 8;
    this.#capacity = capacity;
    this.#ints = new Int32Array(FIRST_SETS * WAYS * this.#width);
  }

  /** How many addresses are in it, past their time or not. */
  get size(): number {
    return this.#count;
  }

  /** Where the address stands, or -1; the other methods take this until the next `put`. */
  find(address: Address): number {
    const ints = this.#ints;
    const width = this.#width;
    const start = this.#startOf(address.a, address.b, address.c, address.d);
    const end = start + WAYS * width;
    const { a } = address;
    for (let slot = start; slot < end; slot += width) {
      if (ints[slot] === a && ints[slot + width - 1] !== 0 && (width === 4 || this.#sameRest(slot, address)))
        return slot;
    }
    return -1;
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
    const slot = found >= 0 ? found : this.#roomFor(address, now);
    const gone = this.value(slot);
    if (gone === 0) this.#count++;
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

  #roomFor(address: Address, now: number): number {
    const start = this.#startOf(address.a, address.b, address.c, address.d);
    const end = start + WAYS * this.#width;
    let empty = -1;
    let unused = -1;
    let oldest = -1;
    for (let slot = start; slot < end; slot += this.#width) {
      const value = this.#valueAndFlags(slot);
      if (value === 0) {
        empty = slot;
        break;
      }
      if (this.keptUntil(slot) <= now) return slot;
      if ((value & USED) === 0) unused = this.#older(slot, unused);
      oldest = this.#older(slot, oldest);
    }
    // Past the capacity too, where a stranger would else drive out one that comes again: there are slots enough.
    if (empty >= 0 && (this.#count < this.#capacity || unused < 0)) return empty;
    if (unused >= 0) return unused;
    for (let slot = start; slot < end; slot += this.#width)
      this.#ints[slot + this.#width - 1] = this.#valueAndFlags(slot) & ~USED;
    return oldest;
  }

  #older(slot: number, other: number): number {
    return other < 0 || this.freshUntil(slot) < this.freshUntil(other) ? slot : other;
  }

  /** Every set becomes two neighbours, so this reads and writes in order: 1 ms for 100,000 addresses. */
  #double(): void {
    const from = this.#ints;
    const width = this.#width;
    this.#ints = new Int32Array(from.length * 2);
    this.#shift--;
    for (let slot = 0; slot < from.length; slot += width) {
      if (from[slot + width - 1] === 0) continue;
      // In bounds: whole slots.
      let to = this.#startOf(
        from[slot] as number,
        from[slot + 1] as number,
        from[slot + 2] as number,
        from[slot + 3] as number,
      );
      while (this.#ints[to + width - 1] !== 0) to += width;
      for (let index = 0; index < width; index++) this.#ints[to + index] = from[slot + index] as number;
    }
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
    return (hash >>> this.#shift) * WAYS * this.#width;
  }
}
