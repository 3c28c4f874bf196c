import { THINGS } from '../servers/marks.ts';
import type { Random } from '../spop/random.ts';
import { encodesAll, encodesByte, filler, flipsCase, inserts, type Mutation, mutated, ODD_BYTES } from './mutation.ts';
import { PLAIN, type RawRequest } from './raw-request.ts';

const ESCAPES: Mutation = (text, random) => {
  const at = random.below(text.length);
  const octal = `\\${text.charCodeAt(at).toString(8).padStart(3, '0')}`;
  return text.slice(0, at) + random.pick([octal, `\\${text[at]}`]) + text.slice(at + 1);
};
const QUOTES: Mutation = (text, random) =>
  random.pick([`"${text}"`, `"${text}`, `${text}"`, `""${text}""`, `'${text}'`]);
const COOKIE_VALUE: readonly Mutation[] = [
  encodesByte,
  encodesAll,
  QUOTES,
  (text, random) => QUOTES(ESCAPES(text, random), random),
];

const OTHER_COOKIES = [
  ...[
    'a=b',
    'session=x',
    'session=',
    'session',
    '=x',
    'Session=x',
    'session2=x',
    'x="a',
    'x="a; b"',
    'x=a,b',
    '$Version=1',
  ],
  ...[
    '$Path=/',
    'a=b=c',
    'x="',
    'x=\\"',
    'session="x"',
    ' session=x',
    '__Host-session=x',
    'a={"b":1,"c":"d"}',
    'x=\xe9',
    '',
  ],
];
const COOKIE_NAMES = ['cookie', 'Cookie', 'COOKIE', 'cookie ', ' cookie', 'cookie2', 'coo_kie', 'cookie\t'];
const SEPARATORS = ['; ', ';', ';;', ' ; ', ',', ', ', '\t;\t', ';\t', ' ', '&', ';\x0b'];

/** A cookie that is listed, more or less. */
export function cookieSpelling(random: Random): RawRequest {
  const { name, value } = THINGS.cookie;
  const equals = random.oneIn(5) ? random.pick([' =', '= ', ' = ', '==', '=\t', '\t=', '%3d', ':']) : '=';
  const spelledName = random.oneIn(8) ? mutated(name, [encodesByte, flipsCase, inserts(ODD_BYTES)], 1, random) : name;
  const spelled = random.oneIn(12)
    ? mutated(value, [inserts(ODD_BYTES)], 1, random)
    : mutated(value, COOKIE_VALUE, 2, random);
  const own = spelledName + equals + spelled;
  const cookies = Array.from({ length: random.pick([0, 0, 1, 1, 2, 3, 4, 6, 30]) }, () => random.pick(OTHER_COOKIES));
  cookies.splice(random.below(cookies.length + 1), 0, own);
  if (random.oneIn(12)) cookies.splice(random.below(cookies.length), 0, `pad=${filler(random)}`);
  const separator = random.oneIn(3) ? random.pick(SEPARATORS) : '; ';
  const headerName = () => (random.oneIn(6) ? random.pick(COOKIE_NAMES) : 'cookie');
  if (random.oneIn(4))
    return { ...PLAIN, headers: [...PLAIN.headers, ...cookies.map((one) => `${headerName()}: ${one}`)] };
  const line = `${headerName()}: ${cookies.join(separator)}${random.oneIn(6) ? separator : ''}`;
  return { ...PLAIN, headers: [...PLAIN.headers, ...(random.oneIn(8) ? folded(line, random) : [line])] };
}

/** A header whose value is listed, more or less. */
export function headerSpelling(name: string, value: string): (random: Random) => RawRequest {
  return (random) => {
    const names = [name, name.toUpperCase(), name.replaceAll('-', '_'), name.replace('-', '_'), `${name} `, ` ${name}`];
    const odd = [`${name}\t`, `${name}\0`, name.replaceAll('-', '.'), `${name}-`, `_${name}`, flipsCase(name, random)];
    const values = [
      value,
      `${value} `,
      `\t${value}\t`,
      `${value},`,
      `, ${value}`,
      `x, ${value}`,
      `${value}, x`,
      `"${value}"`,
    ];
    const odds = [
      `${value}\x0b`,
      `\x0c${value}`,
      `${value}\xa0`,
      encodesByte(value, random),
      flipsCase(value, random),
      value + filler(random),
    ];
    const line = () => {
      const spelledName = random.oneIn(4) ? random.pick(odd) : random.pick(names);
      const spelled = random.oneIn(3) ? random.pick(odds) : random.pick(values);
      return `${random.oneIn(3) ? spelledName : name}:${random.pick(['', ' ', '  ', '\t'])}${random.oneIn(2) ? spelled : value}`;
    };
    const other = () => `${random.pick(names)}: ${random.pick(['x', '', ' ', value, `x${value}`, ','])}`;
    const lines = [...(random.oneIn(3) ? [other()] : []), line(), ...(random.oneIn(3) ? [other()] : [])];
    const padding = random.oneIn(12) ? [`x-filler: ${filler(random)}`] : [];
    return {
      ...PLAIN,
      headers: [
        ...PLAIN.headers,
        ...padding,
        ...lines.flatMap((one) => (random.oneIn(8) ? folded(one, random) : [one])),
      ],
    };
  };
}

