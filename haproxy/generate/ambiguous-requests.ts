import type { MessageSettings } from '../../config/settings.ts';
import { MAX_COOKIES_OF_A_NAME } from '../../contract/kinds/cookie.ts';
import { MAX_SENT_PATH, oddPath } from '../../contract/kinds/path.ts';
import { cookieOf, readsCookie } from '../variables.ts';

/** A host as every server reads it: a name, an address, or an IPv6 address in brackets; a port, which may be empty (RFC 3986 3.2.3). */
const HOST = '^([a-z0-9_-]+([.][a-z0-9_-]+)*[.]?|[[][0-9a-f:.]+[]])(:[0-9]*)?$';

/** False if there is no path at all, as in `OPTIONS *` and `GET http://shop.example`. */
export const HAS_PATH = 'path -m beg /';
export const LONG_PATHS = `path -m len gt ${MAX_SENT_PATH}`;
export const ODD_PATHS = `path -m reg -i '${oddPath('[:cntrl:][:space:]')}'`;
/** A server that reads the target as a reference (RFC 3986 4.2), as Node's URL does, finds another host in it. */
export const HOST_IN_PATH = "{ path -m reg '^/[/\\\\]' }"; // as //evil.example/x
export const HOST_BEHIND_SCHEME = "{ url -m reg '^[^/]*:///' }"; // as http:///evil.example/x
export const HAS_ONE_HOST = 'req.hdr_cnt(host) -m int 1';
export const IS_HOST = `req.fhdr(host) -m reg -i '${HOST}'`;

/** Browsers send one Cookie header (RFC 6265 5.4), and HAProxy joins those of HTTP/2 into one. */
export const HAS_SEVERAL_COOKIE_HEADERS = '{ req.fhdr_cnt(cookie) gt 1 }';

export function cookieIsRepeated(name: string, most: number): string {
  return `{ req.cook_cnt(${name}) gt ${most} }`;
}

export function headerIsRepeated(name: string): string {
  return `{ req.fhdr_cnt(${name}) gt 1 }`;
}

/** Another name that CGI reads as this one: it turns everything but letters and digits into `_`. */
export function headerHasLookalikes(name: string): string[] {
  const parts = name.toLowerCase().split(/([^a-z0-9])/); // letters, a character, letters, …
  const spellings = parts.flatMap((part, at) => (at % 2 === 1 ? [otherSpelling(parts, at, part)] : []));
  return spellings.length === 0 ? [] : [`{ req.hdr_names -m reg -i '(^|,)(${spellings.join('|')})(,|$)' }`];
}

/** The name with another character than its own at this part, its own before it, and any after it. */
function otherSpelling(parts: readonly string[], at: number, own: string): string {
  const other = own === '-' ? '[^-,a-z0-9]' : `[^${own},a-z0-9]`;
  return parts
    .map((part, index) => {
      if (index % 2 === 0) return part;
      if (index === at) return other;
      return index < at ? `[${part}]` : '[^,a-z0-9]';
    })
    .join('');
}

/** The request headers that subjects are read from. */
export function headersOf({ subjects }: MessageSettings): string[] {
  return headersIn(subjects.filter(({ kind, expression }) => kind !== 'ip' && !readsCookie(kind, expression)));
}

/** The headers that the client's address is read from, of which there may be several. */
export function addressHeadersOf({ subjects }: MessageSettings): string[] {
  return headersIn(subjects.filter(({ kind }) => kind === 'ip'));
}

function headersIn(subjects: MessageSettings['subjects']): string[] {
  const names = subjects.flatMap(({ expression }) =>
    [...expression.matchAll(HEADER_FETCH)].map(([, name = '']) => name.toLowerCase()),
  );
  return [...new Set(names)].filter((name) => !['', 'host', 'cookie'].includes(name));
}

const HEADER_FETCH = /(?:^|[^\w.])(?:req\.)?f?hdr(?:_\w+)?\(([^),]*)/g;

/** The cookies that subjects are read from, with how many of that name are allowed: HAProxy's converters see only one. */
export function cookiesOf({ subjects }: MessageSettings): ReadonlyMap<string, number> {
  const cookies = new Map<string, number>();
  for (const { kind, expression } of subjects) {
    const name = readsCookie(kind, expression) ? /\(([^),]+)/.exec(expression)?.[1] : undefined;
    if (name === undefined) continue;
    const most = cookieOf(kind, expression) === undefined ? 1 : MAX_COOKIES_OF_A_NAME;
    cookies.set(name, Math.min(most, cookies.get(name) ?? most));
  }
  return cookies;
}

/** The operator's script is fooled by the same spellings as lists are, so its arguments count too. */
export function readsHost({ subjects, arguments: given, hosts }: MessageSettings): boolean {
  if (hosts !== undefined || subjects.some(({ kind, expression }) => kind === 'host' && !isSni(expression)))
    return true;
  return [...subjects, ...given].some(({ expression }) => HOST_FETCH.test(expression));
}

export function readsPath({ subjects, arguments: given, paths }: MessageSettings): boolean {
  if (paths !== undefined || subjects.some(({ kind }) => kind === 'path')) return true;
  return [...subjects, ...given].some(({ expression }) => PATH_FETCH.test(expression));
}

const HOST_FETCH = /^(?:(?:req\.)?f?hdr(?:_\w+)?\(host\b|base|url\b)/i;
const PATH_FETCH = /^(?:path|pathq|base|base32|url|capture\.req\.uri)(?:[,+]|$)/;

/** The server name in TLS is not the Host. */
function isSni(expression: string): boolean {
  return /^(ssl_fc_sni|req[._]ssl_sni)/.test(expression);
}

/** Whether ambiguous requests are refused: the operator may let them pass, and a message in shadow mode refuses nothing. */
export function refusesAmbiguous({ policy, shadow }: MessageSettings): boolean {
  return !shadow && policy.bad_subject !== 'open';
}

export function refusesOddPaths(message: MessageSettings): boolean {
  return refusesAmbiguous(message) && message.oddPaths !== 'pass';
}
