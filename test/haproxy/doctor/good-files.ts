import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Settings } from '../../../config/settings.ts';
import { OPT_IN } from '../../../contract/actions.ts';
import { SPOE_FILE } from '../../../dev/haproxy.ts';
import { frontendConfig } from '../../../dev/haproxy-config.ts';
import { examine, type Finding } from '../../../haproxy/doctor/doctor.ts';
import { readInstallation } from '../../../haproxy/doctor/installation.ts';
import type { Event } from '../../../haproxy/events.ts';
import { agentsBackend } from '../../../haproxy/generate/agents-backend.ts';
import { markedSpoeFile } from '../../../haproxy/generate/fragment.ts';
import { marked } from '../../../haproxy/generate/marks.ts';
import { spoeFile } from '../../../haproxy/generate/spoe.ts';
import { tcpBackendRules, tcpFrontendRules } from '../../../haproxy/generate/tcp.ts';
import type { HaproxyVersion } from '../../../haproxy/versions.ts';
import { type Changes, settingsWith } from '../../support/settings.ts';

/** haproxy.cfg, the SPOE file it names, and the settings both belong to. */
export interface HaproxySet {
  readonly settings: Settings;
  readonly config: string;
  readonly spoe: string;
}

/** A small file: HAProxy warns of a page that is larger than its buffer. */
const PAGE = join(import.meta.dirname, 'reference.test.ts');

/** Where other sections go: above the agents' defaults, which would apply to them. */
export const BESIDE = /(?=\ndefaults haverdict-agents-defaults\n)|$/;

const SUBJECTS = [
  { kind: 'ip', expression: 'src' },
  { kind: 'host', expression: 'req.hdr(host),field(1,:),lower' },
];

/** An address of which a mutation can change host and port. */
const PORT = { type: 'tcp', host: '127.0.0.1', port: 9000 } as const;

/** What `haverdict wiring` generates, in a whole haproxy.cfg. */
export function generated(policy: 'open' | 'closed', changes: Changes = {}): HaproxySet {
  const base = settingsWith({ listen: [PORT], ...changes });
  const messages = base.messages.map(
    (message) => ({ ...message, subjects: SUBJECTS, policy: { default: policy } }) as const,
  );
  const settings = { ...base, messages };
  return { settings, config: frontendConfig({ settings, binds: ['192.0.2.10:8080'] }), spoe: spoeFile(settings) };
}

/** As `generated`, with the agents' backend and the SPOE file between marks. */
export function betweenMarks(agents = (text: string) => text): HaproxySet {
  const { settings, config } = generated('open');
  const text = agentsBackend(settings);
  return {
    settings,
    config: config.replace(text, () => marked({ name: 'agents', text: agents(text) })),
    spoe: markedSpoeFile(settings),
  };
}

/** As `generated`, for settings whose condition the SPOE file does not have yet: that is what the mutation writes. */
export function rawCondition(): HaproxySet {
  const files = generated('open');
  const messages = files.settings.messages.map((message) => ({ ...message, condition: '{ path_beg /admin }' }));
  return { ...files, settings: { ...files.settings, messages } };
}

const IP = [{ kind: 'ip', expression: 'src' }];
const CLOSED = { default: 'closed' } as const;

