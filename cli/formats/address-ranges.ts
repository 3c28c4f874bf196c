import {
  formatNetwork,
  IPV4_PREFIXES,
  IPV6_PREFIXES,
  masked,
  type Network,
  parseAddress,
  parseNetwork,
} from '../../contract/address.ts';
import { InvalidLineError } from './invalid-line.ts';

/** An inclusive address range within one family. */
export interface AddressRange {
  readonly first: bigint;
  readonly last: bigint;
  readonly bits: 32 | 128;
}

/** IPv6 networks between this length and single addresses are not looked up: they become their addresses. */
const NARROWEST = 64;
const WIDEST = { 32: Math.min(...IPV4_PREFIXES), 128: Math.min(...IPV6_PREFIXES) } as const;
/** The most addresses that one line becomes; a /120 has as many. */
const MAX_ADDRESSES = 256;

/**
 * The subjects of a range, or of an IPv6 network that no lookup asks for; undefined for anything else. Throws if a range is
 * invalid, or has more addresses to be listed one by one than one line may become.
 */
export function subjectsOfRange(text: string): string[] | undefined {
  const range = parseAddressRange(text) ?? narrowNetwork(text);
  if (range === undefined) return undefined;
  const parts = networksOfRange(range);
  if (parts.some(({ prefix }) => prefix < WIDEST[range.bits]))
    throw new InvalidLineError(
      `"${text}" is wider than the widest network that is looked up, a /${WIDEST[range.bits]}`,
    );
  const narrow = parts.filter((part) => isNarrow(part));
  const addresses = narrow.reduce((sum, { prefix }) => sum + 2 ** (128 - prefix), 0);
  if (addresses > MAX_ADDRESSES) throw new InvalidLineError(tooMany(text, range));
  return parts
    .flatMap((part) => (isNarrow(part) ? addressesOf(part) : [part]))
    .map((part) => `ip:${formatNetwork(part)}`);
}

function isNarrow({ bytes, prefix }: Network): boolean {
  return bytes.length === 16 && prefix > NARROWEST;
}

function addressesOf({ bytes, prefix }: Network): Network[] {
  const first = toInteger(bytes);
  return Array.from({ length: 2 ** (128 - prefix) }, (_, index) => toNetwork(first + BigInt(index), 128, 128));
}

function tooMany(text: string, { first }: AddressRange): string {
  const around = formatNetwork(masked(toNetwork(first, 128, 128).bytes, NARROWEST));
  return `"${text}" has more than ${MAX_ADDRESSES} addresses, and IPv6 is looked up as single addresses and from /${NARROWEST}: write ${around}, which is wider, or the addresses`;
}

/** Parses `203.0.113.4 - 203.0.113.9`. Returns undefined for anything else; throws for an invalid range. */
export function parseAddressRange(text: string): AddressRange | undefined {
  if (!text.includes('-')) return undefined;
  const [from, to] = text.split('-').map((part) => parseAddress(part.trim()));
  if (from === undefined || to === undefined || text.split('-').length !== 2) return undefined;
  if (from.length !== to.length) throw new InvalidLineError('mixes IPv4 and IPv6');
  const range = { first: toInteger(from), last: toInteger(to), bits: from.length === 4 ? 32 : 128 } as const;
  if (range.first > range.last) throw new InvalidLineError('ends before it begins');
  return range;
}

/** An IPv6 network that is too narrow for a lookup; one with host bits set is left to the message of its kind. */
function narrowNetwork(text: string): AddressRange | undefined {
  const network = text.includes('/') ? parseNetwork(text) : undefined;
  if (network?.bytes.length !== 16 || network.prefix <= NARROWEST || network.prefix === 128) return undefined;
  const first = toInteger(network.bytes);
  if (toInteger(masked(network.bytes, network.prefix).bytes) !== first) return undefined;
  return { first, last: first + sizeOf(128 - network.prefix) - 1n, bits: 128 };
}

/** The smallest set of networks that covers exactly this range, in order; at most two per address bit. */
export function networksOfRange({ first, last, bits }: AddressRange): Network[] {
  const networks: Network[] = [];
  for (let start = first; start <= last; ) {
    let hostBits = 0;
    while (hostBits < bits && isBegunBy(start, hostBits + 1) && start + sizeOf(hostBits + 1) - 1n <= last) hostBits++;
    networks.push(toNetwork(start, bits, bits - hostBits));
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
