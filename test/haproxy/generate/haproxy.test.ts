import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { ListenAddress } from '../../../config/listen-address.ts';
import type { MessageSettings, Settings } from '../../../config/settings.ts';
import { DENY_STATUSES, OPT_IN } from '../../../contract/actions.ts';
import { KINDS } from '../../../contract/subject.ts';
import { checkHaproxy, SPOE_FILE } from '../../../dev/haproxy.ts';
import type { HaproxyBuild } from '../../../dev/haproxy-builds.ts';
import { frontendConfig } from '../../../dev/haproxy-config.ts';
import { type Event, MESSAGE_EVENTS } from '../../../haproxy/events.ts';
import { agentsBackend } from '../../../haproxy/generate/agents-backend.ts';
import { spoeFile } from '../../../haproxy/generate/spoe.ts';
import { tcpBackendRules, tcpFrontendRules } from '../../../haproxy/generate/tcp.ts';
import { MAX_SERVER_PATH_BYTES } from '../../../spop/haproxy/server-address.ts';
import { describeOnEveryHaproxy } from '../../support/every-haproxy.ts';
import { type Changes, settingsWith } from '../../support/settings.ts';

const POLICIES: readonly MessageSettings['policy'][] = [{ default: 'open' }, { default: 'closed' }];
const LISTENS: readonly (readonly ListenAddress[])[] = [
  [{ type: 'tcp', host: '127.0.0.1', port: 9000 }],
  [{ type: 'tcp', host: '::', port: 9000 }],
  [
    { type: 'unix', path: '/run/a@b:c+d.sock' },
    { type: 'tcp', host: '2001:db8::1', port: 1 },
    { type: 'tcp', host: 'localhost', port: 65_535 },
  ],
  [socketOf(MAX_SERVER_PATH_BYTES)],
];
const IP = { kind: 'ip', expression: 'src' };
const SUBJECTS: Readonly<Record<string, MessageSettings['subjects']>> = {
  'check-request': [IP],
  'a.B_c-1': [
    { kind: 'host', expression: 'req.hdr(host),field(1,:),lower' },
    { kind: 'header.x-api-key', expression: 'req.hdr(x-api-key)' },
    { kind: 'cookie.a_b-c', expression: 'req.cook(a_b-c)' },
    { kind: 'key', expression: 'path,regsub(/+$,/),sha2(256),hex' },
  ],
  many: [
    ...KINDS.map((kind) => ({ kind, expression: 'path' })),
    ...Array.from({ length: 91 }, (_, index) => ({ kind: `header.x-${index}`, expression: `req.hdr(x-${index})` })),
  ],
};

const EVERYTHING = {
  actions: OPT_IN,
  denyStatuses: DENY_STATUSES,
  backends: ['blue', 'green.eu-1:a'],
  requestHeaders: ['X-Plan', 'x-a-very-long-name-of-a-header-32'.slice(0, 32)],
  responseHeaders: ['Cache-Control', 'server'],
  bodyContentType: 'text/html; charset=utf-8',
  denyPages: [
    { status: 403, file: import.meta.filename, contentType: 'text/html; charset=utf-8' },
    { status: 451, file: import.meta.filename, contentType: 'text/plain' },
    { status: 503, file: import.meta.filename, contentType: 'text/plain' },
  ],
};
type Message = NonNullable<Changes['messages']>[number];
const at = (event: Event, condition?: string, policy: MessageSettings['policy'] = { default: 'closed' }): Message => ({
  name: `at-${event}`,
  ...{ event, subjects: [IP], policy },
  ...(condition !== undefined && { condition }),
});
const login = { name: 'check-login', group: 'login', subjects: [{ kind: 'path', expression: 'path' }] } as const;

/** What has a condition, a group or a body, and several messages at once. */
const MESSAGES: Readonly<Record<string, readonly Message[]>> = {
  ...Object.fromEntries(MESSAGE_EVENTS.map((event) => [event, [at(event)]])),
  'all scopes': (['on-client-session', 'on-frontend-http-request', 'on-backend-http-request'] as const)
    .map((event): Message => at(event))
    .concat([at('on-http-response', undefined, { default: 'open' }), { ...login, policy: { default: 'closed' } }]),
  'a condition with or': [
    at('on-frontend-http-request', '{ method PUT } !{ src 10.0.0.0/8 } or METH_POST || { method GET }'),
  ],
  'a condition with a list': [at('on-backend-http-request', '{ req.hdr(x-a) -m reg ^a(b|c)$ } { be_name origin }')],
  'a condition of a response': [at('on-http-response', '{ status 200:399 }')],
  'a condition of a connection': [at('on-client-session', '{ src 192.0.2.0/24 } or LOCALHOST')],
  'a group': [{ ...login, policy: { default: 'closed' } }],
  'bodies and TLS': [
    {
      ...at('on-frontend-http-request'),
      arguments: [
        { name: 'body', expression: 'req.body' },
        { name: 'query', expression: 'query' },
        { name: 'sni', expression: 'ssl_fc_sni' },
        { name: 'version', expression: 'ssl_fc_protocol' },
        { name: 'cert', expression: 'ssl_c_s_dn(cn)' },
        { name: 'hdrs', expression: 'req.hdrs' },
      ],
    },
    { ...at('on-http-response'), arguments: [{ name: 'body', expression: 'res.body' }] },
  ],
  'in shadow mode': [{ ...at('on-frontend-http-request'), shadow: true }],
};

