import type { Hash } from './address-hash.ts';

/**
 * Networks are counted in so many places, by their hash, so that their number does not matter. Two that share a place are
 * counted together: all others are a few in each.
 */
const PLACES = 4096;
const SHIFT = 32 - Math.log2(PLACES);
/** Of a small table, a network has its share only when it has so many. */
const MIN_SHARE = 64;

interface Width {
  /** What a network is, of the first two words of an address. */
  readonly maskA: number;
  readonly maskB: number;
  readonly share: number;
}
/** A site and its provider; `docs/decisions/0018-share-of-a-network.md` says why these. */
const WIDTHS = {
  1: [
    { maskA: 0xffffff00 | 0, maskB: 0, share: 1 / 32 }, // IPv4 /24
    { maskA: 0xffff0000 | 0, maskB: 0, share: 1 / 8 }, // IPv4 /16
  ],
  4: [
    { maskA: -1, maskB: 0xffff0000 | 0, share: 1 / 32 }, // IPv6 /48
    { maskA: -1, maskB: 0, share: 1 / 8 }, // IPv6 /32
  ],
} as const satisfies Record<1 | 4, readonly Width[]>;

/** How much of a table each network has, by the first two words of the addresses that are in it. */
export class NetworkShares {
  readonly #widths: readonly NetworksOfWidth[];

  constructor(words: 1 | 4, capacity: number, hash: Hash) {
    this.#widths = WIDTHS[words].map((width) => new NetworksOfWidth(width, capacity, hash));
  }

  add(a: number, b: number): void {
    for (const width of this.#widths) width.add(a, b);
  }

  remove(a: number, b: number): void {
    for (const width of this.#widths) width.remove(a, b);
  }

  /** The narrowest network of an address that has its share, which tells what else is in it; undefined for none. */
  spentBy(a: number, b: number): NetworksOfWidth | undefined {
    for (const width of this.#widths) if (width.isSpent(a, b)) return width;
    return undefined;
  }
}

class NetworksOfWidth {
  readonly #maskA: number;
  readonly #maskB: number;
  readonly #share: number;
  readonly #hash: Hash;
  readonly #counts = new Int32Array(PLACES);
  /** How many places have a share or more: mostly none, and then nothing needs a hash. */
  #spent = 0;

  constructor({ maskA, maskB, share }: Width, capacity: number, hash: Hash) {
    this.#maskA = maskA;
    this.#maskB = maskB;
    this.#share = Math.max(MIN_SHARE, Math.ceil(capacity * share));
    this.#hash = hash;
  }

  add(a: number, b: number): void {
    const place = this.#placeOf(a, b);
    const count = (this.#counts[place] as number) + 1; // places are in bounds
    this.#counts[place] = count;
    if (count === this.#share) this.#spent++;
  }

  remove(a: number, b: number): void {
    const place = this.#placeOf(a, b);
    const count = this.#counts[place] as number; // places are in bounds
    this.#counts[place] = count - 1;
    if (count === this.#share) this.#spent--;
  }

  isSpent(a: number, b: number): boolean {
    return this.#spent > 0 && (this.#counts[this.#placeOf(a, b)] as number) >= this.#share; // places are in bounds
  }

  /** Are two addresses in the same network? */
  isSame(a: number, b: number, otherA: number, otherB: number): boolean {
    return ((a ^ otherA) & this.#maskA) === 0 && ((b ^ otherB) & this.#maskB) === 0;
  }

  #placeOf(a: number, b: number): number {
    return this.#hash.ofNetwork(a & this.#maskA, b & this.#maskB) >>> SHIFT;
  }
}
