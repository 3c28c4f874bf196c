import { join } from 'node:path';
import fc from 'fast-check';
import { DENY_STATUSES, OPT_IN } from '../../contract/actions.ts';
import { REASONS } from '../../contract/policy.ts';

type Json = Readonly<Record<string, unknown>>;

/** Any file that HAProxy may send as a page, and small enough for it. */
const PAGE = join(import.meta.dirname, 'help.ts');

const POLICY = fc.oneof(
  fc.constantFrom('open', 'closed'),
  fc
    .tuple(
      fc.constantFrom('open', 'closed'),
      fc.dictionary(fc.constantFrom(...REASONS), fc.constantFrom('open', 'closed'), { maxKeys: 3 }),
    )
    .map(([all, some]) => ({ default: all, ...some })),
);

const CONNECTION_SUBJECTS = { ip: 'src', key: 'src,ipmask(24)', 'header.port': 'dst_port' };
const REQUEST_SUBJECTS = {
  ...{ ip: 'src', host: 'req.fhdr(host)', path: 'path', method: 'method', ua: 'req.fhdr(user-agent)' },
  ...{ key: 'req.fhdr(x-api-key),sha2(256),hex', 'header.x-a': 'req.fhdr(x-a)', 'cookie.sid': 'req.cook(sid)' },
  ...{ country: 'req.fhdr(x-country)', 'cookie.tok': 'req.cook(tok),url_dec' },
};
const RESPONSE_SUBJECTS = { ip: 'src', 'header.server': 'res.fhdr(server)', key: 'status' };
const HELLO_SUBJECTS = { host: 'req.ssl_sni', ip: 'src', 'header.tls': 'req.ssl_ver' };
const FORWARDED_SUBJECTS = { ip: 'req.hdr_ip(x-forwarded-for,-1)', host: 'req.fhdr(host)' };

const REQUEST_CONDITIONS = [
  '{ method POST }',
  '!{ src 10.0.0.0/8 }',
  '{ method PUT } !{ src 10.0.0.0/8 } or METH_POST || { method GET }',
  '{ req.fhdr(x-a) -m reg ^a(b|c)$ }',
];
const CONNECTION_CONDITIONS = ['{ src 192.0.2.0/24 }', '!{ src 10.0.0.0/8 } or LOCALHOST'];

const optional = (values: Readonly<Record<string, fc.Arbitrary<unknown>>>) => fc.record(values, { requiredKeys: [] });
const some = (values: Readonly<Record<string, string>>) =>
  fc
    .subarray(Object.entries(values), { minLength: 1, maxLength: Math.min(4, Object.keys(values).length) })
    .map((entries) => Object.fromEntries(entries));
const list = (values: readonly string[], minLength = 0) => fc.subarray([...values], { minLength });

/** Those of `wiredConfig`: two in mode http, and one in mode tcp, in which no message for HTTP is ever sent. */
const HTTP_FRONTENDS = fc.constantFrom(['web'], ['shop'], ['web', 'shop']);
const FRONTENDS = fc.constantFrom(['web'], ['ports'], ['shop', 'ports'], ['web', 'shop', 'ports']);
const ANYWHERE = { policy: POLICY, shadow: fc.boolean() };
const OF_REQUEST = {
  ...ANYWHERE,
  paths: list(['/login', '/admin/*', '/a%20b/*'], 1),
  hosts: list(['admin.example', '*.internal.example', '192.0.2.1', '[2001:db8::1]'], 1),
  condition: fc.constantFrom(...REQUEST_CONDITIONS),
  oddPaths: fc.constantFrom('refuse', 'pass'),
  frontends: HTTP_FRONTENDS,
  arguments: optional({
    body: fc.constant('req.body,sha2(256),hex'),
    size: fc.constant('req.body_size'),
    query: fc.constant('query'),
    tls: fc.constant('ssl_fc_protocol'),
  }),
};
const OF_CONNECTION = { ...ANYWHERE, frontends: FRONTENDS, condition: fc.constantFrom(...CONNECTION_CONDITIONS) };

