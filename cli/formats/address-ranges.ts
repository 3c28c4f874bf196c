import { formatNetwork, type Network, parseAddress } from '../../contract/address.ts';
import { InvalidLineError } from './invalid-line.ts';

/** An inclusive address range within one family. */
export interface AddressRange {
  readonly first: bigint;
  readonly last: bigint;
  readonly bits: 32 | 128;
}

/** Parses `203.0.113.4 - 203.0.113.9`. Returns undefined for anything else; throws for an invalid range. */
export function parseAddressRange(text: string): AddressRange | undefined {
  const [from, to] = text.split('-').map((part) => parseAddress(part.trim()));
  if (from === undefined || to === undefined || text.split('-').length !== 2) return undefined;
  if (from.length !== to.length) throw new InvalidLineError('mixes IPv4 and IPv6');
  const range = { first: toInteger(from), last: toInteger(to), bits: from.length === 4 ? 32 : 128 } as const;
  if (range.first > range.last) throw new InvalidLineError('ends before it begins');
  return range;
}

/** The smallest set of networks that covers exactly this range, in order; at most two per address bit. */
export function networksOfRange({ first, last, bits }: AddressRange): string[] {
  const networks: string[] = [];
  for (let start = first; start <= last; ) {
    let hostBits = 0;
    while (hostBits < bits && isBegunBy(start, hostBits + 1) && start + sizeOf(hostBits + 1) - 1n <= last) hostBits++;
    networks.push(formatNetwork(toNetwork(start, bits, bits - hostBits)));
    start += sizeOf(hostBits);
  }
  return networks;
}

function isBegunBy(address: bigint, hostBits: number): boolean {
  return address % sizeOf(hostBits) === 0n;
}

function sizeOf(hostBits: number): bigint {
  return 1n << BigInt(hostBits);
}

function toInteger(bytes: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(bytes).toString('hex')}`);
}

function toNetwork(address: bigint, bits: number, prefix: number): Network {
  return { bytes: Uint8Array.from(Buffer.from(address.toString(16).padStart(bits / 4, '0'), 'hex')), prefix };
}
