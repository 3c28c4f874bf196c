const FOUR_PARTS = /^(0|[1-9]\d{0,2})(\.(0|[1-9]\d{0,2})){3}$/;
const GROUP = /^[0-9a-f]{1,4}$/i;
const GROUPS = 8;

/**
 * Reads an address as people and HAProxy write it: 4 or 16 bytes, or undefined.
 * Accepts four decimal parts only (no octal, no short forms) and no zone id; IPv4-mapped IPv6 is IPv4.
 *
 * @example
 * ```ts
 * import assert from 'node:assert/strict';
 * import { parseAddress } from 'haverdict-spop';
 *
 * assert.deepEqual(parseAddress('203.0.113.7'), Uint8Array.of(203, 0, 113, 7));
 * assert.deepEqual(parseAddress('::ffff:203.0.113.7'), Uint8Array.of(203, 0, 113, 7));
 * assert.equal(parseAddress('203.0.113.256'), undefined);
 * ```
 */
export function parseAddress(text: string): Uint8Array | undefined {
  if (!text.includes(':')) return fourParts(text);
  const bytes = eightGroups(text);
  return bytes && unmapped(bytes);
}

/**
 * Writes 4 or 16 bytes as canonical text (RFC 5952 for IPv6). An IPv4-mapped address is written as IPv4. Throws a
 * `TypeError` for any other number of bytes.
 *
 * @example
 * ```ts
 * import assert from 'node:assert/strict';
 * import { formatAddress } from 'haverdict-spop';
 *
 * assert.equal(formatAddress(Uint8Array.of(203, 0, 113, 7)), '203.0.113.7');
 * assert.equal(formatAddress(Uint8Array.of(0x20, 1, 0xd, 0xb8, ...new Array(11).fill(0), 1)), '2001:db8::1');
 * ```
 */
export function formatAddress(bytes: Uint8Array): string {
  if (bytes.length !== 4 && bytes.length !== 16)
    throw new TypeError(`an address has 4 or 16 bytes, not ${bytes.length}`);
  const plain = unmapped(bytes);
  if (plain.length === 4) return `${plain[0]}.${plain[1]}.${plain[2]}.${plain[3]}`;
  const groups = Array.from(
    { length: GROUPS },
    (_, index) => ((plain[index * 2] as number) << 8) | (plain[index * 2 + 1] as number), // in bounds
  );
  const { from, to } = longestZeros(groups);
  const hex = (some: readonly number[]) => some.map((group) => group.toString(16)).join(':');
  return to === from ? hex(groups) : `${hex(groups.slice(0, from))}::${hex(groups.slice(to))}`;
}

/** RFC 5952 4.2: the longest run of two or more zero groups is `::`, the first of equally long ones. */
function longestZeros(groups: readonly number[]): { readonly from: number; readonly to: number } {
  let longest = { from: 0, to: 0 };
  for (let index = 0, run = 0; index < GROUPS; index++) {
    run = groups[index] === 0 ? run + 1 : 0;
    if (run > Math.max(1, longest.to - longest.from)) longest = { from: index - run + 1, to: index + 1 };
  }
  return longest;
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
