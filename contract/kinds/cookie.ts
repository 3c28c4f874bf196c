import { octetsOf, octetsOfText } from '../byte-string.ts';
import { respelled, spelling } from '../percent-encoding.ts';
import { type Kind, MAX_SUBJECT_BYTES, SubjectError } from './kind.ts';

/** Cookies of one name in one header: servers use the first or the last of them, so all are looked up. */
export const MAX_COOKIES_OF_A_NAME = 4;

/** Characters that are not percent-encoded in a value: visible ASCII but for the quote and the percent sign. */
const PLAIN = /[!#$&-~]/;
/** A blank is `+` too: PHP and others read it so (application/x-www-form-urlencoded). */
const SPELLING = spelling(PLAIN).with(0x20, 0x2b);

const LONGEST = 3 * MAX_SUBJECT_BYTES + '""'.length;

/** Values of cookies, without the quotes and the percent-encoding that servers remove. */
export const COOKIE: Kind = {
  isClientChosen: true,
  maxBytes: LONGEST,
  tooLong: (octets) => (withoutQuotes(octets) === undefined ? undefined : null),
  canonicalizeEntry: (text) => {
    const octets = octetsOfText(text);
    const value = withoutSpelling(octets, 3 * octets.length);
    if (value === undefined)
      throw new SubjectError(
        'the value of a cookie must have no quotes, or one at either end with no " or \\ between them',
      );
    if (value === '') throw new SubjectError('the value of a cookie is empty: write the text between the quotes');
    return value;
  },
  canonicalizeTraffic: (octets) => withoutSpelling(octets, MAX_SUBJECT_BYTES),
};

/** The canonical value; empty if it is longer than `longest`, undefined if the quotes are invalid. */
function withoutSpelling(octets: string, longest: number): string | undefined {
  const value = withoutQuotes(octets);
  return value === undefined ? undefined : (respelled(value, SPELLING, longest) ?? '');
}

/** Undefined if one quote is missing, or if servers read the text between the quotes in different ways. */
function withoutQuotes(value: string): string | undefined {
  if (!value.startsWith('"') && !value.endsWith('"')) return value;
  return /^"([^"\\]*)"$/.exec(value)?.[1];
}

/**
 * The values that any server reads under a name in a Cookie header, each once; undefined if the name occurs too often.
 * Cookies are separated by `;` (RFC 6265), for older servers also by `,` (RFC 2109), for some Python servers also by
 * blanks. Takes linear time, and little of it for any 16 kB: the regular expression engine does the search
 * (bench/hostile.ts).
 */
export function cookieValues(header: Uint8Array, name: string): readonly Uint8Array[] | undefined {
  const octets = octetsOf(header);
  const usual: string[] = [];
  const others: [string[], string[]] = [[], []];
  let found = 0;
  const { encoded, plain } = findersOf(name);
  for (const { 0: all, 1: begin = '', index: at } of octets.matchAll(octets.includes('%') ? encoded : plain)) {
    if (++found > MAX_FOUND) return undefined;
    const from = at + all.length;
    const index = from - '='.length - begin.length;
    const [before, comma] = [octets.lastIndexOf(';', index), octets.lastIndexOf(',', index)];
    const value = octets.slice(from, endOf(octets, ';', from));
    const first = value.slice(0, endOf(value, ',', 0));
    if (isBlank(octets.slice(before + 1, index))) keep(usual, value);
    if (isBlank(octets.slice(Math.max(before, comma) + 1, index))) keep(others[0], first);
    if (!/\s/.test(begin)) keep(others[1], first.split(/\s/, 1)[0] ?? '');
  }
  if ([usual, ...others].some(({ length }) => length > MAX_COOKIES_OF_A_NAME)) return undefined;
  // part of a quoted value is not a value
  const parts = others.flat().filter((value) => withoutQuotes(value) !== undefined);
  return [...new Set([...usual, ...parts])].map((value) => Buffer.from(value, 'latin1'));
}

/** Cookies of one name in all readings together, with empty values. */
const MAX_FOUND = 3 * MAX_COOKIES_OF_A_NAME;

function keep(values: string[], value: string): void {
  const trimmed = value.trim();
  if (trimmed === '') return;
  const isQuoted = trimmed.startsWith('"') || trimmed.endsWith('"');
  values.push(isQuoted ? trimmed : trimmed.slice(0, LONGEST + 1)); // too long for an entry, like the whole value
}

function isBlank(text: string): boolean {
  return text.trim() === '';
}

function endOf(text: string, separator: string, from: number): number {
  const at = text.indexOf(separator, from);
  return at < 0 ? text.length : at;
}

interface Finders {
  readonly encoded: RegExp;
  /** Takes half the time, for a header without percent signs. */
  readonly plain: RegExp;
}

/** The patterns that find where a cookie of this name may begin. Names come from the configuration, so all are kept. */
function findersOf(name: string): Finders {
  const known = FINDERS.get(name);
  if (known !== undefined) return known;
  const decoded = name.replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  const spellings = Array.from(decoded, (octet, at) => spellingsOf(octet, at > 0 && at < decoded.length - 1));
  const finder = (octets: readonly string[]) => new RegExp(`(?:^|[;,\\s])(${octets.join('')}\\s*)=`, 'g');
  const finders = {
    encoded: finder(spellings.map(({ plain, encoded }) => `(?:${plain}|${encoded})`)),
    plain: finder(spellings.map(({ plain }) => plain)),
  };
  FINDERS.set(name, finders);
  return finders;
}

const FINDERS = new Map<string, Finders>();

/** The octets that some server reads as this one: in any case (ASP.NET), percent-encoded (Perl), with `_` for `.` (PHP). */
function spellingsOf(octet: string, isInside: boolean): Record<keyof Finders, string> {
  const same = OCTETS.filter((other) => folded(other) === folded(octet)).map((other) => hexOf(other));
  const plain = same.filter((hex) => isInside || hex !== BLANK).map((hex) => `\\x${hex}`);
  const encoded = same.map((hex) => `%${hex.replace(/[a-f]/g, (digit) => `[${digit}${digit.toUpperCase()}]`)}`);
  return { plain: `[${plain.join('')}]`, encoded: encoded.join('|') };
}

const OCTETS = Array.from({ length: 256 }, (_, byte) => String.fromCharCode(byte));
const BLANK = '20'; // stripped from both ends

function folded(octet: string): string {
  return /[._+ ]/.test(octet) ? '_' : octet.replace(/[A-Z]/, (letter) => letter.toLowerCase());
}

function hexOf(octet: string): string {
  return octet.charCodeAt(0).toString(16).padStart(2, '0');
}
