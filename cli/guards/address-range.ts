import { type Network, parseAddress, parseNetwork } from '../../contract/address.ts';

/** An address or a network in 32-bit words, so that a million of them can be compared. */
export interface Range {
  /** One for IPv4, four for IPv6. */
  readonly words: readonly number[];
  readonly prefix: number;
}

/** Reads an address or network as anybody writes it; host bits do not matter. */
export function parseRange(text: string): Range | undefined {
  const address = parseAddress(text);
  if (address !== undefined) return rangeOf({ bytes: address, prefix: address.length * 8 });
  const network = parseNetwork(text);
  return network && rangeOf(network);
}

export function rangeOf({ bytes, prefix }: Network): Range {
  return { words: wordsOf(bytes), prefix };
}

/** Whether there is an address in both. A loop: it runs for every entry of an import and everything protected. */
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

/** A shift by 32 would be one by 0. */
function maskOf(bits: number): number {
  return bits >= 32 ? -1 : -1 << (32 - bits);
}