function message(
  where: Json,
  subjects: readonly Readonly<Record<string, string>>[],
  more: Readonly<Record<string, fc.Arbitrary<unknown>>>,
): fc.Arbitrary<Json> {
  return fc
    .record({ subjects: fc.oneof(...subjects.map(some)), more: optional(more) })
    .map(({ subjects, more }) => ({ ...where, subjects, ...more }));
}

/** One message for each of what HAProxy can tell apart, each of them or not. */
const MESSAGES = optional({
  connection: fc
    .constantFrom('on-client-session', 'on-frontend-tcp-request')
    .chain((event) => message({ event }, [CONNECTION_SUBJECTS], OF_CONNECTION)),
  request: message({}, [REQUEST_SUBJECTS, FORWARDED_SUBJECTS, { ip: 'src' }], OF_REQUEST),
  'of.backend-1': message({ event: 'on-backend-http-request' }, [REQUEST_SUBJECTS], OF_REQUEST),
  response: fc
    .constantFrom('on-tcp-response', 'on-http-response')
    .chain((event) =>
      message({ event }, [event === 'on-http-response' ? RESPONSE_SUBJECTS : CONNECTION_SUBJECTS], ANYWHERE),
    ),
  login: message({ group: 'login' }, [REQUEST_SUBJECTS, { ip: 'src' }], OF_REQUEST),
  api: message({ group: 'api_2' }, [REQUEST_SUBJECTS], OF_REQUEST),
  // without what the client sends first it would be a group for HTTP
  sni: message({ group: 'sni' }, [{ host: 'req.ssl_sni' }, HELLO_SUBJECTS], OF_CONNECTION).map((sni) => ({
    ...sni,
    subjects: { ...(sni.subjects as Json), host: 'req.ssl_sni' },
  })),
}).filter((messages) => Object.keys(messages).length > 0);

const HAPROXY = optional({
  prefix: fc.constantFrom('haverdict', 'a.b_C', 'x'),
  actions: list(OPT_IN),
  backends: list(['blue', 'green.eu-1:a']),
  requestHeaders: list(['X-Plan', 'x-b']),
  responseHeaders: list(['Cache-Control', 'server']),
  denyStatuses: list(DENY_STATUSES.map(String)),
  denyPages: list(DENY_STATUSES.map(String)).map((statuses) =>
    Object.fromEntries(statuses.slice(0, 3).map((status) => [status, { file: PAGE }])),
  ),
  bodyContentType: fc.constantFrom('text/html; charset=utf-8', 'application/json'),
  recentSeconds: fc.constantFrom(0, 0, 0, 2, 30),
});

const LISTEN = fc.constantFrom<readonly unknown[]>(
  ['tcp://127.0.0.1:9000'],
  ['tcp://[::]:9000'],
  [{ unix: '/run/haverdict/agent.sock' }],
  ['tcp://localhost:9000', 'tcp://10.0.0.1:9001'],
  [{ unix: '/run/a@b:c+d.sock' }, 'tcp://127.0.0.1:9000'],
);

/**
 * The configuration of an agent as its file has it, with expressions and conditions that HAProxy takes where they are used.
 * Not all of them are valid: some parts rule out others.
 */
export const anyConfiguration: fc.Arbitrary<Json> = fc
  .record({
    messages: MESSAGES,
    haproxy: HAPROXY,
    listen: LISTEN,
    more: optional({ policy: POLICY, deadlineMs: fc.integer({ min: 10, max: 400 }) }),
  })
  .map(({ messages, haproxy, listen, more }) => ({
    ...{ backend: { url: 'http://127.0.0.1:8787' }, listen, messages },
    haproxy: { ...haproxy, ...('denyStatuses' in haproxy && { denyStatuses: numbers(haproxy.denyStatuses) }) },
    ...more,
  }));

function numbers(statuses: unknown): number[] {
  return (statuses as readonly string[]).map(Number); // as HAPROXY makes them
}
