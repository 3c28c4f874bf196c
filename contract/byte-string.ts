import { isUtf8 } from 'node:buffer';

/** Bytes as a string with one character for each, so that values of requests are compared byte by byte. */
export function octetsOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
}

/** The UTF-8 bytes of a text, in the same form. */
export function octetsOfText(text: string): string {
  return isAscii(text) ? text : Buffer.from(text.toWellFormed()).toString('latin1');
}

/** Octets decoded as UTF-8; undefined if they are not valid UTF-8. */
export function textOfOctets(octets: string): string | undefined {
  if (isAscii(octets)) return octets;
  const bytes = Buffer.from(octets, 'latin1');
  return isUtf8(bytes) ? bytes.toString() : undefined;
}

/** Whether there are blanks at either end, which some servers strip. U+0085 is a blank to Python and Go, U+FEFF to none. */
export function hasBlankEnds(octets: string): boolean {
  const bytes = Buffer.from(octets, 'latin1');
  const encoding = isUtf8(bytes) ? 'utf8' : 'latin1';
  const [first = ''] = bytes.toString(encoding, 0, LONGEST_BLANK);
  const last = bytes.toString(encoding, Math.max(0, bytes.length - LONGEST_BLANK)).at(-1) ?? '';
  return BLANK.test(first) || BLANK.test(last);
}

const BLANK = /(?!\ufeff)[\s\x85]/;
const LONGEST_BLANK = 3;

export function isAscii(text: string): boolean {
  return /^\p{ASCII}*$/u.test(text);
}
