import { parseAddress, parseNetwork } from '../contract/address.ts';

/** An address or a network in 32-bit words, so that a million of them can be compared. */
export interface Range {
  /** One for IPv4, four for IPv6. */
  readonly words: readonly number[];
  readonly prefix: number;
}

/** Reads an address or network as anybody writes it; host bits do not matter. */
export function parseRange(text: string): Range | undefined {
  const address = parseAddress(text);
  if (address !== undefined) return { words: wordsOf(address), prefix: address.length * 8 };
  const network = parseNetwork(text);
  return network && { words: wordsOf(network.bytes), prefix: network.prefix };
}

/** Reads the value of a canonical `ip` subject: 20 times faster than what takes any spelling. */
export function canonicalRange(value: string): Range {
  const slash = value.indexOf('/');
  const address = slash < 0 ? value : value.slice(0, slash);
  const words = address.includes(':') ? ipv6Words(address) : [ipv4Word(address)];
  return { words, prefix: slash < 0 ? words.length * 32 : Number(value.slice(slash + 1)) };
}

/** Whether there is an address in both. A loop: it runs for every entry of an import and everything protected. */
export function overlap(one: Range, other: Range): boolean {
  if (one.words.length !== other.words.length) return false;
  const bits = Math.min(one.prefix, other.prefix);
  for (let index = 0; index * 32 < bits; index++)
    if ((((one.words[index] ?? 0) ^ (other.words[index] ?? 0)) & maskOf(bits - index * 32)) !== 0) return false;
  return true;
}

function ipv4Word(address: string): number {
  let word = 0;
  for (const part of address.split('.')) word = (word << 8) | Number(part);
  return word;
}

function ipv6Words(address: string): number[] {
  const [head = '', tail] = address.split('::');
  const [first, last] = [groupsOf(head), groupsOf(tail ?? '')];
  const groups = [...first, ...Array<number>(8 - first.length - last.length).fill(0), ...last];
  return [0, 2, 4, 6].map((index) => ((groups[index] ?? 0) << 16) | (groups[index + 1] ?? 0));
}

function groupsOf(part: string): number[] {
  return part === '' ? [] : part.split(':').map((group) => Number.parseInt(group, 16));
}

function wordsOf(bytes: Uint8Array): number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: bytes.length / 4 }, (_, index) => view.getInt32(index * 4));
}

/** A shift by 32 would be one by 0. */
function maskOf(bits: number): number {
  return bits >= 32 ? -1 : -1 << (32 - bits);
}
