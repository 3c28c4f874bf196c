import ipaddr from 'ipaddr.js';

/** A network: its address bytes, and the prefix length in bits. */
export interface Network {
  readonly bytes: Uint8Array;
  readonly prefix: number;
}

const FOUR_PARTS = /^(0|[1-9]\d{0,2})(\.(0|[1-9]\d{0,2})){3}$/;
const GROUP = /^[0-9a-f]{1,4}$/i;

/** The prefix lengths a lookup asks for, longest first; the full length stands for the address itself. */
export const IPV4_PREFIXES: readonly number[] = downFrom(32, 8);
export const IPV6_PREFIXES: readonly number[] = [128, ...downFrom(64, 16)];

/** Characters of the longest address: six groups and an IPv4 address. */
export const LONGEST_ADDRESS = 45;

/**
 * Reads an address as people and HAProxy write it: 4 or 16 bytes, or undefined.
 * Accepts four decimal parts only (no octal, no short forms) and no zone id; IPv4-mapped IPv6 is IPv4. ipaddr.js would
 * take 163 µs for a line of a feed that is not an address, because it throws internally; this takes 0.5 µs.
 */
export function parseAddress(text: string): Uint8Array | undefined {
  if (!text.includes(':')) return fourParts(text);
  const groups = eightGroups(text);
  return groups && unmapped(groups);
}

/** Writes 4 or 16 bytes as canonical text (RFC 5952 for IPv6). An IPv4-mapped address is written as IPv4. */
export function formatAddress(bytes: Uint8Array): string {
  const plain = unmapped(bytes);
  if (plain.length === 4) return `${plain[0]}.${plain[1]}.${plain[2]}.${plain[3]}`;
  return new ipaddr.IPv6(Array.from(plain)).toRFC5952String();
}

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

function fourParts(text: string): Uint8Array | undefined {
  if (!FOUR_PARTS.test(text)) return undefined;
  const parts = text.split('.').map(Number);
  return parts.every((part) => part <= 255) ? Uint8Array.from(parts) : undefined;
}

/** RFC 4291 2.2: eight groups, of which `::` stands for one or more that are zero; the last two may be IPv4. */
function eightGroups(text: string): Uint8Array | undefined {
  const [head = '', tail, more] = text.split('::');
  const before = bytesOfGroups(head, tail === undefined);
  const after = tail === undefined ? [] : bytesOfGroups(tail, true);
  if (more !== undefined || before === undefined || after === undefined) return undefined;
  const zeros = 16 - before.length - after.length;
  if (tail === undefined ? zeros !== 0 : zeros < 2) return undefined;
  return Uint8Array.from([...before, ...new Array<number>(zeros).fill(0), ...after]);
}

/** The groups between the colons, none for an empty text; undefined if one is invalid. */
function bytesOfGroups(text: string, mayEndInIpv4: boolean): number[] | undefined {
  if (text === '') return [];
  const bytes: number[] = [];
  const groups = text.split(':');
  for (const [index, group] of groups.entries()) {
    if (GROUP.test(group)) bytes.push(Number.parseInt(group, 16) >> 8, Number.parseInt(group, 16) & 0xff);
    else {
      const ipv4 = mayEndInIpv4 && index === groups.length - 1 ? fourParts(group) : undefined;
      if (ipv4 === undefined) return undefined;
      bytes.push(...ipv4);
    }
  }
  return bytes;
}

/** ::ffff:a.b.c.d is how HAProxy reports an IPv4 client on a v6 socket bound `v4v6` (seen on 2.4 to 3.5). */
function unmapped(bytes: Uint8Array): Uint8Array {
  if (bytes.length !== 16 || bytes[10] !== 0xff || bytes[11] !== 0xff) return bytes;
  for (let index = 0; index < 10; index++) if (bytes[index] !== 0) return bytes;
  return bytes.subarray(12);
}

function keptBits(bits: number): number {
  if (bits >= 8) return 0xff;
  return bits <= 0 ? 0 : (0xff << (8 - bits)) & 0xff;
}

function downFrom(from: number, to: number): number[] {
  return Array.from({ length: from - to + 1 }, (_, index) => from - index);
}
