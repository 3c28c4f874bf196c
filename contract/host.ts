import { domainToASCII } from 'node:url';
import { formatAddress, parseAddress } from './address.ts';
import { type Kind, MAX_WILDCARDS, SubjectError } from './kind.ts';
import { shown } from './shown.ts';

/** Letters, digits and hyphens (RFC 1123 2.1), and the underscore, which names of services have. */
const LABEL = /^[a-z0-9_-]{1,63}$/;
/** What a name ends in that is an address, or nothing (WHATWG URL 3.5). */
const NUMBER = /^\d+$/;
const MAX_NAME = 253;
/** What an address may be written in: most hosts are none, and are not parsed as one. */
const ADDRESS_LIKE = /^[\da-f:.]{1,45}$/i;
/** Of a host that is longer than any name, its end is all that can match. */
const MAX_READ = 1024;
const WILDCARD = '*.';

/** Names of hosts: `shop.example` is itself, `*.shop.example` is everything below it, at any depth. */
export const HOST: Kind = {
  written: canonicalHost,
  brought: hostOf,
  covering: coveringHosts,
  specificity: (value) => (value.startsWith(WILDCARD) ? value.length : Number.POSITIVE_INFINITY),
};

function canonicalHost(text: string): string {
  const prefix = text.startsWith(WILDCARD) ? WILDCARD : '';
  const address = prefix === '' ? addressOf(text) : undefined;
  if (address !== undefined) return address;
  const labels = labelsOf(withoutPort(text.slice(prefix.length)));
  if (!labels.every((label) => LABEL.test(label)))
    throw new SubjectError(`"host:${shown(text)}" is no host: write shop.example, or *.shop.example for all below it`);
  if (endsInNumber(labels))
    throw new SubjectError(
      `"host:${shown(text)}" is no address: write four decimal numbers from 0 to 255 without zeros`,
    );
  const host = `${prefix}${labels.join('.')}`;
  if (host.length > MAX_NAME)
    throw new SubjectError(`"host:${shown(host)}" is ${host.length} characters long, the limit is ${MAX_NAME}`);
  if (prefix !== '' && labels.length > MAX_WILDCARDS)
    throw new SubjectError(`"host:${shown(host)}" would never match: wildcards have at most ${MAX_WILDCARDS} labels`);
  return host;
}

/**
 * The host that traffic names. Of one that cannot be in the table, such as `a..shop.example`, the end that can: it is
 * asked as the wildcard, so that no odd label walks around an entry for all of them.
 */
function hostOf(value: string): string | undefined {
  const address = addressOf(value);
  if (address !== undefined) return address;
  const labels = labelsOf(withoutPort(value).slice(-MAX_READ));
  const right = labels.slice(labels.findLastIndex((label) => !LABEL.test(label)) + 1);
  if (right.length === 0 || endsInNumber(right)) return undefined;
  const name = right.join('.');
  if (right.length === labels.length && name.length <= MAX_NAME) return name;
  const end = right.slice(-MAX_WILDCARDS);
  while (end.join('.').length > MAX_NAME - WILDCARD.length) end.shift();
  return `${WILDCARD}${end.join('.')}`;
}

function coveringHosts(host: string): string[] {
  const isWildcard = host.startsWith(WILDCARD);
  const labels = (isWildcard ? host.slice(WILDCARD.length) : host).split('.');
  if (host.startsWith('[') || endsInNumber(labels)) return [host];
  const suffixes = labels.map((_, index) => `${WILDCARD}${labels.slice(index).join('.')}`);
  return isWildcard ? suffixes : [host, ...suffixes.slice(1).slice(-MAX_WILDCARDS)];
}

/** An address as a host: IPv6 in brackets (RFC 3986 3.2.2), whether they were there or not. */
function addressOf(text: string): string | undefined {
  const host = withoutPort(text);
  const inBrackets = host.startsWith('[') && host.endsWith(']') && host.includes(':') ? host.slice(1, -1) : undefined;
  const spellings = [text, inBrackets ?? host].filter((spelling) => ADDRESS_LIKE.test(spelling));
  const bytes = spellings.map(parseAddress).find((found) => found !== undefined);
  if (bytes === undefined) return undefined;
  return bytes.length === 4 ? formatAddress(bytes) : `[${formatAddress(bytes)}]`;
}

/**
 * Without port and trailing dots, until nothing more comes off: canonical text must be its own canonical text, whatever a
 * client sends as its host. A loop, since a regular expression would take quadratic time on hostile text.
 */
function withoutPort(host: string): string {
  let end = host.length;
  for (;;) {
    const shorter = host[end - 1] === '.' ? end - 1 : portAt(host, end);
    if (shorter === end || shorter === 0) return host.slice(0, end);
    end = shorter;
  }
}

/** Where the `:PORT` before `end` begins, whose number may be missing (RFC 3986 3.2.3); `end` if there is none. */
function portAt(host: string, end: number): number {
  let digits = end;
  while (digits > 0 && /\d/.test(host[digits - 1] ?? '')) digits--;
  return host[digits - 1] === ':' ? digits - 1 : end;
}

function labelsOf(name: string): string[] {
  const ascii = /^\p{ASCII}*$/u.test(name) ? name.toLowerCase() : name.split('.').map(inAscii).join('.');
  return withoutPort(ascii).split('.');
}

/** A label as DNS has it (IDNA), empty if there is no such; the one after it keeps digits from being an address. */
function inAscii(label: string): string {
  if (!/^[\w\P{ASCII}-]*$/u.test(label)) return ''; // would be read as the end of the host
  return domainToASCII(`${label}.x`).slice(0, -'.x'.length);
}

function endsInNumber(labels: readonly string[]): boolean {
  return NUMBER.test(labels.at(-1) ?? '');
}
