import {
  formatNetwork,
  IPV4_PREFIXES,
  IPV6_PREFIXES,
  type Network,
  parseAddress,
  parseNetwork,
} from '../../contract/address.ts';
import { type Address, maskOf } from '../decision/address.ts';
import type { Words } from './entry-chunk.ts';

const IP = 'ip:';
const IS_IPV4_PREFIX = Array.from({ length: 33 }, (_, prefix) => IPV4_PREFIXES.includes(prefix));
const IS_IPV6_PREFIX = Array.from({ length: 129 }, (_, prefix) => IPV6_PREFIXES.includes(prefix));

/** An address or network as integers, from its canonical text. One object is read again and again. */
export class AddressKey implements Words {
  isIpv4 = true;
  prefix = 32;
  a = 0;
  b = 0;
  c = 0;
  d = 0;

  /** False if it is not a subject under which an address is looked up. */
  read(subject: string): boolean {
    if (!subject.startsWith(IP)) return false;
    const text = subject.slice(IP.length);
    const network = networkOf(text);
    if (network === undefined || formatNetwork(network) !== text) return false;
    const { bytes, prefix } = network;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const word = (index: number) => (index * 4 < bytes.length ? view.getInt32(index * 4) : 0);
    this.#take(bytes.length === 4, prefix, word(0), word(1), word(2), word(3));
    return this.isLookedUp;
  }

  /** An IPv4 address or network, as a signed word. */
  readIpv4(address: number, prefix: number): void {
    this.#take(true, prefix, address, 0, 0, 0);
  }

  /** The same for IPv6. */
  readIpv6(words: Int32Array, prefix: number): void {
    const [a, b, c, d] = words as unknown as [number, number, number, number]; // there are four
    this.#take(false, prefix, a, b, c, d);
  }

  /** The network of an address. */
  readNetwork(address: Address, prefix: number): void {
    const { a, b, c, d } = address;
    if (address.words === 1) this.#take(true, prefix, a & maskOf(prefix), 0, 0, 0);
    else
      this.#take(
        false,
        prefix,
        a & maskOf(prefix),
        b & maskOf(prefix - 32),
        c & maskOf(prefix - 64),
        d & maskOf(prefix - 96),
      );
  }

  /** Its canonical text. */
  get subject(): string {
    const bytes = Buffer.alloc(this.isIpv4 ? 4 : 16);
    for (const [index, word] of [this.a, this.b, this.c, this.d].entries())
      if (index * 4 < bytes.length) bytes.writeInt32BE(word, index * 4);
    return `${IP}${formatNetwork({ bytes, prefix: this.prefix })}`;
  }

  /** Whether addresses are looked up under it: not every length is one of the contract. */
  get isLookedUp(): boolean {
    const { prefix } = this;
    return (this.isIpv4 ? IS_IPV4_PREFIX : IS_IPV6_PREFIX)[prefix] === true;
  }

  #take(isIpv4: boolean, prefix: number, a: number, b: number, c: number, d: number): void {
    this.isIpv4 = isIpv4;
    this.prefix = prefix;
    this.a = a;
    this.b = b;
    this.c = c;
    this.d = d;
  }
}

function networkOf(text: string): Network | undefined {
  const bytes = parseAddress(text);
  return bytes === undefined ? parseNetwork(text) : { bytes, prefix: bytes.length * 8 };
}