/** A header on two lines (RFC 9112 5.2). */
function folded(line: string, random: Random): string[] {
  const at = line.indexOf(':') + 1 + random.below(Math.max(1, line.length - line.indexOf(':')));
  return [line.slice(0, at), random.pick([' ', '\t', '  \t']) + line.slice(at)];
}

/** A method that is listed, more or less. */
export function methodSpelling(random: Random): RawRequest {
  const method = random.pick([
    ...[
      'PURGE',
      'PURGE',
      'PURGE',
      'purge',
      'Purge',
      'PURGE ',
      ' PURGE',
      'PURGE\t',
      '\tPURGE',
      'PURGE\0',
      '\0PURGE',
      'PURGE\x0b',
    ],
    ...[
      'P\x01URGE',
      '"PURGE"',
      'PURGE,GET',
      'GET,PURGE',
      'GET PURGE',
      'PURGE GET',
      '\xffPURGE',
      'PUR%47E',
      'PURGE:',
      '',
      'GET',
    ],
  ]);
  const target = random.pick(['/x', '/', '*', 'http://ok.example/x', '/x?PURGE', '//x', '']);
  const version = random.pick(['1.1', '1.1', '1.0', '1.1', '0.9', '2.0', '1.2']);
  const override = random.oneIn(4)
    ? [`${random.pick(['x-http-method-override', 'x-method-override', 'x-http-method'])}: GET`]
    : [];
  return { ...PLAIN, method, target, version, headers: [...PLAIN.headers, ...override] };
}

const FORWARDED = [
  ...[
    '203.0.113.7',
    '203.0.113.7',
    '::ffff:203.0.113.7',
    '::FFFF:203.0.113.7',
    '::ffff:cb00:7107',
    '[::ffff:203.0.113.7]',
  ],
  ...[
    '203.0.113.7:80',
    '[203.0.113.7]',
    '203.0.113.007',
    '0313.0.0161.7',
    '203.0.28935',
    '3405803783',
    '0xcb007107',
    '"203.0.113.7"',
  ],
  ...[
    '203.0.113.7%eth0',
    '203.0.113.7 ',
    'unknown',
    '_hidden',
    '203.0.113.7.',
    '203.0.113.7;',
    '203.0.113.7/32',
    '\xff203.0.113.7',
  ],
];

/** A client's address in a header, of which the last counts, more or less that of the listed one. */
export function forwardedSpelling(random: Random): RawRequest {
  const name = () =>
    random.oneIn(5)
      ? random.pick(['X-FORWARDED-FOR', 'x_forwarded_for', 'x-forwarded_for', 'x-forwarded-for '])
      : 'x-forwarded-for';
  const others = ['198.51.100.1', '2001:db8::5', '', ' ', 'unknown', '203.0.113.8', '198.51.100.2'];
  const list = [
    ...(random.oneIn(2) ? [random.pick(others)] : []),
    random.pick(FORWARDED),
    ...(random.oneIn(6) ? [random.pick(others)] : []),
  ];
  const joint = random.pick([', ', ',', ' , ', ',\t', ',,', ';', ' ']);
  const before = random.oneIn(4) ? [`${name()}: ${random.pick(others)}`] : [];
  const after = random.oneIn(8) ? [`${name()}:${random.pick(['', ' ', ' ,', ' 198.51.100.1'])}`] : [];
  return {
    ...PLAIN,
    headers: [...PLAIN.headers, ...before, `${name()}: ${list.join(joint)}${random.oneIn(8) ? ',' : ''}`, ...after],
  };
}
