import { domainToASCII, domainToUnicode } from 'node:url';
import { formatAddress, parseAddress } from '../address.ts';
import { isAscii } from '../byte-string.ts';
import { printable } from '../printable.ts';
import { type Kind, MAX_WILDCARDS, SubjectError } from './kind.ts';

/** `NAME[:PORT]` or `[IPV6][:PORT]`; a port may have no digits (RFC 3986 3.2.3), a name may end in one dot. */
const SPELLING = /^(?:\[([\da-f:.]{2,45})\]|([a-z0-9_.-]{1,254}))(?::(\d{0,5}))?$/;
const MAX_PORT = 65_535;
/** Letters, digits and hyphens (RFC 1123 2.1), and the underscore of service names. */
const LABEL = /^[a-z0-9_-]{1,63}$/;
const PUNYCODE = /(?:^|\.)xn--/;
/** The last label of an address, or of an invalid name (WHATWG URL 3.5): servers read 127.1 and 0x7f.1 as 127.0.0.1. */
const NUMBER = /^(?:\d+|0x[\da-f]*)$/;
const MAX_NAME = 253;
const WILDCARD = '*.';

/** Host names: `shop.example` matches itself, `*.shop.example` everything below it, at any depth. */
export const HOST: Kind = {
  isClientChosen: true,
  maxBytes: MAX_NAME + '.:65535'.length,
  canonicalizeEntry: canonicalHost,
  canonicalizeTraffic: hostOf,
  covering: coveringHosts,
  specificity: (value) => (value.startsWith(WILDCARD) ? value.length : Number.POSITIVE_INFINITY),
  unreachableReason: (value) =>
    value.startsWith(WILDCARD) && value.slice(WILDCARD.length).split('.').length > MAX_WILDCARDS
      ? `a host is looked up under wildcards of up to ${MAX_WILDCARDS} labels`
      : undefined,
};

function canonicalHost(text: string): string {
  const prefix = text.startsWith(WILDCARD) ? WILDCARD : '';
  const address = prefix === '' && text.includes(':') ? parseAddress(text) : undefined; // IPv6 without its brackets
  if (address !== undefined) return inBrackets(address);
  const given = text.slice(prefix.length);
  const host = isAscii(given) ? hostOf(given) : hostOf(inAscii(given));
  if (host === undefined || (prefix !== '' && isAddress(host))) throw new SubjectError(problemOf(text, given));
  if (prefix.length + host.length > MAX_NAME) throw new SubjectError(tooLong(text));
  return `${prefix}${host}`;
}

/** The host that a request names; undefined if it is invalid, since servers would read it in different ways. */
function hostOf(octets: string): string | undefined {
  const [, ipv6, name, port = ''] = SPELLING.exec(octets.toLowerCase()) ?? [];
  if (Number(port) > MAX_PORT) return undefined;
  if (name !== undefined) return nameOf(name.endsWith('.') ? name.slice(0, -1) : name);
  const bytes = ipv6?.includes(':') ? parseAddress(ipv6) : undefined;
  return bytes && inBrackets(bytes);
}

function nameOf(name: string): string | undefined {
  const labels = name.split('.');
  if (name.length > MAX_NAME || !labels.every((label) => LABEL.test(label))) return undefined;
  if (endsInNumber(labels)) return parseAddress(name) === undefined ? undefined : name;
  return !PUNYCODE.test(name) || isIdna(name) ? name : undefined;
}

/** Whether the labels that begin with xn-- are valid encodings of a name in another script (UTS 46). */
function isIdna(name: string): boolean {
  const isWhole = name.split('.').every((label) => !label.startsWith('xn--') || !isAscii(domainToUnicode(label)));
  return isWhole && domainToASCII(domainToUnicode(name)) === name;
}

/** A name in its ASCII form, with its port; empty if there is none. */
function inAscii(text: string): string {
  const [, name = '', port = ''] = /^([\w\P{ASCII}.-]+)(:\d*)?$/u.exec(text) ?? [];
  const ascii = domainToASCII(`${name}.x`); // the label after it keeps digits from being an address
  return ascii === '' || name === '' ? '' : `${ascii.slice(0, -'.x'.length)}${port}`;
}

function problemOf(text: string, given: string): string {
  const named = `"host:${printable(text)}"`;
  const labels = given.replace(/:\d*$/, '').replace(/\.$/, '').toLowerCase().split('.');
  if (labels.every((label) => LABEL.test(label))) {
    if (endsInNumber(labels))
      return `${named} is not a valid address: write four decimal numbers from 0 to 255 without leading zeros`;
    if (labels.join('.').length > MAX_NAME) return tooLong(text);
    if (PUNYCODE.test(labels.join('.')))
      return `${named} has a label beginning with xn-- that is not valid IDNA: write the name in its own script`;
  }
  if (!isAscii(given) && /^[\w\P{ASCII}.-]+(:\d*)?$/u.test(given))
    return `${named} is not a valid DNS name (UTS 46): write it in lower case and in one script, without symbols`;
  return `${named} is not a valid host: write shop.example, or *.shop.example for everything below it`;
}

function tooLong(text: string): string {
  return `"host:${printable(text)}" is ${text.length} characters long, the limit is ${MAX_NAME}`;
}

function coveringHosts(host: string): string[] {
  const isWildcard = host.startsWith(WILDCARD);
  if (isAddress(host)) return [host];
  const labels = (isWildcard ? host.slice(WILDCARD.length) : host).split('.');
  const suffixes = labels.map((_, index) => `${WILDCARD}${labels.slice(index).join('.')}`);
  return isWildcard ? suffixes.slice(-MAX_WILDCARDS) : [host, ...suffixes.slice(1).slice(-MAX_WILDCARDS)];
}

/** An address in text, IPv6 in brackets (RFC 3986 3.2.2). */
function inBrackets(bytes: Uint8Array): string {
  return bytes.length === 4 ? formatAddress(bytes) : `[${formatAddress(bytes)}]`;
}

function isAddress(host: string): boolean {
  return host.startsWith('[') || endsInNumber(host.split('.'));
}

function endsInNumber(labels: readonly string[]): boolean {
  return NUMBER.test(labels.at(-1) ?? '');
}
