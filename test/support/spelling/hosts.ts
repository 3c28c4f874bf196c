import type { Random } from '../spop/random.ts';
import {
  encodesByte,
  filler,
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

const NAMES = [
  'evil.example',
  'a.wild.example',
  'c.b.a.wild.example',
  'xn--gre-6ka8l.example',
  'gr\xc3\xbc\xc3\x9fe.example',
];
const ADDRESSES = [
  ...['192.0.2.1', '192.0.513', '3221225985', '0xc0000201', '0300.0.2.1', '192.0.2.01', '0xc0.0.2.1', '192.0.2.1.'],
  ...[
    '[2001:db8::1]',
    '[2001:DB8:0::1]',
    '2001:db8::1',
    '[2001:db8::1%25eth0]',
    '[::ffff:192.0.2.1]',
    '[2001:db8::0001]',
  ],
];

const BEHIND = [
  ...[
    '.',
    '..',
    ':80',
    ':',
    ':080',
    ':80:80',
    ':abc',
    ':80.',
    '.:80',
    ':,ok.example',
    ',ok.example',
    ':80,ok.example',
    '/',
  ],
  ...[
    ':a.ok.example',
    ':@ok.example',
    '@ok.example',
    '/x',
    '?',
    '?x',
    '#',
    '#x',
    '\\',
    '\\x',
    ';',
    '%00',
    '%2e',
    '%20',
    '%2f',
  ],
  ...[
    ' ok.example',
    '\tok.example',
    ' ',
    '\t',
    '\0',
    ']',
    '[',
    '*',
    '&',
    ':99999',
    ':-1',
    ':+80',
    ': 80',
    '%23',
    '|',
    '"',
  ],
];
const BEFORE = [
  ...[
    '.',
    '*.',
    'ok.example,',
    'ok.example, ',
    'ok.example@',
    'u:p@',
    'a@b@',
    'http://',
    '//',
    '/',
    '[',
    ' ',
    '\t',
    '"',
    '-.',
    '_.',
  ],
  ...[
    'ok.example:80@',
    'ok.example#@',
    'ok.example\\@',
    'ok.example?@',
    'ok.example/@',
    '%20',
    '\0',
    '\xad',
    '\xc2\xad',
    'a b.',
    'x.',
  ],
];

const MUTATIONS: readonly Mutation[] = [
  flipsCase,
  flipsCase,
  encodesByte,
  widens,
  inserts(ODD_BYTES),
  suffixes(BEHIND),
  suffixes(BEHIND),
  prefixes(BEFORE),
  replaces('.', ['..', '%2e', '\xe3\x80\x82', '\xef\xbc\x8e', '. ', '.\xad', ',', ':', '/', '\\', '.x.']),
  (host, random) => `${filler(random)}.${host}`,
  (host, random) => 'a.'.repeat(random.pick([2, 60, 110, 130, 700])) + host,
  (host, random) => host + random.pick(['.', ':', ':0', '0', ' ']).repeat(random.pick([2, 30, 500])),
];

const OTHERS = ['ok.example', 'status.example', '', 'a', '[::1]', 'ok.example:80'];
const NAMES_OF_HOST = [
  'host',
  'Host',
  'HOST',
  'hOsT',
  'host ',
  ' host',
  'host\t',
  'host\0',
  'h\xf6st',
  'host:',
  ':host',
];

/** A host that is listed, more or less. */
export function hostSpelling(random: Random): RawRequest {
  const host = mutated(random.pick(random.oneIn(4) ? ADDRESSES : NAMES), MUTATIONS, 2, random);
  return placed(host, random.pick(OTHERS), random);
}

/** A host where everybody may go, and that some server may take for a listed one. */
export function borrowedHost(random: Random): RawRequest {
  const joints = [
    ':',
    ',',
    ':,',
    '@',
    ':a.',
    ' ',
    '\\',
    '/',
    '#',
    '?',
    ';',
    ':80,',
    '%00',
    '\0',
    '.',
    '%2e',
    '\xad',
    '|',
    '&',
  ];
  const host = `evil.example${random.pick(joints)}status.example`;
  const other = random.oneIn(2) ? host : `status.example${random.pick(joints)}evil.example`;
  return placed(mutated(other, MUTATIONS, 1, random), 'status.example', random);
}

/** Where a request can name a host, and where two places disagree. */
function placed(host: string, other: string, random: Random): RawRequest {
  const path = random.pick(['/x', '/', '', '?x', '/x?http://ok.example/']);
  const absolute = `${random.pick(['http', 'HTTP', 'https', 'ws', 'x'])}://${host}${path}`;
  const name = random.oneIn(3) ? random.pick(NAMES_OF_HOST) : 'host';
  const line = `${name}: ${host}`;
  const version = random.oneIn(4) ? '1.0' : '1.1';
  const ways: readonly (() => Partial<RawRequest>)[] = [
    () => ({ headers: [line] }),
    () => ({ headers: [line] }),
    () => ({ headers: [line] }),
    () => ({ target: absolute, headers: [] }),
    () => ({ target: absolute, headers: [`host: ${other}`] }),
    () => ({ target: absolute, headers: [line] }),
    () => ({ target: `http://${other}/x`, headers: [line] }),
    () => ({ headers: [`host: ${other}`, line] }),
    () => ({ headers: [line, `host: ${other}`] }),
    () => ({ headers: [line, line] }),
    () => ({ headers: [`host: ${other}`, ` ${host}`] }),
    () => ({ headers: [`host: ${other}`, `\t,${host}`] }),
    () => ({ headers: [`x: y`, ` ${line}`, `host: ${other}`] }),
    () => ({ headers: [`host:${host}`] }),
    () => ({ headers: [`host:\t ${host}\t `] }),
    () => ({ target: `${random.pick(['//', '/\\', '\\\\', '\\/', '///', '//u@', '/\t/', '/%2f'])}${host}/x` }),
    () => ({ target: `${host}${path}`, headers: [] }),
    () => ({ target: `${random.pick(['http:', 'http:/', 'http:\\\\', 'http:///', 'HTTP:\\'])}${host}/x` }),
    () => ({ method: 'CONNECT', target: `${host}:443`, headers: [`host: ${other}`] }),
    () => ({ method: 'OPTIONS', target: absolute, headers: [`host: ${other}`] }),
  ];
  return { ...PLAIN, version, ...random.pick(ways)() };
}
