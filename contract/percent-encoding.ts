/** For each of the 256 bytes the one it is written as, or 0 if it is percent-encoded. */
export type Spelling = Uint8Array;

/** The spelling in which bytes that match `plain` are written as themselves. */
export function spelling(plain: RegExp): Spelling {
  return Uint8Array.from({ length: 256 }, (_, byte) => (plain.test(String.fromCharCode(byte)) ? byte : 0));
}

export const PERCENT = 0x25;
const HEX = '0123456789ABCDEF';
const DIGIT = Uint8Array.from(HEX, (digit) => digit.charCodeAt(0));
/** The value of a hexadecimal digit; -1 for any other byte. */
const VALUE = Int8Array.from({ length: 256 }, (_, byte) => HEX.indexOf(String.fromCharCode(byte).toUpperCase()));

/** The byte that is percent-encoded at this percent sign; -1 if no two hexadecimal digits follow. */
export function encodedAt(octets: string, percentAt: number): number {
  if (percentAt + 2 >= octets.length) return -1;
  const high = VALUE[octets.charCodeAt(percentAt + 1)] as number; // octets are below 256
  if (high < 0) return -1;
  const low = VALUE[octets.charCodeAt(percentAt + 2)] as number;
  return low < 0 ? -1 : high * 16 + low;
}

/** Writes a byte in this spelling, in one or three bytes, and returns the position after it. */
export function write(byte: number, by: Spelling, into: Uint8Array, at: number): number {
  const plain = by[byte] as number; // 256 of them
  if (plain !== 0) {
    into[at] = plain;
    return at + 1;
  }
  into[at] = PERCENT;
  into[at + 1] = DIGIT[byte >> 4] as number; // 16 of them
  into[at + 2] = DIGIT[byte & 15] as number;
  return at + 3;
}

/** Decodes octets and writes each byte in the same spelling; undefined if the result is longer than `longest`. */
export function respelled(octets: string, by: Spelling, longest: number): string | undefined {
  const written = Buffer.allocUnsafe(longest + 3);
  let end = 0;
  for (let at = 0; at < octets.length; at++) {
    const octet = octets.charCodeAt(at);
    const encoded = octet === PERCENT ? encodedAt(octets, at) : -1;
    end = write(encoded >= 0 ? encoded : octet, by, written, end);
    if (encoded >= 0) at += 2;
    if (end > longest) return undefined;
  }
  return written.toString('latin1', 0, end);
}
