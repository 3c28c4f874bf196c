import { type Kind, MAX_SUBJECT_BYTES, MAX_WILDCARDS, SubjectError } from './kind.ts';
import { encodings, octetsOf, octetsOfText, respelled } from './octets.ts';
import { shown } from './shown.ts';

/** What stands for itself in a path (pchar of RFC 3986 3.3), but for `*`, which is all below a folder. */
const PLAIN = /[A-Za-z0-9._~!$&'()+,;=:@-]/;
const ENCODED_OR_NOT_PLAIN = /%[0-9A-Fa-f]{2}|[^A-Za-z0-9._~!$&'()+,;=:@/-]/g;
const ENCODING = encodings(PLAIN);
const NOT_CANONICAL = /[^A-Za-z0-9._~!$&'()+,;=:@/-]|\/[./]/;
const MAX_PATH = MAX_SUBJECT_BYTES - 'path:'.length;

/**
 * What servers read in different ways, so that no canonical form is right for all of them, and no browser sends: a path
 * that does not begin with one `/`, dot segments, `;` `\\` `#`, blanks, controls, and percent-encoded: controls, `/` `\\` `;`,
 * letters, digits and `-` `.` `_` (%u is of IIS). Read in any case. `blank` is the part of a bracket expression for blanks
 * and controls, which JavaScript writes otherwise than HAProxy, be it with PCRE or with POSIX.
 */
export const oddPath = (blank: string) =>
  String.raw`^$|^[^/]|^//|/[.][.]?(/|$)|[${blank};\\#]|%([01][0-9a-f]|2[def]|3[0-9b]|4[1-9a-f]|5[0-9acf]|6[1-9a-f]|7[0-9af]|u)`;
const ODD = new RegExp(oddPath(String.raw`\x00-\x20\x7f`), 'i');

/** Whether servers can take this path of a request for different ones. */
export function isOddPath(bytes: Uint8Array): boolean {
  return ODD.test(octetsOf(bytes).split('?', 1)[0] ?? '');
}

/** Paths: `/admin` is itself, `/admin/*` is `/admin/` and everything below it. */
export const PATH: Kind = {
  written: canonicalPath,
  brought: pathOf,
  covering: (path) => (isWildcard(path) ? wildcardsOf(path) : [path, ...wildcardsOf(path)]),
  specificity: (path) => (isWildcard(path) ? path.length : Number.POSITIVE_INFINITY),
};

function canonicalPath(text: string): string {
  if (!text.startsWith('/'))
    throw new SubjectError(`"path:${shown(text)}" is no path: write what follows the host, beginning with /`);
  const end = text.search(/[?#]/);
  if (end >= 0)
    throw new SubjectError(`"path:${shown(text)}" has more than a path: write path:${shown(text.slice(0, end))}`);
  const folder = isWildcard(text) ? text.slice(0, -1) : text;
  if (folder.includes('*'))
    throw new SubjectError(
      `"path:${shown(text)}" has a * that is not all of its end: write /admin/* for all below /admin/, and %2A for a *`,
    );
  const path = normalized(octetsOfText(folder));
  if (folder === text) return path;
  const levels = path.split('/').length - 1;
  if (levels > MAX_WILDCARDS)
    throw new SubjectError(
      `"path:${shown(text)}" would never match: it has ${levels} levels, looked up are ${MAX_WILDCARDS}`,
    );
  return `${path}*`;
}

/**
 * The path that traffic asks. One that is too long to be in the table is asked as the narrowest wildcard that covers it,
 * so that no length walks around an entry for all of a folder.
 */
function pathOf(octets: string): string | undefined {
  if (!octets.startsWith('/')) return undefined;
  const path = normalized(withoutQuery(octets));
  return path.length <= MAX_PATH ? path : wildcardsOf(path.slice(0, MAX_PATH - 1))[0];
}

function withoutQuery(octets: string): string {
  const end = octets.search(/[?#]/);
  return end < 0 ? octets : octets.slice(0, end);
}

function isWildcard(path: string): boolean {
  return path.endsWith('/*');
}

/** The wildcards that cover a path, or all of a wildcard; narrowest first, and where there are too many, the widest. */
function wildcardsOf(path: string): string[] {
  const wildcards: string[] = [];
  for (let at = path.indexOf('/'); at >= 0 && wildcards.length < MAX_WILDCARDS; at = path.indexOf('/', at + 1))
    wildcards.push(`${path.slice(0, at + 1)}*`);
  return wildcards.reverse();
}

/**
 * As most servers read it (RFC 3986 6.2.2, and one slash for several): no spelling of a path walks around its entry. What
 * could end a segment, such as %2F, stays encoded. In linear time, whatever the client sends.
 */
function normalized(path: string): string {
  if (!NOT_CANONICAL.test(path)) return path;
  return withoutDotSegments(respelled(path, ENCODED_OR_NOT_PLAIN, ENCODING));
}

function withoutDotSegments(path: string): string {
  const segments = path.split('/');
  const kept: string[] = [];
  for (const segment of segments) {
    if (segment === '..') kept.pop();
    else if (segment !== '' && segment !== '.') kept.push(segment);
  }
  const isFolder = kept.length > 0 && ['', '.', '..'].includes(segments.at(-1) ?? '');
  return `/${kept.join('/')}${isFolder ? '/' : ''}`;
}
