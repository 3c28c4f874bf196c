import type { Settings } from '../../../../agent/config/settings.ts';
import { examine, type Finding } from '../../../../agent/wiring/doctor/doctor.ts';
import { readInstallation } from '../../../../agent/wiring/doctor/installation.ts';
import { spoeFile } from '../../../../agent/wiring/spoe.ts';
import { SPOE_FILE } from '../../../../dev/haproxy.ts';
import { frontendConfig } from '../../../../dev/haproxy-config.ts';
import { settingsWith } from '../../../support/settings.ts';

/** haproxy.cfg, the SPOE file it names, and the settings both belong to. */
export interface HaproxySet {
  readonly settings: Settings;
  readonly config: string;
  readonly spoe: string;
}

const SUBJECTS = [
  { kind: 'ip', expression: 'src' },
  { kind: 'host', expression: 'req.hdr(host),field(1,:),lower' },
];

/** What `haverdict wiring` generates, in a whole haproxy.cfg. */
export function generated(policy: 'open' | 'closed', changes: Partial<Settings> = {}): HaproxySet {
  const base = settingsWith(changes);
  const messages = base.messages.map(
    (message) => ({ ...message, subjects: SUBJECTS, policy: { default: policy } }) as const,
  );
  const settings = { ...base, messages };
  return { settings, config: frontendConfig({ settings, binds: ['192.0.2.10:8080'] }), spoe: spoeFile(settings) };
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
    acl passes var(txn.haverdict.action) -m str allow
    filter spoe engine ask config ${SPOE_FILE}
    http-request redirect scheme https if { path /to-https }
    http-request deny deny_status 503 if error or !decided
    http-request send-spoe-group ask logins if { path /login }
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
    ...settings.messages.map((message) => ({ ...message, name: 'login', subjects: SUBJECTS.slice(0, 1) })),
  ];
  return { settings: { ...settings, messages }, config, spoe };
}

/** The agent asked by a group only, in a section that is frontend and backend at once. */
export function grouped(): HaproxySet {
  const { settings } = generated('open');
  const { config, spoe } = handWritten();
  return {
    settings,
    config: config
      .replace(/^ {4}(chroot|user|group) .*\n/gm, '')
      .replace('unix@/run/haverdict/agent.sock', '127.0.0.1:9000')
      .replace(
        / {4}acl[\s\S]*default_backend origin\n/,
        `    filter spoe engine ask config ${SPOE_FILE}
    http-request set-src hdr(x-real-ip)
    http-request send-spoe-group ask logins
    http-request deny if { var(txn.haverdict.action) -m found } ! { var(txn.haverdict.action) -m str allow }
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

/** What the doctor finds, with no file but these two. */
export function findingsIn({ settings, config, spoe }: HaproxySet): Finding[] {
  const files = { read: (path: string) => (path === SPOE_FILE ? spoe : undefined), isSocket: () => false };
  return examine(readInstallation(settings, [{ file: 'haproxy.cfg', text: config }], files));
}
