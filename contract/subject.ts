import { parseAddress, parseNetwork } from './address.ts';
import { octetsOf, textOfOctets } from './byte-string.ts';
import { COOKIE } from './kinds/cookie.ts';
import { HOST } from './kinds/host.ts';
import { IP } from './kinds/ip.ts';
import { KEY } from './kinds/key.ts';
import { type Kind, MAX_SUBJECT_BYTES, SubjectError } from './kinds/kind.ts';
import { PATH } from './kinds/path.ts';
import { ASN, COUNTRY, JA4, METHOD } from './kinds/simple.ts';
import { WORDS } from './kinds/words.ts';
import { printable } from './printable.ts';
import { isSecretKind } from './redact.ts';

export { MAX_SUBJECT_BYTES, SubjectError } from './kinds/kind.ts';

/** The kinds of subjects, beside `header.NAME` and `cookie.NAME` with the name in lower case. */
export const KINDS = ['ip', 'host', 'path', 'method', 'country', 'asn', 'ua', 'ja4', 'key'] as const;
const NAMED_KIND = /^(header|cookie)\.[a-z0-9_.-]{1,64}$/;

/** The kinds that every request has: one without is odd, not exempt. */
export const KINDS_OF_EVERY_REQUEST: ReadonlySet<string> = new Set(['ip', 'host', 'path', 'method']);

const KIND_OF: Readonly<Record<(typeof KINDS)[number], Kind>> = {
  ip: IP,
  host: HOST,
  path: PATH,
  method: METHOD,
  country: COUNTRY,
  asn: ASN,
  ua: WORDS,
  ja4: JA4,
  key: KEY,
};

/** Control characters, which no subject may have: they end a line or a text elsewhere. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused here
export const CONTROL = /[\x00-\x1f\x7f]/;

/** HAProxy's usual buffer holds the whole head of a request. */
const MAX_WRITTEN = 16_384;

/** A kind, and a value in its canonical form. */
export interface Subject {
  readonly kind: string;
  readonly value: string;
}

export function isKind(text: string): boolean {
  return kindOf(text) !== undefined;
}

/** Whether clients choose the values of this subject's kind, so that one client can send any number of them. */
export function isClientChosen(text: string): boolean {
  return kindOf(text.slice(0, text.indexOf(':')))?.isClientChosen ?? false;
}

/**
 * Parses `kind:value` into canonical form. A bare address or network means `ip:`. Throws a `SubjectError`, also for a
 * subject whose entry would never be found.
 */
export function parseSubject(text: string): Subject {
  const subject = parseLookupSubject(text);
  const problem = kindOf(subject.kind)?.unreachableReason?.(subject.value);
  if (problem !== undefined)
    throw new SubjectError(`"${subject.kind}:${printable(subject.value)}" would never match: ${problem}`);
  return subject;
}

/** The same for a subject that is looked up: an entry for it need not be possible. */
export function parseLookupSubject(text: string): Subject {
  if (isBareAddress(text)) return parseLookupSubject(`ip:${text}`);
  const colon = text.indexOf(':');
  const kind = text.slice(0, Math.max(colon, 0)).toLowerCase();
  const known = kindOf(kind);
  if (known === undefined)
    throw new SubjectError(
      `"${colon < 0 ? printable(text) : `${printable(kind)}:…`}" is not an address or network, and has no known kind before a colon: write kind:value with one of ${KINDS.join(', ')}, header.NAME, cookie.NAME`,
    );
  const value = text.slice(colon + 1);
  if (value === '') throw new SubjectError(`"${kind}:" has no value after the colon`);
  const named = `${kind}:${isSecretKind(kind) ? '…' : printable(value)}`; // no message has a secret in it
  if (CONTROL.test(value)) throw new SubjectError(`"${named}" has a control character in it`);
  if (value.length > MAX_WRITTEN)
    throw new SubjectError(`"${named}" is ${value.length} characters long: no request brings more than ${MAX_WRITTEN}`);
  const subject = { kind, value: known.canonicalizeEntry(value) };
  const bytes = bytesOf(subject);
  if (bytes > MAX_SUBJECT_BYTES)
    throw new SubjectError(`"${named}" is ${bytes} bytes long, the limit is ${MAX_SUBJECT_BYTES}`);
  return subject;
}

function isBareAddress(text: string): boolean {
  return parseAddress(text) !== undefined || parseNetwork(text) !== undefined;
}

export function formatSubject(of: Subject): string {
  return `${of.kind}:${of.value}`;
}

/**
 * The subject for a value of a request; undefined if the value is not valid for its kind, null if no entry can exist for
 * it because it is too long for the table.
 */
export function subjectFromTraffic(kind: string, bytes: Uint8Array): Subject | null | undefined {
  const known = kindOf(kind);
  if (known === undefined || bytes.length === 0) return undefined;
  const octets = octetsOf(bytes);
  if (bytes.length > known.maxBytes) return known.tooLong?.(octets);
  if (CONTROL.test(octets)) return undefined;
  const value =
    known.canonicalizeTraffic === undefined ? canonicalizeAsEntry(known, octets) : known.canonicalizeTraffic(octets);
  if (value === undefined) return undefined;
  return value === '' || bytesOf({ kind, value }) > MAX_SUBJECT_BYTES ? null : { kind, value };
}

/** The subjects of all entries that can cover this one, most specific first; at most 50. */
export function lookupKeys({ kind, value }: Subject): string[] {
  const values = kindOf(kind)?.covering?.(value) ?? [value];
  return values.map((covering) => formatSubject({ kind, value: covering }));
}

/** The lookup keys of a subject in canonical text. */
export function lookupKeysOf(text: string): string[] {
  const colon = text.indexOf(':');
  return lookupKeys({ kind: text.slice(0, Math.max(colon, 0)), value: text.slice(colon + 1) });
}

/** How specific an entry is: of two entries that cover a subject, the one with the greater value is the narrower. */
export function specificity(text: string): number {
  const colon = text.indexOf(':');
  return kindOf(text.slice(0, colon))?.specificity?.(text.slice(colon + 1)) ?? Number.POSITIVE_INFINITY;
}

function kindOf(text: string): Kind | undefined {
  const kind = KINDS.find((known) => known === text);
  if (kind !== undefined) return KIND_OF[kind];
  if (!NAMED_KIND.test(text)) return undefined;
  return text.startsWith('cookie.') ? COOKIE : WORDS;
}

function canonicalizeAsEntry({ canonicalizeEntry }: Kind, octets: string): string | undefined {
  const text = textOfOctets(octets);
  try {
    return text === undefined ? undefined : canonicalizeEntry(text);
  } catch (error) {
    if (error instanceof SubjectError) return undefined;
    throw error;
  }
}

function bytesOf(of: Subject): number {
  return Buffer.byteLength(formatSubject(of));
}
