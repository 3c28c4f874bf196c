import { formatAddress, parseAddress } from '../../contract/address.ts';

/** The request of a log line. */
export interface LoggedRequest {
  /** Canonical text. */
  readonly address: string;
  readonly ipv6: boolean;
  readonly atMs: number;
}

/** HAProxy's own `CLIENT:PORT [06/Feb/2009:12:14:14.655]`, anywhere in a syslog line. */
const HAPROXY = /(?:^|\s)(\S{2,45}):\d{1,5} \[(\d\d\/[A-Z][a-z]{2}\/\d{4}:\d\d:\d\d:\d\d(?:\.\d{1,3})?)\]/;
/** `06/Feb/2009:12:14:14 +0100`, as the CLF formats of HAProxy and of web servers have it. */
const CLF_TIME = /\[?(\d\d\/[A-Z][a-z]{2}\/\d{4}:\d\d:\d\d:\d\d(?:\.\d{1,3})?)(?: ([+-]\d{4}))?\]?/;
const ISO_TIME = /\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)/;
/** Client and time are within this many characters in every format. */
const MAX_HEAD = 1024;
/** What is read of a line: HAProxy logs 1 KB of a request line unless it is built for more. */
export const MAX_LINE = 16 * 1024;
/** `"GET /path HTTP/1.1"`; a long one is cut, and then has no version. */
const REQUEST_LINE = /"([A-Za-z]{1,32}) ([^\s"]+)(?: HTTP\/\d(?:\.\d)?)?"?/;
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** Client and time of a line: HAProxy's HTTP and TCP formats, and any line that begins with the client's address. */
export function parseLogLine(text: string): LoggedRequest | undefined {
  const line = text.length > MAX_HEAD ? text.slice(0, MAX_HEAD) : text;
  const [, client, stamp = ''] = HAPROXY.exec(line) ?? [];
  if (client !== undefined) return request(client, stampMs(stamp));
  const first = /^\s*"?([^\s",]+)/.exec(afterSyslog(line))?.[1];
  return first === undefined ? undefined : (request(first, timeIn(line)) ?? request(withoutPort(first), timeIn(line)));
}

/** The request line of a line, if it has one; `target` as it was logged. */
export function requestLineOf(line: string): { readonly method: string; readonly target: string } | undefined {
  const [, method, target] = REQUEST_LINE.exec(line) ?? [];
  return method === undefined || target === undefined ? undefined : { method, target };
}

function request(client: string, atMs: number | undefined): LoggedRequest | undefined {
  const bytes = parseAddress(client);
  if (bytes === undefined || atMs === undefined) return undefined;
  return { address: formatAddress(bytes), ipv6: bytes.length === 16, atMs };
}

function timeIn(line: string): number | undefined {
  const [, stamp, zone] = CLF_TIME.exec(line) ?? [];
  if (stamp !== undefined) return stampMs(stamp, zone);
  const [iso] = ISO_TIME.exec(line) ?? [];
  const atMs = iso === undefined ? Number.NaN : Date.parse(iso);
  return Number.isNaN(atMs) ? undefined : atMs;
}

/** Only differences matter, so a time without a zone is fine. */
function stampMs(stamp: string, zone = '+0000'): number | undefined {
  const [day = '', month = '', year = '', hours = '', minutes = '', seconds = ''] = stamp.split(/[/:]/);
  const index = MONTHS.indexOf(month);
  if (index < 0) return undefined;
  const [whole = '', fraction = '0'] = seconds.split('.');
  const utc = Date.UTC(Number(year), index, Number(day), Number(hours), Number(minutes), Number(whole));
  const offsetMinutes = Number(zone.slice(0, 3)) * 60 + Number(`${zone[0]}${zone.slice(3)}`);
  return utc + Number(`0.${fraction}`) * 1000 - offsetMinutes * 60_000;
}

/** Removes the prefix of a syslog daemon, which ends with the name and PID of the program. */
function afterSyslog(line: string): string {
  const [prefix] = /^[^[\]]{1,200}haproxy\[\d+\]: /.exec(line) ?? [''];
  return line.slice(prefix.length);
}

function withoutPort(client: string): string {
  return client.replace(/^\[(.*)\](:\d{1,5})?$/, '$1').replace(/^([\d.]+):\d{1,5}$/, '$1');
}
