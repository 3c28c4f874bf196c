import {
  formatNetwork,
  IPV4_PREFIXES,
  IPV6_PREFIXES,
  type Network,
  parseAddress,
  parseNetwork,
} from '../../contract/address.ts';
import { type Address, maskOf } from '../decision/address.ts';
import type { Words } from './entry-table.ts';

const IP = 'ip:';

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
    const bytes = parseAddress(text);
    const network = bytes === undefined ? parseNetwork(text) : { bytes, prefix: bytes.length * 8 };
    if (network === undefined || formatNetwork(network) !== text) return false;
    this.#take(network);
    return (this.isIpv4 ? IPV4_PREFIXES : IPV6_PREFIXES).includes(this.prefix);
  }

  /** An IPv4 address or network, as an unsigned number; false as for `read`. */
  readIpv4(address: number, prefix: number): boolean {
    [this.isIpv4, this.prefix] = [true, prefix];
    [this.a, this.b, this.c, this.d] = [address | 0, 0, 0, 0];
    return IPV4_PREFIXES.includes(prefix);
  }

  /** The network of an address. */
  readNetwork(address: Address, prefix: number): void {
    const isIpv4 = address.words === 1;
    [this.isIpv4, this.prefix, this.a] = [isIpv4, prefix, address.a & maskOf(prefix)];
    this.b = isIpv4 ? 0 : address.b & maskOf(prefix - 32);
    this.c = isIpv4 ? 0 : address.c & maskOf(prefix - 64);
    this.d = isIpv4 ? 0 : address.d & maskOf(prefix - 96);
  }

  /** Its canonical text. */
  get subject(): string {
    const bytes = Buffer.alloc(this.isIpv4 ? 4 : 16);
    for (const [index, word] of [this.a, this.b, this.c, this.d].entries())
      if (index * 4 < bytes.length) bytes.writeInt32BE(word, index * 4);
    return `${IP}${formatNetwork({ bytes, prefix: this.prefix })}`;
  }

  #take({ bytes, prefix }: Network): void {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const word = (index: number) => (index * 4 < bytes.length ? view.getInt32(index * 4) : 0);
    [this.isIpv4, this.prefix] = [bytes.length === 4, prefix];
    [this.a, this.b, this.c, this.d] = [word(0), word(1), word(2), word(3)];
  }
}
