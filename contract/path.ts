import { type Kind, MAX_SUBJECT_BYTES, MAX_WILDCARDS, SubjectError } from './kind.ts';
import { encodedAt, octetsOf, octetsOfText, PERCENT, spelling, write } from './octets.ts';
import { printable } from './printable.ts';

/** What stands for itself in a path (pchar of RFC 3986 3.3), but for `*`, which is all below a folder. */
const PLAIN = /[A-Za-z0-9._~!$&'()+,;=:@-]/;
const SPELLING = spelling(PLAIN);
const NOT_CANONICAL = /[^A-Za-z0-9._~!$&'()+,;=:@/-]|\/[./]/;
const MAX_PATH = MAX_SUBJECT_BYTES - 'path:'.length;
/** The most bytes that the path of a request has: a canonical one with every byte encoded is some 3 kB. */
export const MAX_SENT_PATH = 4096;

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
  const [path = ''] = octetsOf(bytes.subarray(0, MAX_SENT_PATH)).split('?', 1);
  return ODD.test(path);
}

/** Paths: `/admin` is itself, `/admin/*` is `/admin/` and everything below it. */
export const PATH: Kind = {
  isClientChosen: true,
  maxBytes: Number.POSITIVE_INFINITY, // with a query that is none of the path
  canonicalizeEntry: canonicalPath,
  canonicalizeTraffic: pathOf,
  covering: (path) => (isWildcard(path) ? wildcardsOf(path) : [path, ...wildcardsOf(path)]),
  specificity: (path) => (isWildcard(path) ? path.length : Number.POSITIVE_INFINITY),
  unreachableReason: (path) => (isWildcard(path) ? depthProblem(path.split('/').length - 1) : undefined),
};

function canonicalPath(text: string): string {
  if (!text.startsWith('/'))
    throw new SubjectError(
      `"path:${printable(text)}" is not a valid path: write what follows the host, beginning with /`,
    );
  const end = text.search(/[?#]/);
  if (end >= 0)
    throw new SubjectError(
      `"path:${printable(text)}" has more than a path in it: write path:${printable(text.slice(0, end))}`,
    );
  const folder = isWildcard(text) ? text.slice(0, -1) : text;
  if (folder.includes('*'))
    throw new SubjectError(
      `"path:${printable(text)}" has a * in the wrong place: write /admin/* for everything below /admin/, and %2A for a *`,
    );
  const path = normalized(octetsOfText(folder));
  return folder === text ? path : `${path}*`;
}

function depthProblem(levels: number): string | undefined {
  if (levels <= MAX_WILDCARDS) return undefined;
  return `it has ${levels} levels, and a path is looked up under its ${MAX_WILDCARDS} widest wildcards`;
}

/**
 * The path that traffic asks. One that is too long to be in the table is asked as the narrowest wildcard that covers it,
 * so that no length walks around an entry for all of a folder.
 */
function pathOf(octets: string): string | undefined {
  if (!octets.startsWith('/')) return undefined;
  const sent = withoutQuery(octets.slice(0, MAX_SENT_PATH + 1));
  if (sent.length > MAX_SENT_PATH) return undefined;
  const path = normalized(sent);
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
 * could end a segment, such as %2F, stays encoded. In linear time, and in one pass over what the client sends.
 */
function normalized(path: string): string {
  if (!NOT_CANONICAL.test(path)) return path;
  const written = path.length <= MAX_SENT_PATH ? SCRATCH : Buffer.allocUnsafe(3 * path.length);
  written[0] = SLASH;
  let end = 1;
  let segment = 1; // where it begins; a slash is before it
  for (let at = 1; at < path.length; at++) {
    const byte = path.charCodeAt(at);
    const plain = SPELLING[byte] as number; // octets are below 256
    if (plain !== 0) {
      written[end++] = plain;
    } else if (byte !== SLASH) {
      const encoded = byte === PERCENT ? encodedAt(path, at) : -1;
      if (encoded >= 0) at += 2;
      end = write(encoded >= 0 ? encoded : byte, SPELLING, written, end);
    } else if (isDots(written, segment, end)) {
      segment = end = folderOf(written, segment, end);
    } else if (end > segment) {
      written[end++] = SLASH;
      segment = end;
    }
  }
  if (isDots(written, segment, end)) end = folderOf(written, segment, end);
  return written.toString('latin1', 0, end);
}

/** What the longest path of a request can become. */
const SCRATCH = Buffer.alloc(3 * MAX_SENT_PATH);
const SLASH = 0x2f;
const DOT = 0x2e;

/** Whether a segment is `.` or `..`. */
function isDots(written: Uint8Array, at: number, end: number): boolean {
  const length = end - at;
  return (length === 1 || length === 2) && written[at] === DOT && written[end - 1] === DOT;
}

/** Where the folder ends that these dots mean: this one, or the one above. */
function folderOf(written: Uint8Array, dots: number, end: number): number {
  if (end - dots === 1) return dots;
  let at = Math.max(1, dots - 1);
  while (written[at - 1] !== SLASH) at--;
  return at;
}
