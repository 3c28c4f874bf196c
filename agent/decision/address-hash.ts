import { randomFillSync } from 'node:crypto';

/** One for each 16 bits of an address, and one to start the sum with. */
const SECRETS = 9;

export type Hash = Pick<AddressHash, 'ofIpv4' | 'ofIpv6' | 'ofNetwork'>;

/**
 * Keyed hashes, unpredictable without the secrets: each 16 bits of the address times a secret of their own, added up and
 * mixed. If whole words were multiplied, their high bits would only reach the high bits of the product, where the next word
 * can cancel them whatever the secret: a million addresses of one /64 shared a thousand hashes. Costs 7 ns more than that.
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
    // Odd, so that two addresses that differ in 16 bits alone never share a hash.
    const odd = (index: number) => (secrets[index] as number) | 1; // there are nine
    this.#sum = odd(0);
    [this.#aHigh, this.#aLow, this.#bHigh, this.#bLow] = [odd(1), odd(2), odd(3), odd(4)];
    [this.#cHigh, this.#cLow, this.#dHigh, this.#dLow] = [odd(5), odd(6), odd(7), odd(8)];
  }

  /** 32 bits, of which the high ones are mixed best. */
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

  /** The hash of a network of at most 48 bits. */
  ofNetwork(a: number, b: number): number {
    return mixed(this.#ofA(a) + part(b >>> 16, this.#bHigh));
  }

  #ofA(a: number): number {
    return this.#sum + part(a >>> 16, this.#aHigh) + part(a & 0xffff, this.#aLow);
  }
}

/** Adds the high bits of the product to its low ones, which are 0 where those of `bits` are. */
function part(bits: number, secret: number): number {
  const product = Math.imul(bits, secret);
  return product ^ (product >>> 15);
}

/** Without this, consecutive addresses would have evenly spaced hashes. */
function mixed(sum: number): number {
  const once = Math.imul(sum ^ (sum >>> 16), 0x85ebca6b);
  return Math.imul(once ^ (once >>> 13), 0xc2b2ae35);
}
