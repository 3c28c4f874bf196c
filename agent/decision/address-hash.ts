import { randomFillSync } from 'node:crypto';

/** One for each 16 bits of an address, and one for the sum. */
const SECRETS = 9;

export type Hash = Pick<AddressHash, 'ofIpv4' | 'ofIpv6' | 'ofNetwork'>;

/**
 * Hashes of addresses that nobody can foresee who does not know its secrets: each 16 bits times a secret of their own, added
 * up and mixed. Where a whole word is multiplied instead, its high bits reach only the high bits of the product, and the
 * next word can take them back, whatever the secret: a million addresses of one /64 shared a thousand places. Costs 7 ns
 * more than that.
 */
export class AddressHash {
  readonly #sum: number;
  readonly #aHigh: number;
  readonly #aLow: number;
  readonly #bHigh: number;
  readonly #bLow: number;
  readonly #cHigh: number;
  readonly #cLow: number;
  readonly #dHigh: number;
  readonly #dLow: number;

  constructor(secrets: Int32Array = randomFillSync(new Int32Array(SECRETS))) {
    // Odd, so that no two addresses that differ in 16 bits alone share a hash.
    const odd = (index: number) => (secrets[index] as number) | 1; // there are nine
    this.#sum = odd(0);
    [this.#aHigh, this.#aLow, this.#bHigh, this.#bLow] = [odd(1), odd(2), odd(3), odd(4)];
    [this.#cHigh, this.#cLow, this.#dHigh, this.#dLow] = [odd(5), odd(6), odd(7), odd(8)];
  }

  /** 32 bits, of which the high ones are the best. */
  ofIpv4(a: number): number {
    return mixed(this.#ofA(a));
  }

  ofIpv6(a: number, b: number, c: number, d: number): number {
    return mixed(
      this.#ofA(a) +
        (part(b >>> 16, this.#bHigh) + part(b & 0xffff, this.#bLow)) +
        (part(c >>> 16, this.#cHigh) + part(c & 0xffff, this.#cLow)) +
        (part(d >>> 16, this.#dHigh) + part(d & 0xffff, this.#dLow)),
    );
  }

  /** Of a network of at most 48 bits. */
  ofNetwork(a: number, b: number): number {
    return mixed(this.#ofA(a) + part(b >>> 16, this.#bHigh));
  }

  #ofA(a: number): number {
    return this.#sum + part(a >>> 16, this.#aHigh) + part(a & 0xffff, this.#aLow);
  }
}

/** The high bits of the product once more as low ones, which are 0 where those of the 16 bits are. */
function part(bits: number, secret: number): number {
  const product = Math.imul(bits, secret);
  return product ^ (product >>> 15);
}

/** Of sums that are at equal distances, as those of counted addresses are, the high bits would be so too. */
function mixed(sum: number): number {
  const once = Math.imul(sum ^ (sum >>> 16), 0x85ebca6b);
  return Math.imul(once ^ (once >>> 13), 0xc2b2ae35);
}
