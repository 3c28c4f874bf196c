import { type Network, parseAddress, parseNetwork } from '../../contract/address.ts';

/** An address or network as 32-bit words, so that a million of them can be compared fast. */
export interface Range {
  /** One for IPv4, four for IPv6. */
  readonly words: readonly number[];
  readonly prefix: number;
}

/** Parses an address or network in any usual notation; ignores host bits. */
export function parseRange(text: string): Range | undefined {
  const address = parseAddress(text);
  if (address !== undefined) return rangeOf({ bytes: address, prefix: address.length * 8 });
  const network = parseNetwork(text);
  return network && rangeOf(network);
}

export function rangeOf({ bytes, prefix }: Network): Range {
  return { words: wordsOf(bytes), prefix };
}

/** Whether two ranges overlap. A plain loop, since it runs for every entry of an import and every protected range. */
export function overlap(one: Range, other: Range): boolean {
  if (one.words.length !== other.words.length) return false;
  const bits = Math.min(one.prefix, other.prefix);
  for (let index = 0; index * 32 < bits; index++)
    if ((((one.words[index] ?? 0) ^ (other.words[index] ?? 0)) & maskOf(bits - index * 32)) !== 0) return false;
  return true;
}

function wordsOf(bytes: Uint8Array): number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: bytes.length / 4 }, (_, index) => view.getInt32(index * 4));
}

/** The mask of so many bits. JavaScript shifts modulo 32, so 0 bits are a case of its own. */
function maskOf(bits: number): number {
  return bits >= 32 ? -1 : -1 << (32 - bits);
}
