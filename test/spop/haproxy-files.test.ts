import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { checkHaproxy, SPOE_FILE } from '../../dev/haproxy.ts';
import { type AgentWiring, haproxyFiles, type MessageWiring, SPOE_EVENTS } from '../../spop/haproxy/haproxy-files.ts';
import { describeOnEveryHaproxy } from '../support/every-haproxy.ts';
import { hasNewer, longRuns } from '../support/scope.ts';

const PORT = { port: 9000 };
const asks = (message: MessageWiring): AgentWiring => ({ listen: PORT, messages: { ask: message } });

const NAME = '1 to 64 of A-Z a-z 0-9 _ . : and -';
const PATH = 'an absolute path of A-Z a-z 0-9 _ . @ : + - and /';
const EXPRESSION = 'one expression of HAProxy: without blanks outside of quotes';
const CONDITION = "a condition in braces, without if: '{ path_beg /api/ } !{ src 10.0.0.0/8 }'";
const MESSAGES = "an object of messages by name: { 'check-request': { args: { ip: 'src' } } }";
const wired = (given: object) => ({ ...asks({}), ...given });
const argument = (expression: unknown) => asks({ args: { ip: expression as string } });
const conditional = (condition: unknown) => asks({ if: condition as string });

/** Every option: wrong values of it, and the whole text of the error behind the name of the function. */
const REFUSED: readonly (readonly [wiring: unknown, text: string])[] = [
  [undefined, ': options is undefined: must be an object of name, listen, messages, deadlineMs, spoePath, chroot'],
  [
    wired({ prefix: 'x' }),
    ': "prefix" is no option: must be one of name, listen, messages, deadlineMs, spoePath, chroot',
  ],
  ...['my-agent', '', 'x'.repeat(19), 7, null].map(
    (name) => [wired({ name }), `: name is ${JSON.stringify(name)}: must be 1 to 18 of A-Z a-z 0-9 _ and .`] as const,
  ),
  ...[undefined, null, [], 'ask'].map(
    (messages) =>
      [
        { listen: PORT, messages },
        `: messages is ${Array.isArray(messages) ? 'an array' : messages === 'ask' ? '"ask"' : messages}: must be ${MESSAGES}`,
      ] as const,
  ),
  [{ listen: PORT, messages: {} }, ': messages: must have one message or more'],
  [{ listen: PORT, messages: { 'a b': {} } }, `: the name of a message is "a b": must be ${NAME}`],
  [
    { listen: PORT, messages: { ask: 'src' } },
    ': message "ask": options is "src": must be an object of args, event, if',
  ],
  [wired({ listen: [] }), ': listen: must have one address or more'],
  [{ messages: { ask: {} } }, ": listen is undefined: must be { port: 9000 } or { path: '/run/agent.sock' }"],
  [wired({ listen: [PORT, 9001] }), ": listen is 9001: must be { port: 9000 } or { path: '/run/agent.sock' }"],
  [wired({ listen: { port: 0 } }), ': listen: port is 0: must be the port on which the agent listens'],
  ...['a\nb', 'a:b', '1.2.3', '300.1.1.1', '-x', 'a/b', 'unix@/a'].map(
    (host) =>
      [
        wired({ listen: { port: 1, host } }),
        host === 'a\nb'
          ? `: listen: host is "a\\nb": must be a name or an address: '127.0.0.1', or '0.0.0.0' for every address`
          : `: listen: host is "${host}": must be a host name or an address`,
      ] as const,
  ),
  [wired({ listen: { path: '/run/a b.sock' } }), `: listen: path is "/run/a b.sock": must be ${PATH}`],
  [wired({ listen: { path: `/${'x'.repeat(97)}` } }), ': listen: path has 98 bytes: HAProxy takes at most 97'],
  [
    wired({ listen: { path: '/run/a.sock' }, chroot: '/var/lib/haproxy/' }),
    ': listen: path is "/run/a.sock": must be below /var/lib/haproxy/, as HAProxy with that chroot reaches nothing else',
  ],
  [wired({ chroot: 'var' }), `: chroot is "var": must be ${PATH}`],
  [wired({ chroot: true }), `: chroot is true: must be ${PATH}`],
  [wired({ spoePath: 'agent.cfg' }), `: spoePath is "agent.cfg": must be ${PATH}`],
  [wired({ spoePath: '/a b' }), `: spoePath is "/a b": must be ${PATH}`],
  ...[0, -1, 1.5, Number.NaN, 60_001].map(
    (deadlineMs) =>
      [wired({ deadlineMs }), `: deadlineMs is ${deadlineMs}: must be a whole number from 1 to 60000`] as const,
  ),
  [wired({ deadlineMs: '80' }), ': deadlineMs is "80": must be a whole number from 1 to 60000'],
  [asks({ arg: {} } as object), ': message "ask": "arg" is no option: must be one of args, event, if'],
  [
    asks({ args: ['src'] } as object),
    `: message "ask": args is an array: must be an object of expressions by name: { ip: 'src' }`,
  ],
  [
    asks({ args: Object.fromEntries(Array.from({ length: 256 }, (_, nth) => [`a${nth}`, 'src'])) }),
    ': message "ask": args: must be at most 255, not 256',
  ],
  [asks({ args: { 'i=p': 'src' } }), `: message "ask": a name in args is "i=p": must be ${NAME}`],
  [
    asks({ event: 'on-request' as 'on-http-response' }),
    `: message "ask": event is "on-request": must be one of ${SPOE_EVENTS.join(', ')}`,
  ],
  ...['src 1', 'src#', '', 'str("a)', "str('a)", 'str(a\\', 'str("$HOME")', 'str("\\x4")', 'str(é)', 'src\n'].map(
    (expression) =>
      [
        argument(expression),
        `: message "ask": args.ip is ${JSON.stringify(expression)}: must be ${EXPRESSION}`,
      ] as const,
  ),
  [argument(7), `: message "ask": args.ip is 7: must be ${EXPRESSION}`],
  [argument('x'.repeat(1901)), `: message "ask": args.ip is "${'x'.repeat(60)}…": must be ${EXPRESSION}`],
  ...[
    'path_beg /api/',
    'if { path / }',
    '{ path / }\nspoe-message b',
    '{ path / } # all',
    '{ path / } or',
    'or { path / }',
    '{ path / } !',
    '{path /}',
    '{ }',
    '{ path /',
    '{ path { src } }',
    'is_api',
    '',
  ].map(
    (condition) =>
      [conditional(condition), `: message "ask": if is ${JSON.stringify(condition)}: must be ${CONDITION}`] as const,
  ),
  [conditional(true), `: message "ask": if is true: must be ${CONDITION}`],
  [conditional('TRUE '.repeat(61)), `: message "ask": if is "${'TRUE '.repeat(12)}…": must be ${CONDITION}`],
];

