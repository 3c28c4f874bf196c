import ipaddr from 'ipaddr.js';

/** A network as the table knows it: the address bytes with all host bits zero, and the prefix length in bits. */
export interface Network {
  readonly bytes: Uint8Array;
  readonly prefix: number;
}

/** The prefix lengths a lookup asks for, longest first; the full length stands for the address itself. */
export const IPV4_PREFIXES: readonly number[] = downFrom(32, 8);
export const IPV6_PREFIXES: readonly number[] = [128, ...downFrom(64, 16)];

/**
 * Reads an address as people and HAProxy write it: 4 or 16 bytes, or undefined.
 * Four decimal parts only (no octal, no short forms) and no zone id; IPv4-mapped IPv6 is IPv4.
 */
export function parseAddress(text: string): Uint8Array | undefined {
  if (ipaddr.IPv4.isValidFourPartDecimal(text)) return Uint8Array.from(ipaddr.IPv4.parse(text).toByteArray());
  const groups = withoutDots(text);
  if (!groups.includes(':') || groups.includes('%') || !ipaddr.IPv6.isValid(groups)) return undefined;
  return unmapped(Uint8Array.from(ipaddr.IPv6.parse(groups).toByteArray()));
}

/** Writes 4 or 16 bytes as canonical text (RFC 5952 for IPv6). An IPv4-mapped address is written as IPv4. */
export function formatAddress(bytes: Uint8Array): string {
  const plain = unmapped(bytes);
  if (plain.length === 4) return `${plain[0]}.${plain[1]}.${plain[2]}.${plain[3]}`;
  return new ipaddr.IPv6(Array.from(plain)).toRFC5952String();
}

/** Reads `ADDRESS/LENGTH`. Host bits are kept, so that the caller can tell the person what they probably meant. */
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

/** Writes a dotted tail as two groups: ipaddr.js takes octal there, and takes ::a.b.c.d for ::ffff:a.b.c.d. */
function withoutDots(text: string): string {
  const tail = text.slice(text.lastIndexOf(':') + 1);
  if (!ipaddr.IPv4.isValidFourPartDecimal(tail)) return tail.includes('.') ? '' : text;
  const hex = Buffer.from(ipaddr.IPv4.parse(tail).toByteArray()).toString('hex');
  return `${text.slice(0, -tail.length)}${hex.slice(0, 4)}:${hex.slice(4)}`;
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
