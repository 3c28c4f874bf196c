import { formatAddress, parseAddress } from '../spop/address.ts';

export { formatAddress, parseAddress };

/** A network: its address bytes, and the prefix length in bits. */
export interface Network {
  readonly bytes: Uint8Array;
  readonly prefix: number;
}

/** The prefix lengths a lookup asks for, longest first; the full length stands for the address itself. */
export const IPV4_PREFIXES: readonly number[] = downFrom(32, 8);
export const IPV6_PREFIXES: readonly number[] = [128, ...downFrom(64, 16)];

/** Characters of the longest address: six groups and an IPv4 address. */
export const LONGEST_ADDRESS = 45;

/** Reads `ADDRESS/LENGTH`. Host bits are kept, so that the caller can suggest the network that was probably meant. */
export function parseNetwork(text: string): Network | undefined {
  const slash = text.indexOf('/');
  const address = text.slice(0, slash);
  const bytes = slash < 0 ? undefined : parseAddress(address);
  const length = text.slice(slash + 1);
  if (bytes === undefined || !/^(0|[1-9]\d{0,2})$/.test(length)) return undefined;
  // ::ffff:203.0.113.0/120 is 203.0.113.0/24
  const prefix = Number(length) - (bytes.length === 4 && address.includes(':') ? 96 : 0);
  return prefix < 0 || prefix > bytes.length * 8 ? undefined : { bytes, prefix };
}

/** The network that `prefix` bits of these bytes name, host bits cleared. */
export function masked(bytes: Uint8Array, prefix: number): Network {
  const network = bytes.map((byte, index) => byte & keptBits(prefix - index * 8));
  return { bytes: network, prefix };
}

/** Canonical text of a network; one address is written without its length. */
export function formatNetwork(network: Network): string {
  const address = formatAddress(network.bytes);
  return network.prefix === network.bytes.length * 8 ? address : `${address}/${network.prefix}`;
}

/** Every text under which an entry covering this address or all of this network can stand, longest prefix first. */
export function coveringNetworks({ bytes, prefix: own }: Network): string[] {
  const prefixes = bytes.length === 4 ? IPV4_PREFIXES : IPV6_PREFIXES;
  return prefixes.filter((prefix) => prefix <= own).map((prefix) => formatNetwork(masked(bytes, prefix)));
}

function keptBits(bits: number): number {
  if (bits >= 8) return 0xff;
  return bits <= 0 ? 0 : (0xff << (8 - bits)) & 0xff;
}

function downFrom(from: number, to: number): number[] {
  return Array.from({ length: from - to + 1 }, (_, index) => from - index);
}