/** Every scope and a group, with all that entries can change. */
export function everyEvent(): HaproxySet {
  const settings = settingsWith({
    messages: [
      {
        name: 'at-on-client-session',
        event: 'on-client-session',
        condition: '!{ src 10.0.0.0/8 }',
        ...{ subjects: IP, policy: CLOSED },
      },
      {
        name: 'at-on-frontend-http-request',
        event: 'on-frontend-http-request',
        ...{ subjects: IP, policy: { default: 'open' } },
        arguments: [{ name: 'body', expression: 'req.body' }],
      },
      { name: 'at-on-backend-http-request', event: 'on-backend-http-request', subjects: IP, policy: CLOSED },
      { name: 'at-on-http-response', event: 'on-http-response', subjects: IP, policy: CLOSED },
      { name: 'check-login', group: 'login', subjects: IP, policy: CLOSED },
    ],
    haproxy: {
      actions: OPT_IN,
      denyStatuses: [400, 403, 429, 503],
      backends: ['blue', 'green'],
      requestHeaders: ['X-Plan'],
      responseHeaders: ['Server'],
      denyPages: [{ status: 503, file: PAGE, contentType: 'text/html' }],
    },
  });
  const config = frontendConfig({ settings, binds: ['192.0.2.10:8080'] })
    .replace(/#( +http-request send-spoe-group .*)/, '$1')
    .replace('! { var(txn.haverdict.login.action) -m found }', '{ method POST } $&');
  return { settings, config, spoe: spoeFile(settings) };
}

/** `recentSeconds`, at the default event and in a group with a condition, beside a stick counter of the user's own. */
export function recent(version: HaproxyVersion = '2.6'): HaproxySet {
  const settings = settingsWith({
    listen: [PORT],
    messages: [
      { name: 'check-request', event: 'on-frontend-http-request', paths: ['/shop/*'], subjects: IP, policy: CLOSED },
      { name: 'check-login', group: 'login', condition: '{ method POST }', subjects: IP, policy: { default: 'open' } },
      { name: 'check-host', group: 'host', condition: '{ method PUT }', subjects: SUBJECTS, policy: CLOSED },
    ],
    haproxy: { recentSeconds: 2, version },
  });
  const config = frontendConfig({ settings, binds: ['192.0.2.10:8080'] }).replace(
    /^ {4}default_backend/m,
    '    http-request track-sc0 src table own\n    http-request deny if { sc_http_req_rate(0) gt 1000 }\n$&',
  );
  const own = '\nbackend own\n    stick-table type ipv6 size 1k expire 10s store http_req_rate(10s)\n';
  return { settings, config: config.replace(BESIDE, () => own), spoe: spoeFile(settings) };
}

/** Frontends in both modes with the same engine, as `haverdict wiring` generates them. */
export function bothModes(event: Event): HaproxySet {
  const settings = settingsWith({
    messages: [
      { name: 'connection', event, subjects: IP, policy: CLOSED },
      { name: 'request', event: 'on-frontend-http-request', subjects: IP, policy: CLOSED },
    ],
    haproxy: { backends: ['blue'], requestHeaders: ['x-plan'] },
  });
  const plain = `
frontend plain
    mode tcp
    option tcplog
    bind 192.0.2.10:8081
${tcpFrontendRules(settings, SPOE_FILE)}    default_backend plain

backend plain
    mode tcp
${tcpBackendRules(settings)}    server one 192.0.2.20:80
`;
  const config = frontendConfig({ settings, binds: ['192.0.2.10:8080'] }).replace(BESIDE, () => plain);
  return { settings, config, spoe: spoeFile(settings) };
}

const SOCKET = { type: 'unix', path: '/run/haverdict/agent.sock', mode: 0o660, group: 'haproxy' } as const;

/** Written by hand: a socket in a chroot, an account, a named defaults section, ACLs, a group beside the event. */
export function handWritten(): HaproxySet {
  const listen = [{ ...SOCKET, path: `/var/lib/haproxy${SOCKET.path}` }];
  const { settings } = generated('closed', { listen });
  const config = `global
    chroot /var/lib/haproxy
    user nobody
    group haproxy

defaults base
    mode http
    timeout connect 2s
    timeout client 10s
    timeout server 10s

backend agents from base
    mode tcp
    default-server check inter 1s
    timeout server 5m
    option spop-check
    server one unix@/run/haverdict/agent.sock

frontend web from base
    bind 192.0.2.10:8080
    acl error var(txn.haverdict.err) -m found
    acl decided var(txn.haverdict.action) -m found
    acl passes var(txn.haverdict.action) -m str allow tag route log
    filter spoe engine ask config ${SPOE_FILE}
    http-request redirect scheme https if { path /to-https }
    http-request deny deny_status 503 if error or !decided
    http-request send-spoe-group ask logins if { method POST }
    http-request deny deny_status 403 if { var(txn.haverdict.logins.action) -m str deny tarpit drop redirect }
    http-request deny deny_status 403 if !passes
    use_backend origin if { path_beg /api }
    default_backend origin

backend origin from base
    server app 192.0.2.20:80
`;
  const spoe = `# other engines may share the file
[other]
spoe-agent other-agent
    messages elsewhere
    use-backend agents

spoe-message elsewhere
    event on-client-session

[ask]
spoe-agent ask-agent
    groups logins
    messages check-request
    option var-prefix haverdict
    option set-on-error err
    no option async
    no option send-frag-payload
    timeout hello 1s
    timeout idle 2m
    timeout processing 500ms
    use-backend agents
    log global

spoe-message check-request
    args host=req.hdr(host),field(1,:),lower ip=src
    event on-frontend-http-request

spoe-message login
    args ip=src

spoe-group logins
    messages login
`;
  const messages = [
    ...settings.messages,
    ...settings.messages.map(({ event: _event, ...message }) => ({
      ...message,
      ...{ name: 'login', group: 'logins', subjects: SUBJECTS.slice(0, 1), policy: { default: 'open' } as const },
    })),
  ];
  return { settings: { ...settings, messages }, config, spoe };
}

/** The agent asked by a group only, in a section that is frontend and backend at once. */
export function grouped(): HaproxySet {
  const { settings } = generated('open');
  const { config, spoe } = handWritten();
  return {
    settings: {
      ...settings,
      messages: settings.messages.map(({ event: _event, ...message }) => ({ ...message, group: 'logins' })),
    },
    config: config
      .replace(/^ {4}(chroot|user|group) .*\n/gm, '')
      .replace('unix@/run/haverdict/agent.sock', '127.0.0.1:9000')
      .replace(
        / {4}acl[\s\S]*default_backend origin\n/,
        `    filter spoe engine ask config ${SPOE_FILE}
    http-request set-src hdr(x-real-ip)
    http-request send-spoe-group ask logins
    http-request deny if { var(txn.haverdict.logins.action) -m found } ! { var(txn.haverdict.logins.action) -m str allow tag route log }
    default_backend origin
`,
      ),
    spoe: spoe
      .replace(/ {4}messages check-request\n/, '')
      .replace(/spoe-message check-request[\s\S]*?\n\n/, '')
      .replace(
        'spoe-message login\n    args ip=src',
        'spoe-message check-request\n    args ip=src host=req.hdr(host),field(1,:),lower',
      )
      .replace('messages login', 'messages check-request'),
  };
}

/** A frontend in mode tcp, asked at its own event. */
export function tcp(): HaproxySet {
  const { settings, config, spoe } = grouped();
  return {
    settings: withEvent(
      { ...settings, messages: settings.messages.map((message) => ({ ...message, subjects: SUBJECTS.slice(0, 1) })) },
      'on-frontend-tcp-request',
    ),
    config: config
      .replace('    mode http\n', '')
      .replace(
        / {4}http-request set-src[\s\S]*(?= {4}default_backend)/,
        '    tcp-request content reject if { var(txn.haverdict.err) -m int 3 259 4 5 255 } or { var(sess.haverdict.action) -m str deny tarpit drop redirect }\n',
      ),
    spoe: spoe
      .replace('groups logins', 'messages check-request')
      .replace(/ host=.*/, '\n    event on-frontend-tcp-request')
      .replace(/\nspoe-group[\s\S]*/, ''),
  };
}

/** A response is judged: what is denied there has reached the server. */
export function response(): HaproxySet {
  const { settings, config, spoe } = grouped();
  return {
    settings: withEvent(
      { ...settings, messages: settings.messages.map((message) => ({ ...message, subjects: SUBJECTS.slice(0, 1) })) },
      'on-http-response',
    ),
    config: config.replace(
      / {4}http-request set-src[\s\S]*(?= {4}default_backend)/,
      '    http-response deny if { var(res.haverdict.action) -m str deny tarpit drop redirect }\n',
    ),
    spoe: spoe
      .replace('groups logins', 'messages check-request')
      .replace(/ host=.*/, '\n    event on-http-response')
      .replace(/\nspoe-group[\s\S]*/, ''),
  };
}

/** The doctor knows every event of HAProxy, the configuration those that it has. */
function withEvent(settings: Settings, event: string): Settings {
  return {
    ...settings,
    messages: settings.messages.map(({ group: _group, ...message }) => ({ ...message, event: event as Event })),
  };
}

/** Small changes of good files that leave them good. */
export function variants(): Readonly<Record<string, HaproxySet>> {
  const open = generated('open');
  const closed = generated('closed');
  const hand = handWritten();
  const deny = /^ {4}http-request deny .*-m str deny tarpit drop redirect \}$/m;
  const changed = (set: HaproxySet, from: string | RegExp, to: string) => {
    const config = set.config.replace(from, to);
    if (config === set.config) throw new Error(`nothing matches ${from}`);
    return { ...set, config };
  };
  const rules = /(?: {4}(?:#.*|http-request .*)\n|\n)+(?= {4}(?:http-after|default_backend))/;
  const [moved = ''] = rules.exec(closed.config) ?? [];
  return {
    'a frontend that only sends to https': changed(
      open,
      BESIDE,
      '\nfrontend plain\n    bind :80\n    http-request redirect scheme https unless { ssl_fc }\n    default_backend origin\n',
    ),
    'a frontend for this host alone': changed(
      open,
      BESIDE,
      '\nfrontend own\n    bind 127.0.0.1:8081\n    default_backend origin\n',
    ),
    'a frontend for something else': changed(open, BESIDE, '\nfrontend stats\n    bind :8404\n    stats enable\n'),
    'rules in the backend': changed(
      changed(closed, rules, '\n'),
      '\nbackend origin\n',
      `\nbackend origin\n${moved.replaceAll('$', '$$$$')}`,
    ),
    'backends chosen by a variable': changed(
      open,
      / {4}default_backend/,
      '    use_backend %[path,lower] if { path /a }\n$&',
    ),
    'denied clients elsewhere': changed(
      changed(changed(open, deny, ''), BESIDE, '\nbackend sink\n    http-request return status 403\n'),
      / {4}default_backend/,
      '    use_backend sink if { var(txn.haverdict.action) -m str deny }\n$&',
    ),
    'a variable between': changed(
      open,
      deny,
      '    http-request set-var(txn.bad) bool(true) if { var(txn.haverdict.action) -m str deny }\n    http-request deny if { var(txn.bad) -m bool }',
    ),
    'unless allow under closed': changed(
      closed,
      /(?: {4}http-request deny .*\n)+(?= {4}#)/,
      '    http-request deny deny_status 503 if { var(txn.haverdict.error) -m found }\n    http-request deny unless { var(txn.haverdict.action) -m str allow tag route log }\n',
    ),
    'a second agent on another host': changed(
      open,
      /( {4}server )agent1 (\S+)(.*)/,
      '$&\n$1agent2 192.0.2.7:9000$3 backup',
    ),
    'a listen section': changed(
      changed(open, 'frontend web', 'listen web'),
      '    default_backend origin\n',
      '    server app 192.0.2.20:80\n',
    ),
    'a tracked server': changed(
      open,
      /( {4}server agent1 \S+) .*/,
      '$1 track watch/agent1\n\nbackend watch from haverdict-agents-defaults\n    mode tcp\n    timeout connect 1s\n    timeout server 1s\n    option spop-check\n    server agent1 127.0.0.1:9000 check',
    ),
    'ACLs of several lines': changed(
      hand,
      'acl passes var(txn.haverdict.action) -m str allow tag route log',
      'acl passes var(txn.haverdict.action) -m beg al\n    acl passes var(txn.haverdict.action) -m str tag route log',
    ),
  };
}

/** What the doctor finds, with no file but these two and the others. */
export function findingsIn(
  { settings, config, spoe }: HaproxySet,
  others: Readonly<Record<string, string>> = {},
): Finding[] {
  const read = (path: string) => {
    if (path === SPOE_FILE) return spoe;
    if (Object.hasOwn(others, path)) return others[path];
    return existsSync(path) ? readFileSync(path, 'utf8') : undefined;
  };
  const files = { read, isSocket: () => false };
  return examine(readInstallation(settings, [{ file: 'haproxy.cfg', text: config }], files));
}
