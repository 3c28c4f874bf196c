import type { Hash } from './address-hash.ts';

/** Networks are counted in buckets, by their hash, so that any number of them takes the same memory. Collisions add up. */
const BUCKETS = 4096;
const SHIFT = 32 - Math.log2(BUCKETS);
/** The smallest share, in entries: a network may have this many in a small table. */
const MIN_SHARE = 64;

interface PrefixLength {
  /** The network within the first two words of an address. */
  readonly maskA: number;
  readonly maskB: number;
  readonly share: number;
}
/** The networks of a site and of its provider: docs/decisions/0018-share-of-a-network.md. */
const PREFIX_LENGTHS = {
  1: [
    { maskA: 0xffffff00 | 0, maskB: 0, share: 1 / 32 }, // IPv4 /24
    { maskA: 0xffff0000 | 0, maskB: 0, share: 1 / 8 }, // IPv4 /16
  ],
  4: [
    { maskA: -1, maskB: 0xffff0000 | 0, share: 1 / 32 }, // IPv6 /48
    { maskA: -1, maskB: 0, share: 1 / 8 }, // IPv6 /32
  ],
} as const satisfies Record<1 | 4, readonly PrefixLength[]>;

/** Counts the entries of each network in a table, by the first two words of their addresses. */
export class NetworkShares {
  readonly #lengths: readonly NetworksOfLength[];

  constructor(words: 1 | 4, capacity: number, hash: Hash) {
    this.#lengths = PREFIX_LENGTHS[words].map((length) => new NetworksOfLength(length, capacity, hash));
  }

  add(a: number, b: number): void {
    for (const length of this.#lengths) length.add(a, b);
  }

  remove(a: number, b: number): void {
    for (const length of this.#lengths) length.remove(a, b);
  }

  /** The smallest network of an address that is over its share; undefined if there is none. */
  networkOverShare(a: number, b: number): NetworksOfLength | undefined {
    for (const length of this.#lengths) if (length.isOverShare(a, b)) return length;
    return undefined;
  }
}

class NetworksOfLength {
  readonly #maskA: number;
  readonly #maskB: number;
  readonly #share: number;
  readonly #hash: Hash;
  readonly #counts = new Int32Array(BUCKETS);
  /** Buckets with a share or more: mostly none, and then no hash is needed. */
  #bucketsOverShare = 0;

  constructor({ maskA, maskB, share }: PrefixLength, capacity: number, hash: Hash) {
    this.#maskA = maskA;
    this.#maskB = maskB;
    this.#share = Math.max(MIN_SHARE, Math.ceil(capacity * share));
    this.#hash = hash;
  }

  add(a: number, b: number): void {
    const bucket = this.#bucketOf(a, b);
    const count = (this.#counts[bucket] as number) + 1; // buckets are in bounds
    this.#counts[bucket] = count;
    if (count === this.#share) this.#bucketsOverShare++;
  }

  remove(a: number, b: number): void {
    const bucket = this.#bucketOf(a, b);
    const count = this.#counts[bucket] as number; // buckets are in bounds
    this.#counts[bucket] = count - 1;
    if (count === this.#share) this.#bucketsOverShare--;
  }

  isOverShare(a: number, b: number): boolean {
    return this.#bucketsOverShare > 0 && (this.#counts[this.#bucketOf(a, b)] as number) >= this.#share; // buckets are in bounds
  }

  isSame(a: number, b: number, otherA: number, otherB: number): boolean {
    return ((a ^ otherA) & this.#maskA) === 0 && ((b ^ otherB) & this.#maskB) === 0;
  }

  #bucketOf(a: number, b: number): number {
    return this.#hash.ofNetwork(a & this.#maskA, b & this.#maskB) >>> SHIFT;
  }
}
