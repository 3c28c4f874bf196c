import { formatAddress, formatNetwork, parseAddress } from '../../contract/address.ts';

const IPV4_BYTES = 4;

/**
 * An address as four 32-bit integers, most significant first; IPv4 has only the first. The hot path reuses one object, and
 * makes neither text nor bytes of an address.
 */
export class Address {
  /** The integers in use: 1 for IPv4, 4 for IPv6, 0 for no address. */
  words: 0 | 1 | 4 = 0;
  a = 0;
  b = 0;
  c = 0;
  d = 0;
  /** The prefix length of IPv6 networks; 128 for addresses. */
  readonly ipv6Prefix: number;
  readonly #maskA: number;
  readonly #maskB: number;
  readonly #maskC: number;
  readonly #maskD: number;

  /** IPv6 addresses are read as their network of `ipv6Prefix` bits. */
  constructor(ipv6Prefix = 128) {
    this.ipv6Prefix = ipv6Prefix;
    this.#maskA = maskOf(ipv6Prefix);
    this.#maskB = maskOf(ipv6Prefix - 32);
    this.#maskC = maskOf(ipv6Prefix - 64);
    this.#maskD = maskOf(ipv6Prefix - 96);
  }

  clear(): void {
    this.words = 0;
  }

  /** A copy. */
  copy(): Address {
    const copy = new Address(this.ipv6Prefix);
    copy.words = this.words;
    copy.a = this.a;
    copy.b = this.b;
    copy.c = this.c;
    copy.d = this.d;
    return copy;
  }

  /** Reads 4 or 16 bytes in network order; IPv4-mapped IPv6 is IPv4. */
  readBytes(bytes: Uint8Array, at: number, end: number): void {
    if (end - at === IPV4_BYTES) {
      this.words = 1;
      this.a = wordAt(bytes, at);
      return;
    }
    const a = wordAt(bytes, at);
    const b = wordAt(bytes, at + 4);
    const c = wordAt(bytes, at + 8);
    const d = wordAt(bytes, at + 12);
    if (a === 0 && b === 0 && c === 0xffff) {
      this.words = 1;
      this.a = d;
      return;
    }
    this.words = 4;
    this.a = a & this.#maskA;
    this.b = b & this.#maskB;
    this.c = c & this.#maskC;
    this.d = d & this.#maskD;
  }

  /** Reads text; false if it is not an address. */
  readText(text: string): boolean {
    const bytes = parseAddress(text);
    if (bytes === undefined) return false;
    this.readBytes(bytes, 0, bytes.length);
    return true;
  }

  /** Canonical text, of the address or of the network as which it was read. */
  toString(): string {
    const bytes = Buffer.alloc(this.words * 4);
    [this.a, this.b, this.c, this.d].slice(0, this.words).forEach((word, index) => {
      bytes.writeInt32BE(word, index * 4);
    });
    return this.words === 1 ? formatAddress(bytes) : formatNetwork({ bytes, prefix: this.ipv6Prefix });
  }
}

function wordAt(bytes: Uint8Array, at: number): number {
  // In bounds: the caller has checked it.
  return (
    ((bytes[at] as number) << 24) |
    ((bytes[at + 1] as number) << 16) |
    ((bytes[at + 2] as number) << 8) |
    (bytes[at + 3] as number)
  );
}

/** The first bits of a word. */
export function maskOf(bits: number): number {
  if (bits >= 32) return -1;
  return bits <= 0 ? 0 : -1 << (32 - bits);
}
