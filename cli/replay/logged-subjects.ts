import { Address } from '../../agent/decision/address.ts';
import { LookupSubject } from '../../agent/decision/lookup-subject.ts';
import { isOddPath } from '../../contract/kinds/path.ts';
import { formatSubject, subjectFromTraffic } from '../../contract/subject.ts';
import { requestLineOf } from '../access-log/haproxy-log.ts';

/** The kinds that the log of a HAProxy has: the client, and what its request line says. */
export const LOGGED_KINDS = ['ip', 'host', 'path', 'method'] as const;
export type LoggedKind = (typeof LOGGED_KINDS)[number];

export function isLogged(kind: string): kind is LoggedKind {
  return LOGGED_KINDS.some((logged) => logged === kind);
}

/** A subject of a request. */
export interface LoggedSubject {
  readonly subject: LookupSubject;
  /** A path that servers read in different ways. */
  readonly isOdd: boolean;
}

/** The client of a line. `address` is canonical text. */
export function clientOf(address: string, ipv6Prefix: number): LookupSubject {
  const client = new Address(ipv6Prefix);
  client.readText(address);
  return LookupSubject.ofAddress(client);
}

/** What the request line of a line says of this kind; undefined if nothing, or nothing that can be looked up. */
export function subjectOf(kind: Exclude<LoggedKind, 'ip'>, line: string): LoggedSubject | undefined {
  const logged = requestLineOf(line);
  if (logged === undefined) return undefined;
  const value = textOf(kind, logged.method, unescaped(logged.target));
  if (value === undefined) return undefined;
  const bytes = Buffer.from(value, 'latin1'); // as lines are read
  const subject = subjectFromTraffic(kind, bytes);
  if (!subject) return undefined;
  return {
    subject: LookupSubject.ofText(formatSubject(subject)),
    isOdd: kind === 'path' && isOddPath(bytes),
  };
}

/** A proxied request and HTTP/2 name the host before the path: `https://shop.example/cart`. */
const ABSOLUTE = /^https?:\/\/([^/?#]*)(.*)$/is;

function textOf(kind: Exclude<LoggedKind, 'ip'>, method: string, target: string): string | undefined {
  if (kind === 'method') return method;
  const [, host, path] = ABSOLUTE.exec(target) ?? [];
  if (kind === 'host') return host;
  return path === undefined ? target : path.replace(/^(?!\/)/, '/');
}

/** HAProxy logs what cannot be printed as `#` and two hexadecimal digits. */
function unescaped(target: string): string {
  return target.replace(/#([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}