describe('haproxyFiles', () => {
  it('refuses what HAProxy would, with one line that says what would be right', () => {
    for (const [wiring, text] of REFUSED)
      assert.throws(() => haproxyFiles(wiring as AgentWiring), { name: 'TypeError', message: `haproxyFiles${text}` });
  });

  it('waits longer than the agent, and names sockets as HAProxy sees them', () => {
    const { spoe, backend } = haproxyFiles({
      ...asks({}),
      listen: [{ path: '/var/lib/haproxy/run/a.sock' }, { port: 9000, host: '::1' }],
      chroot: '/var/lib/haproxy/',
      deadlineMs: 80,
    });
    assert.match(spoe, /timeout processing 100ms/);
    assert.match(backend, /server agent1 unix@\/run\/a\.sock check/);
    assert.match(backend, /server agent2 \[::1\]:9000 check/);
  });
});

/** Texts that break a line of HAProxy's, or mean something in it. */
const ODD = [
  '',
  ' ',
  'a b',
  'a\tb',
  'a\nb',
  'a#b',
  'a"b',
  "a'b",
  'a\\',
  'a\\x4',
  '$a',
  '"$a"',
  'é',
  '{',
  '}',
  'a=b',
  '[a]',
];
/** Mostly of the first, which are right, and now and then of the others, which may be. */
const mostly = <T>(right: readonly T[], odd: readonly T[]) =>
  fc.oneof({ weight: 12, arbitrary: fc.constantFrom(...right) }, { weight: 1, arbitrary: fc.constantFrom(...odd) });
const ofBytes = (bytes: number) => `/${'x'.repeat(bytes - 1)}`;
const NAMES = mostly(
  ['ask', 'none', 'if', 'unless', 'a.b', 'a:b', '-', '.', '..', '0', 'messages', 'acl', 'x'.repeat(64)],
  [...ODD, 'x'.repeat(65), 'x'.repeat(3000)],
);
const EXPRESSIONS = mostly(
  [
    'src',
    'req.hdr(user-agent)',
    'path,lower',
    'str("a b")',
    "str('a b')",
    'str(a\\ b)',
    'str("#")',
    'str("\\$x")',
    `str(${'x'.repeat(1890)})`,
  ],
  [...ODD.map((odd) => `str(${odd})`), 'src src', ' src', 'src ', '', `str(${'x'.repeat(2040)})`],
);
/** What stands in braces is HAProxy's to judge, as is what an expression asks for: so it is right here. */
const TESTS = [
  '{ path_beg /api/ }',
  '{ src 10.0.0.0/8 }',
  '{ path -m str "a b" }',
  "{ path 'a#b' }",
  '!{ path / }',
  '! { path / }',
  'METH_GET',
  '!TRUE',
  '{ path / } or { path /a }',
  'FALSE || HTTP_1.1',
];
const CONDITIONS = fc
  .array(mostly(TESTS, ['or', '||', '!', '{', 'if', 'is_api', '#', '"', "'", '\\', 'HTTP_2', '{}']), {
    minLength: 1,
    maxLength: 20,
    size: 'small',
  })
  .map((tokens) => tokens.join(' '));
