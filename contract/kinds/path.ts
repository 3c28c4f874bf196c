import { octetsOf, octetsOfText } from '../byte-string.ts';
import { encodedAt, PERCENT, spelling, write } from '../percent-encoding.ts';
import { printable } from '../printable.ts';
import { type Kind, MAX_SUBJECT_BYTES, MAX_WILDCARDS, SubjectError } from './kind.ts';

/** Characters that are not percent-encoded in a path (pchar of RFC 3986 3.3), without `*`, the wildcard. */
const PLAIN = /[A-Za-z0-9._~!$&'()+,;=:@-]/;
const SPELLING = spelling(PLAIN);
const NOT_CANONICAL = /[^A-Za-z0-9._~!$&'()+,;=:@/-]|\/[./]/;
const MAX_PATH = MAX_SUBJECT_BYTES - 'path:'.length;
/** The most bytes of a request's path: a canonical one with every byte encoded has some 3 kB. */
export const MAX_SENT_PATH = 4096;

/**
 * Matches odd paths: servers read them in different ways, so that no canonical form is right for all, and no browser sends
 * them. They do not begin with exactly one `/`, or have dot segments, `;` `\\` `#`, blanks, controls, or percent-encoded
 * controls, `/` `\\` `;`, letters, digits and `-` `.` `_` (%u is for IIS). Case-insensitive. `blank` is the part of a bracket
 * expression for blanks and controls, whose syntax in JavaScript differs from that of HAProxy's PCRE and POSIX.
 */
export const oddPath = (blank: string) =>
  String.raw`^$|^[^/]|^//|/[.][.]?(/|$)|[${blank};\\#]|%([01][0-9a-f]|2[def]|3[0-9b]|4[1-9a-f]|5[0-9acf]|6[1-9a-f]|7[0-9af]|u)`;
const ODD = new RegExp(oddPath(String.raw`\x00-\x20\x7f`), 'i');

/** Whether different servers may read this path of a request in different ways. */
export function isOddPath(bytes: Uint8Array): boolean {
  const [path = ''] = octetsOf(bytes.subarray(0, MAX_SENT_PATH)).split('?', 1);
  return ODD.test(path);
}

/** Paths: `/admin` matches itself, `/admin/*` matches `/admin/` and everything below it. */
export const PATH: Kind = {
  isClientChosen: true,
  maxBytes: Number.POSITIVE_INFINITY, // a query, which may be long, is cut off first
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
 * The path to look up for a request. One that is too long for the table is looked up as the narrowest wildcard that covers
 * it, so that a long path does not bypass an entry for a whole folder.
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

/** The wildcards that cover a path or wildcard, narrowest first; if there are too many, only the widest. */
function wildcardsOf(path: string): string[] {
  const wildcards: string[] = [];
  for (let at = path.indexOf('/'); at >= 0 && wildcards.length < MAX_WILDCARDS; at = path.indexOf('/', at + 1))
    wildcards.push(`${path.slice(0, at + 1)}*`);
  return wildcards.reverse();
}

/**
 * Normalizes a path as most servers do (RFC 3986 6.2.2, and one slash for several), so that no spelling of a path bypasses
 * its entry. Bytes that could end a segment, such as %2F, stay encoded. One pass over the input, in linear time.
 */
function normalized(path: string): string {
  if (!NOT_CANONICAL.test(path)) return path;
  const written = path.length <= MAX_SENT_PATH ? SCRATCH : Buffer.allocUnsafe(3 * path.length);
  written[0] = SLASH;
  let end = 1;
  let segment = 1; // where the segment begins, after its slash
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

/** Room for the longest path of a request with every byte encoded. */
const SCRATCH = Buffer.alloc(3 * MAX_SENT_PATH);
const SLASH = 0x2f;
const DOT = 0x2e;

/** Whether a segment is `.` or `..`. */
function isDots(written: Uint8Array, at: number, end: number): boolean {
  const length = end - at;
  return (length === 1 || length === 2) && written[at] === DOT && written[end - 1] === DOT;
}

/** The end of the folder that these dots refer to: this one, or its parent. */
function folderOf(written: Uint8Array, dots: number, end: number): number {
  if (end - dots === 1) return dots;
  let at = Math.max(1, dots - 1);
  while (written[at - 1] !== SLASH) at--;
  return at;
}
