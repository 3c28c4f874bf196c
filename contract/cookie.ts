import { type Kind, SubjectError } from './kind.ts';
import { encodings, octetsOf, octetsOfText, respelled } from './octets.ts';

/** Of one name in one Cookie header; a server takes the first or the last of them, so all are asked about. */
export const MAX_COOKIES_OF_A_NAME = 4;

/** What stands for itself in a value: visible ASCII but for the quote and the percent sign. */
const PLAIN = /[!#$&-~]/;
const ENCODED_OR_NOT_PLAIN = /%[0-9A-Fa-f]{2}|[^!#$&-~]/g;
/** A blank is `+` too: PHP and others read it so (application/x-www-form-urlencoded). */
const ENCODING = encodings(PLAIN).with(0x20, '+');

/** Values of cookies, without the quotes and the percent-encoding that servers take off. */
export const COOKIE: Kind = {
  written: (text) => {
    const value = withoutSpelling(octetsOfText(text));
    if (value === undefined)
      throw new SubjectError(
        'the value of a cookie must have no quotes, or one at either end with no " or \\ between them',
      );
    if (value === '') throw new SubjectError('the value of a cookie is empty: write what stands between the quotes');
    return value;
  },
  brought: withoutSpelling,
};

function withoutSpelling(octets: string): string | undefined {
  const value = withoutQuotes(octets);
  return value === undefined ? undefined : respelled(value, ENCODED_OR_NOT_PLAIN, ENCODING);
}

/** Undefined where one of the quotes is missing, or servers differ about what is between them. */
function withoutQuotes(value: string): string | undefined {
  if (!value.startsWith('"') && !value.endsWith('"')) return value;
  return /^"([^"\\]*)"$/.exec(value)?.[1];
}

/** What sets cookies apart: `;` (RFC 6265), for older servers also `,` (RFC 2109), for some of Python's also blanks. */
const SEPARATORS = [/;/, /[;,]/, /[;,\s]/];

/**
 * The values that servers read under a name in a Cookie header, each once; undefined if there are too many. Whatever one
 * kind of server finds is asked about.
 */
export function cookieValues(header: Uint8Array, name: string): readonly Uint8Array[] | undefined {
  const octets = octetsOf(header);
  const [usual = [], ...others] = SEPARATORS.map((separator) => valuesIn(octets.split(separator), name));
  if ([usual, ...others].some(({ length }) => length > MAX_COOKIES_OF_A_NAME)) return undefined;
  // a part of a quoted value is none
  const parts = others.flat().filter((value) => withoutQuotes(value) !== undefined);
  return [...new Set([...usual, ...parts])].map((value) => Buffer.from(value, 'latin1'));
}

function valuesIn(pairs: readonly string[], name: string): string[] {
  const wanted = folded(name);
  return pairs.flatMap((pair) => {
    const equals = pair.indexOf('=');
    if (equals < 0 || folded(pair.slice(0, equals).trim()) !== wanted) return [];
    const value = pair.slice(equals + 1).trim();
    return value === '' ? [] : [value];
  });
}

/** Names that some server takes for the same: in any case (ASP.NET), percent-encoded (Perl), with `_` for `.` (PHP). */
function folded(name: string): string {
  return respelled(name, ENCODED_OR_NOT_PLAIN, ENCODING).toLowerCase().replace(/[.+]/g, '_');
}