/** Messages that `recentSeconds` skips for some clients, beside one that it does not skip. */
const RECENT: Readonly<Record<string, readonly Message[]>> = {
  'the default event': [at('on-frontend-http-request')],
  'paths and a condition with or': [
    { ...at('on-frontend-http-request', '{ method PUT } or METH_POST'), paths: ['/a', '/b/*'] },
  ],
  'an address of a header': [
    { ...at('on-frontend-http-request'), subjects: [{ kind: 'ip', expression: 'req.hdr_ip(x-forwarded-for,-1)' }] },
  ],
  'groups, and every other event': [
    ...MESSAGE_EVENTS.filter((event) => event !== 'on-frontend-tcp-request' && event !== 'on-tcp-response').map(
      (event) => at(event),
    ),
    { ...login, policy: { default: 'closed' } },
    { ...login, name: 'by-hand', group: 'hand', subjects: [IP], policy: { default: 'open' } },
    { ...login, name: 'by-rule', group: 'rule', condition: 'METH_POST', subjects: [IP], policy: { default: 'closed' } },
  ],
};

describeOnEveryHaproxy('the wiring, taken without a warning', (build) => {
  for (const [name, messages] of Object.entries(RECENT))
    it(`recentSeconds, ${name}`, () => {
      for (const recentSeconds of [1, 60]) {
        taken(build, { messages, haproxy: { recentSeconds, recentStickCounter: recentSeconds === 1 ? 0 : 2 } });
        taken(build, { messages: messages.map((one) => ({ ...one, shadow: true })), haproxy: { recentSeconds } });
      }
    });

  for (const policy of POLICIES)
    for (const [index, listen] of LISTENS.entries())
      for (const [name, subjects] of Object.entries(SUBJECTS))
        it(`policy ${policy.default}, addresses ${index}, message ${name}`, () =>
          taken(build, { listen, messages: [{ name, subjects, policy, event: 'on-frontend-http-request' }] }));

  it('but for a socket whose path is longer than the configuration may have', () => {
    const settings = settingsWith({ listen: [socketOf(MAX_SERVER_PATH_BYTES + 1)] });
    const config = frontendConfig({ settings, binds: ['127.0.0.1:8080'] });
    assert.throws(() => checkHaproxy({ binary: build.binary, config, spoe: spoeFile(settings) }), /too long/);
  });

  for (const [name, messages] of Object.entries(MESSAGES))
    it(`every action and change, ${name}`, () => {
      taken(build, { messages });
      taken(build, { messages, haproxy: EVERYTHING });
      taken(build, { messages: messages.map((message) => ({ ...message, policy: { default: 'open' } })) });
    });
});

function socketOf(bytes: number): ListenAddress {
  return { type: 'unix', path: `/${'a'.repeat(bytes - 1)}` };
}

/** The wiring for an older HAProxy is taken too. */
function taken(build: HaproxyBuild, changes: Changes): void {
  for (const version of ['2.4', build.version] as const) {
    const settings = settingsWith({ ...changes, haproxy: { prefix: 'a.b_C', ...changes.haproxy, version } });
    const config = frontendConfig({ settings, binds: ['127.0.0.1:8080'] }).replace(
      /# *(?=log-format|http-request send-spoe-group)/g,
      '',
    );
    assert.match(config, /^ {4}log-format/m);
    checkHaproxy({ binary: build.binary, config, spoe: spoeFile(settings) });
    const tcp = tcpConfig(settings);
    if (tcp !== undefined) checkHaproxy({ binary: build.binary, config: tcp, spoe: spoeFile(settings) });
  }
}

function tcpConfig(settings: Settings): string | undefined {
  const rules = tcpFrontendRules(settings, SPOE_FILE);
  if (rules === '') return undefined;
  const backend = (name: string) => `backend ${name}\n${tcpBackendRules(settings)}    server s 127.0.0.1:1\n`;
  return `defaults
    mode tcp
    timeout connect 2s
    timeout client 10s
    timeout server 10s

frontend tcp
    bind 127.0.0.1:8081
${rules}    default_backend origin

${['origin', ...settings.haproxy.backends].map(backend).join('\n')}
${agentsBackend(settings)}`;
}
