import type { Random } from '../spop/random.ts';
import {
  encodesAll,
  encodesByte,
  flipsCase,
  inserts,
  type Mutation,
  mutated,
  ODD_BYTES,
  prefixes,
  replaces,
  suffixes,
  widens,
} from './mutation.ts';
import { PLAIN, type RawRequest } from './raw-request.ts';

const LISTED = [
  '/',
  '/admin',
  '/admin/',
  '/admin/users/7',
  '/a%20b',
  '/caf%C3%A9',
  '/caf%E9',
  '/caf\xc3\xa9',
  '/caf\xe9',
];

/** Targets that are no path, or have none. */
const WHOLE = [
  ...['*', '', '?', '?x', '#', 'http://ok.example', 'HTTP://ok.example', 'http://ok.example?', 'http://ok.example?x'],
  ...['http://ok.example?/x', 'http://ok.example#/x', 'http://ok.example:80', 'ok.example:80', 'http:/', 'http:///'],
  ...[
    '//ok.example',
    '//',
    '///',
    '/.',
    '/..',
    '/%2e',
    '/%2F',
    '/;',
    '/#',
    '/?',
    '/x/..',
    '/./',
    '.',
    '..',
    './',
    '\\',
  ],
];

const MIDDLES = [
  ...['/', '//', '/./', '/../', '/x/../', '/x/y/../../', '/.', '/..', '/...', '/%2e/', '/%2e%2e/', '/.%2e/', '/%2E./'],
  ...[
    '/;/',
    '/.;/',
    '/..;/',
    ';x=1',
    ';',
    '/x;/../',
    '\\',
    '/\\',
    '\\..\\',
    '/..\\',
    '%5c',
    '%5C..%5C',
    '%2f',
    '%2F..%2F',
  ],
  ...['/..%2f', '%252f', '%252e%252e%252f', '%00', '%0a', '%0d%0a', '%09', '%20', '%23', '%3f', '%3b', '%2a', '%7e'],
  ...['%u002f', '%c0%af', '%c0%ae', '%e0%80%af', '%ef%bc%8f', '%c1%9c', '%f0%80%80%af', '%', '%2', '%zz', '%25'],
];

const BEFORE = [
  ...['/', '//', '///', '/x/..', '//x/..', '//x', '//ok.example', '//ok.example/..', '/\\', '\\', '/.', '/..', '/%2e'],
  ...[
    '/;',
    '/%2f',
    '/%5c',
    '/x//..',
    '/x/y//../..',
    '/x//..//..',
    'http://ok.example',
    'HTTP://ok.example',
    '/./.',
    '/?',
  ],
  ...[
    'http://ok.example:80',
    'http://u:p@ok.example',
    'http://ok.example/',
    'http://ok.example//',
    'http://ok.example/x/..',
  ],
  ...[
    'https://ok.example',
    'ftp://ok.example',
    'http:',
    'http:/',
    'http://',
    'http:///',
    'x:',
    'ok.example',
    '*',
    '.',
    '..',
  ],
  ...[
    'http://ok.example?',
    'http://ok.example#',
    'http://ok.example\\',
    '/http://ok.example',
    '/x?/..',
    '/x#/..',
    '#',
    '?',
  ],
];

const BEHIND = [
  ...[
    '?',
    '?x',
    '??',
    '?/../x',
    '#',
    '#x',
    '#/../x',
    '/',
    '//',
    '/.',
    '/..',
    '/./',
    '/../',
    '/x/..',
    '/x/../',
    ';',
    ';x',
  ],
  ...[
    ';/..',
    '/;x',
    '/..;/',
    '%00',
    '%00.html',
    '%20',
    '%09',
    '%0a',
    '%0d',
    '.',
    '..',
    './',
    '~',
    '%7e',
    '.html',
    '.json',
  ],
  ...[
    '\\',
    '/\\',
    '%2f',
    '%2f..',
    '%5c',
    '%3f',
    '%3f.css',
    '%23',
    '/*',
    '*',
    ':80',
    '%',
    '%2',
    '&',
    '+',
    ',',
    '!',
    '%ff',
  ],
];

const MUTATIONS: readonly Mutation[] = [
  encodesByte,
  encodesByte,
  encodesAll,
  flipsCase,
  widens,
  inserts(MIDDLES),
  inserts(ODD_BYTES),
  replaces('/', MIDDLES),
  replaces('/', MIDDLES),
  prefixes(BEFORE),
  prefixes(BEFORE),
  suffixes(BEHIND),
  (path) => path.replace(/^\//, ''),
  (path, random) => `${random.pick(['/', '/.', '/x/..', '/%2e', '/ff'])}`.repeat(random.pick([2, 20, 98, 400])) + path,
  (path, random) =>
    path + random.pick(['/', '/.', '/x', '/x/..', '%20', 'x']).repeat(random.pick([2, 20, 98, 400, 2000])),
];

/** A request for a listed path, more or less. */
export function pathSpelling(random: Random): RawRequest {
  const target = random.oneIn(12) ? random.pick(WHOLE) : mutated(random.pick(LISTED), MUTATIONS, 3, random);
  const method = random.oneIn(12) ? random.pick(['OPTIONS', 'CONNECT', 'HEAD', 'POST', 'TRACE', 'PROPFIND']) : 'GET';
  return { ...PLAIN, method, target };
}

/** A path that begins where everybody may go, and that some server may find elsewhere. */
export function escapedPath(random: Random): string {
  const outs = [
    '/..',
    '/../',
    '/..%2f',
    '/%2e%2e',
    '%2f..%2f',
    '\\..\\',
    '%5c..%5c',
    '/..;/',
    '/;/../',
    '/x/../..',
    '/..//',
  ];
  const before = random.pick([
    '/health',
    '/health/',
    '/health/x',
    '//health',
    '/admin?/health/',
    '/admin#/health/',
    '/x/../health',
  ]);
  const after = random.pick([
    '/admin',
    '/admin/',
    'admin',
    '/admin/users/7',
    '',
    '?',
    ';/health/x',
    '%3f/health/',
    '%00/health/',
  ]);
  return mutated(before + random.pick(outs) + after, MUTATIONS, 1, random);
}
