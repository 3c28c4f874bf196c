import type { Settings } from '../../../config/settings.ts';
import { SPOE_FILE } from '../../../dev/haproxy.ts';
import { describeOnEveryHaproxy } from '../../support/every-haproxy.ts';
import { settingsWith } from '../../support/settings.ts';
import { above, both, frontend, type Situation, section, testSituations } from './situation.ts';

/** A frontend in mode tcp for everybody, whose connections end at this server. */
const passing = (server: string) =>
  section(
    `frontend tls\n    mode tcp\n    bind :8443\n    default_backend inside\n\nbackend inside\n    mode tcp\n    server x ${server}\n`,
  );

const UNGUARDED = [['frontend-unguarded', 'frontend other']] as const;

/** The message of the configuration, for these frontends. */
const forFrontends = (frontends: readonly string[]) => ({
  messages: [{ ...settingsWith({}).messages[0], frontends }] as Settings['messages'],
});

const SITUATIONS: readonly Situation[] = [
  ...[
    { server: '127.0.0.1:8082 send-proxy', bind: '127.0.0.1:8082 accept-proxy' },
    { server: 'localhost:8082', bind: '127.0.0.1:8082' },
    { server: '127.0.0.1:8082', bind: '127.0.0.1:8081,ipv4@127.0.0.1:8082' },
    { server: '127.0.0.1:8085', bind: '127.0.0.1:8080-8090' },
    { server: '127.0.0.1', bind: '127.0.0.1:8082' },
    { server: '[::1]:8082', bind: 'ipv6@[::1]:8082' },
    { server: 'unix@/tmp/other.sock send-proxy-v2', bind: '/tmp/other.sock accept-proxy' },
    { server: 'abns@other send-proxy-v2', bind: 'abns@other accept-proxy' },
  ].map(
    ({ server, bind }): Situation => ({
      name: `TLS passed through to a forgotten frontend of the same file: ${server}`,
      edit: both(frontend('', bind), passing(server)),
      found: UNGUARDED,
      haproxy: 'takes',
    }),
  ),
  {
    name: 'a listen section in mode tcp that sends to a forgotten frontend',
    edit: both(
      frontend('', '127.0.0.1:8082'),
      section('listen tls\n    mode tcp\n    bind :8443\n    server x 127.0.0.1:8082\n'),
    ),
    found: UNGUARDED,
    haproxy: 'takes',
  },
  {
    name: 'a socket in the chroot, made in the folder of unix-bind',
    edit: both(frontend('', '/other.sock'), passing('unix@/run/other.sock'), (config) =>
      config.replace('global\n', '$&    chroot /var/empty\n    unix-bind prefix /var/empty/run\n'),
    ),
    found: UNGUARDED,
  },
  ...[
    { server: '127.0.0.1:8083', bind: '127.0.0.1:8082' },
    { server: '192.0.2.30:8082', bind: '127.0.0.1:8082' },
    { server: 'app.example:8082', bind: '127.0.0.1:8082' },
    { server: '127.0.0.2:8082', bind: '127.0.0.1:8082' },
    { server: '127.0.0.1:8079', bind: '127.0.0.1:8080-8090' },
    { server: 'unix@/tmp/others.sock', bind: '/tmp/other.sock' },
  ].map(
    ({ server, bind }): Situation => ({
      name: `a frontend at ${bind}, and a server at ${server}`,
      edit: both(frontend('', bind), passing(server)),
      found: [],
    }),
  ),
  {
    name: 'a frontend that only a guarded one sends to',
    edit: both(
      frontend('', '127.0.0.1:8082'),
      above('    use_backend inner if { path_beg /inner }\n'),
      section('backend inner\n    server x 127.0.0.1:8082\n'),
    ),
    found: [],
    haproxy: 'takes',
  },
  ...[['web', 'other'], ['other']].map(
    (frontends): Situation => ({
      name: `a message for frontend ${frontends.join(' and ')}, without the filter in other`,
      changes: forFrontends(frontends),
      edit: both(frontend('', ':8081', 'apart'), section('backend apart\n    server s 192.0.2.21:80\n')),
      found: [['frontend-not-asked', 'frontend other']],
      haproxy: 'takes',
    }),
  ),
  {
    name: 'a message for a frontend on 127.0.0.1 that has no filter',
    changes: forFrontends(['other']),
    edit: frontend('', '127.0.0.1:8082'),
    found: [['frontend-not-asked', 'frontend other']],
    haproxy: 'takes',
  },
  {
    name: 'one frontend that reads decisions, another forgotten, both without the filter',
    edit: both(
      frontend('    http-request deny if { var(txn.haverdict.action) -m str deny }\n'),
      section('frontend third\n    bind :8083\n    default_backend origin\n'),
    ),
    found: [
      ['filter-missing-here', 'deny if'],
      ['frontend-unguarded', 'frontend third'],
    ],
    haproxy: 'takes',
  },
  ...[['web', 'other'], ['web']].map(
    (frontends): Situation => ({
      name: `a message for HTTP for ${frontends.join(' and ')}, the filter in mode tcp in other, where another message is sent`,
      changes: {
        messages: [
          {
            name: 'check-connection',
            event: 'on-client-session',
            frontends: ['other'],
            subjects: [],
            policy: { default: 'open' },
          },
          ...forFrontends(frontends).messages,
        ],
      },
      edit: section(
        `frontend other
    mode tcp
    bind :8443
    filter spoe engine haverdict config ${SPOE_FILE}
    tcp-request content reject if { fe_name -m str other } { var(txn.haverdict.error) -m int 3 259 4 5 255 }
    tcp-request content reject if { var(sess.haverdict.action) -m str deny tarpit drop redirect }
    default_backend plain

backend plain
    mode tcp
    server s 192.0.2.21:443
`,
      ),
      found: frontends.includes('other') ? [['event-needs-http', 'filter spoe']] : [],
    }),
  ),
];

describeOnEveryHaproxy('a frontend that was forgotten', (build) => testSituations(build, SITUATIONS));
