import {
  coveringNetworks,
  formatNetwork,
  IPV4_PREFIXES,
  IPV6_PREFIXES,
  masked,
  type Network,
  parseAddress,
  parseNetwork,
} from './address.ts';
import { shown } from './shown.ts';

/** The kinds a subject can be of; `header.NAME` and `cookie.NAME` carry the name in lower case. */
export const KINDS = ['ip', 'host', 'path', 'method', 'country', 'asn', 'ua', 'ja4', 'key'] as const;
const NAMED_KIND = /^(header|cookie)\.[a-z0-9_-]{1,64}$/;

/** DynamoDB takes 2048 bytes of partition key; nothing longer can be in the table, so nothing longer is asked. */
export const MAX_SUBJECT_BYTES = 1024;

/** What ends a line or a text elsewhere; no subject has any of it. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused here
export const CONTROL = /[\x00-\x1f\x7f]/;

/** A subject that a person or a program wrote wrong. The message says what is wrong and what would be right. */
export class SubjectError extends Error {
  override readonly name = 'SubjectError';
}

export interface Subject {
  readonly kind: string;
  readonly value: string;
}

export function isKind(text: string): boolean {
  return (KINDS as readonly string[]).includes(text) || NAMED_KIND.test(text);
}

/** Splits `kind:value` and brings both into canonical form. A bare address or network means `ip:`. */
export function parseSubject(text: string): Subject {
  const colon = text.indexOf(':');
  if (parseAddress(text) !== undefined || parseNetwork(text) !== undefined) return subject('ip', text);
  const kind = text.slice(0, Math.max(colon, 0));
  if (!isKind(kind))
    throw new SubjectError(
      `"${shown(text)}" is no address, no network and has no known kind before a colon: write kind:value with one of ${KINDS.join(', ')}, header.NAME, cookie.NAME`,
    );
  return subject(kind, text.slice(colon + 1));
}

export function formatSubject(of: Subject): string {
  return `${of.kind}:${of.value}`;
}

/** The subject for a value that traffic brought, or undefined if no entry can ever stand for it. */
export function subjectOf(kind: string, value: string): Subject | undefined {
  try {
    return kind === 'ip' && value.includes('/') ? undefined : subject(kind, value);
  } catch (error) {
    if (error instanceof SubjectError) return undefined;
    throw error;
  }
}

/** Every subject text under which an entry for all of this subject can stand, most specific first; at most 100. */
export function candidates(of: Subject): string[] {
  const bytes = of.kind === 'ip' ? parseAddress(of.value) : undefined;
  const network = bytes === undefined ? networkOf(of) : masked(bytes, bytes.length * 8);
  if (network === undefined) return [formatSubject(of)];
  return coveringNetworks(network).map((value) => formatSubject({ kind: 'ip', value }));
}

function networkOf({ kind, value }: Subject): Network | undefined {
  return kind === 'ip' ? parseNetwork(value) : undefined;
}

function subject(kind: string, value: string): Subject {
  if (value === '') throw new SubjectError(`"${kind}:" has no value after the colon`);
  if (CONTROL.test(value)) throw new SubjectError(`"${kind}:${shown(value)}" has a control character in it`);
  refuseLong(kind, value); // before any work on what a client sent
  const canonical = { kind, value: canonicalValue(kind, value) };
  refuseLong(kind, canonical.value); // upper case can be longer
  return canonical;
}

function refuseLong(kind: string, value: string): void {
  const bytes = Buffer.byteLength(`${kind}:${value}`);
  if (bytes > MAX_SUBJECT_BYTES)
    throw new SubjectError(`"${kind}:${shown(value)}" is ${bytes} bytes long, the limit is ${MAX_SUBJECT_BYTES}`);
}

function canonicalValue(kind: string, value: string): string {
  if (kind === 'ip') return canonicalIp(value);
  if (kind === 'host') return canonicalHost(value.toLowerCase());
  if (kind === 'method' || kind === 'country') return value.toUpperCase();
  return value;
}

/**
 * Without port and trailing dots, until nothing more comes off: canonical text must be its own canonical text, whatever a
 * client sends as its host. A loop, since a regular expression would take quadratic time on hostile text.
 */
function canonicalHost(host: string): string {
  let end = host.length;
  for (;;) {
    const shorter = host[end - 1] === '.' ? end - 1 : portAt(host, end);
    if (shorter === end || shorter === 0) return host.slice(0, end);
    end = shorter;
  }
}

/** Where the `:PORT` before `end` begins; `end` if there is none. */
function portAt(host: string, end: number): number {
  let digits = end;
  while (/\d/.test(host[digits - 1] ?? '')) digits--;
  return digits < end && host[digits - 1] === ':' ? digits - 1 : end;
}

function canonicalIp(value: string): string {
  const address = parseAddress(value);
  if (address !== undefined) return formatNetwork(masked(address, address.length * 8));
  const network = parseNetwork(value);
  if (network === undefined) throw new SubjectError(`"${shown(value)}" is no IPv4 or IPv6 address or network`);
  const exact = masked(network.bytes, network.prefix);
  if (!Buffer.from(exact.bytes).equals(network.bytes))
    throw new SubjectError(`"${value}" has bits set after its prefix: did you mean ${formatNetwork(exact)}?`);
  const lookedUp = network.bytes.length === 4 ? IPV4_PREFIXES : IPV6_PREFIXES;
  if (!lookedUp.includes(network.prefix))
    throw new SubjectError(
      `"${value}" would never match: ${network.bytes.length === 4 ? 'IPv4 networks are looked up from /8 to /32' : 'IPv6 networks are looked up from /16 to /64, and single addresses'}`,
    );
  return formatNetwork(exact);
}