const LISTEN = fc.oneof(
  fc.record({
    port: mostly([9000, 1, 65_535], [0, -1, 65_536]),
    host: mostly(
      ['127.0.0.1', '::1', '::', '0.0.0.0', '0:0::0', '::ffff:127.0.0.1', 'localhost'],
      ['1.2.3', '127.1', '300.1.1.1', ':', 'a:b', '-', '*', 'fd@1', 'ipv4@127.0.0.1', ...ODD],
    ),
  }),
  fc.record({
    path: mostly(
      ['/run/a', '/run/a@b:c+d-e.sock', '/run//a', '/run/.', ...[96, 97].map(ofBytes)],
      ['/', 'a', ...[98, 107, 108].map(ofBytes), ...ODD.map((odd) => `/run/${odd}`)],
    ),
  }),
);
const many = <T>(counts: readonly number[], name: string, value: T) =>
  fc
    .constantFrom(...counts)
    .map((count) =>
      Object.fromEntries(Array.from({ length: count }, (_, nth): [string, T] => [`${name}${nth}`, value])),
    );
const HOSTILE = fc.record(
  {
    name: mostly(['agent', 'a.b', '.', '0', 'x'.repeat(18), 'none', 'global'], [...ODD, 'x'.repeat(19)]),
    listen: fc.oneof(LISTEN, fc.array(LISTEN, { maxLength: 3 })),
    deadlineMs: mostly([1, 80, 60_000], [0, 1.5, -1, 1e21, Number.NaN]),
    chroot: mostly([undefined], ['/run', '/run/', '/', 'run']),
    messages: fc.oneof(
      {
        weight: 4,
        arbitrary: fc.dictionary(
          NAMES,
          fc.record({ args: fc.dictionary(NAMES, EXPRESSIONS, { maxKeys: 2 }), if: CONDITIONS }, { requiredKeys: [] }),
          { minKeys: 1, maxKeys: 2 },
        ),
      },
      // more than one line of HAProxy's would have
      { weight: 1, arbitrary: many([26, 70, 300], 'm'.repeat(60), {}) },
      { weight: 1, arbitrary: many([70, 255, 256], 'a', 'src').map((args) => ({ ask: { args } })) },
    ),
  },
  { requiredKeys: ['listen', 'messages'] },
);

/** A site up to its filters. */
const SITE = `defaults
    mode http
    timeout connect 1s
    timeout client 1s
    timeout server 1s
frontend web
    bind 127.0.0.1:1
`;

/** Filter lines that find the SPOE file where `checkHaproxy` has it. */
function beside(filters: string): string {
  return filters.replace(`/x/${SPOE_FILE}`, SPOE_FILE);
}

/** A configuration with it, unless it is refused. */
function configured(wiring: object): { readonly config: string; readonly spoe: string } | undefined {
  try {
    const { spoe, frontend, backend } = haproxyFiles({ ...wiring, spoePath: `/x/${SPOE_FILE}` } as AgentWiring);
    const config = `${SITE}${beside(frontend)}
${backend}`;
    return { config, spoe };
  } catch (error) {
    assert.ok(error instanceof TypeError, String(error));
    return undefined;
  }
}

describeOnEveryHaproxy('what haproxyFiles writes', ({ binary }) => {
  it('is taken without a warning, for every event', () => {
    const messages = SPOE_EVENTS.map((event): [string, MessageWiring] => [
      `m-${event}`,
      {
        event,
        args: { ip: 'src', id: 'unique-id' },
        ...(event.includes('http') && { if: '{ src 127.0.0.0/8 } !{ src 127.0.0.9 }' }),
      },
    ]);
    const sections = (kind: RegExp) => Object.fromEntries(messages.filter(([, { event = '' }]) => kind.test(event)));
    const wire = (name: string, kind: RegExp) =>
      haproxyFiles({ name, listen: PORT, messages: sections(kind), spoePath: `/x/${SPOE_FILE}` });
    const ofFrontend = wire('front', /client|frontend/);
    const ofBackend = wire('back', /server|backend|response/);
    const config = `${SITE}${beside(ofFrontend.frontend)}    default_backend origin
backend origin
${beside(ofBackend.frontend)}    server origin 127.0.0.1:2
${ofFrontend.backend}
${ofBackend.backend}`;
    checkHaproxy({ binary, config, spoe: `${ofFrontend.spoe}\n${ofBackend.spoe}` });
  });

  it('is taken, whatever is given, or it throws', () => {
    const taken = new Set<string>();
    fc.assert(
      fc.property(HOSTILE, (wiring) => {
        const written = configured(wiring);
        if (written === undefined) return;
        checkHaproxy({ binary, ...written });
        taken.add(JSON.stringify(wiring));
      }),
      { numRuns: longRuns(2000, hasNewer ? 60 : 20) },
    );
    assert.ok(taken.size >= 3, `${taken.size} were taken`);
  });
});
