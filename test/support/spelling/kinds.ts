import { mark, THINGS } from '../servers/marks.ts';
import type { Random } from '../spop/random.ts';
import { borrowedHost, hostSpelling } from './hosts.ts';
import { escapedPath, pathSpelling } from './paths.ts';
import type { RawRequest } from './raw-request.ts';
import { cookieSpelling, forwardedSpelling, headerSpelling, methodSpelling } from './values.ts';

/** Where a listed client comes from. */
export const LISTED_CLIENT = '127.66.0.7';
const FREE_CLIENT = '127.0.0.1';

/** One row of the matrix: what is asked, how it is spelled, and which marks of an answer the listing forbids. */
export interface SpelledKind {
  readonly name: string;
  readonly message: object;
  readonly from: string;
  spelling(random: Random): RawRequest;
  isForbidden(marks: ReadonlySet<string>): boolean;
}

const { cookie, key, header } = THINGS;
const LISTED_HOSTS = THINGS.hosts.filter((host) => host !== 'status.example');
const LISTED_PATHS = THINGS.paths.filter((path) => path !== '/health');

/** What is listed, as it is typed. */
export const LISTED: readonly { readonly subject: string; readonly action?: 'allow' }[] = [
  ...[...LISTED_HOSTS, '*.evil.example'].map((host) => ({ subject: `host:${host}` })),
  ...[...LISTED_PATHS, '/admin/*'].map((path) => ({ subject: `path:${path}` })),
  { subject: `method:${THINGS.method}` },
  { subject: `cookie.${cookie.name}:${cookie.value}` },
  { subject: `key:${key.value}` },
  { subject: `header.${header.name}:${header.value}` },
  { subject: `ua:${THINGS.ua}` },
  { subject: `ip:${THINGS.ip}` },
  { subject: `ip:${LISTED_CLIENT}` },
  { subject: 'path:/health', action: 'allow' },
  { subject: 'path:/health/*', action: 'allow' },
  { subject: 'host:status.example', action: 'allow' },
];

export const SPELLED_KINDS: readonly SpelledKind[] = [
  kind(
    'host',
    { host: 'req.hdr(host)' },
    hostSpelling,
    LISTED_HOSTS.map((host) => mark(`host:${host}`)),
  ),
  kind(
    'path',
    { path: 'path' },
    pathSpelling,
    LISTED_PATHS.map((path) => mark(`path:${path}`)),
  ),
  kind('method', { method: 'method' }, methodSpelling, [mark(`method:${THINGS.method}`)]),
  kind('cookie', { [`cookie.${cookie.name}`]: `req.cook(${cookie.name})` }, cookieSpelling, [mark('cookie')]),
  kind('key', { key: `req.fhdr(${key.name})` }, headerSpelling(key.name, key.value), [mark('key')]),
  kind('header', { [`header.${header.name}`]: `req.fhdr(${header.name})` }, headerSpelling(header.name, header.value), [
    mark('header'),
  ]),
  kind('ua', { ua: 'req.fhdr(user-agent)' }, headerSpelling('user-agent', THINGS.ua), [mark('ua')]),
  kind('forwarded', { ip: 'req.hdr_ip(x-forwarded-for,-1)' }, forwardedSpelling, [mark('ip')]),
  {
    name: 'asked-paths',
    message: { paths: ['/admin', '/admin/*'], subjects: { ip: 'src' } },
    from: LISTED_CLIENT,
    spelling: pathSpelling,
    isForbidden: (marks) => marks.has(mark('path:/admin')),
  },
  {
    name: 'asked-hosts',
    message: { hosts: ['evil.example', '*.wild.example'], subjects: { ip: 'src' } },
    from: LISTED_CLIENT,
    spelling: hostSpelling,
    isForbidden: (marks) => marks.has(mark('host:evil.example')) || marks.has(mark('host:*.wild.example')),
  },
  exemption('allow', 'refuse'),
  exemption('allow-odd', 'pass'),
];

function kind(
  name: string,
  subjects: Readonly<Record<string, string>>,
  spelling: (random: Random) => RawRequest,
  forbidden: readonly string[],
): SpelledKind {
  return {
    ...{ name, spelling, from: FREE_CLIENT },
    message: { subjects: { ip: 'src', ...subjects } },
    isForbidden: (marks) => forbidden.some((one) => marks.has(one)),
  };
}

function exemption(name: string, oddPaths: 'refuse' | 'pass'): SpelledKind {
  return {
    name,
    message: { oddPaths, subjects: { ip: 'src', host: 'req.hdr(host)', path: 'path' } },
    from: LISTED_CLIENT,
    spelling: exempted,
    isForbidden: isNoExemption,
  };
}

/** What a listed client sends who hopes to be taken for one that is exempted. */
function exempted(random: Random): RawRequest {
  if (random.oneIn(2)) return borrowedHost(random);
  return { ...pathSpelling(random), target: escapedPath(random) };
}

/** Whether a listed client was served what no exemption covers. */
function isNoExemption(marks: ReadonlySet<string>): boolean {
  const isExempt = marks.has(mark('host:status.example')) || marks.has(mark('path:/health'));
  const isAdmin = marks.has(mark('path:/admin')) && !marks.has(mark('host:status.example'));
  const isEvil = marks.has(mark('host:evil.example')) && !marks.has(mark('path:/health'));
  return (marks.size > 0 && !isExempt) || isAdmin || isEvil;
}
