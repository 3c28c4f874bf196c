import type { Settings } from '../../../config/settings.ts';
import { SPOE_FILE } from '../../../dev/haproxy.ts';
import { describeOnEveryHaproxy } from '../../support/every-haproxy.ts';
import { settingsWith } from '../../support/settings.ts';
import { above, both, frontend, type Situation, section, testSituations } from './situation.ts';

const WAF = `[waf]
spoe-agent waf-agent
    groups ask
    option var-prefix waf
    option set-on-error error
    timeout hello 1s
    timeout idle 1m
    timeout processing 300ms
    use-backend waf-agents
    log global
spoe-message look
    args peer=src method=method
spoe-group ask
    messages look
`;

/** Rules that ask another agent, below ours. */
const ASKS_WAF = `    filter spoe engine waf config waf.cfg
    http-request send-spoe-group waf ask
    http-request deny if { var(txn.waf.action) -m str deny }
    http-request set-header X-Rule %[var(txn.waf.rule)]
`;
const wafBackend = (address: string) => `
backend waf-agents
    mode MODE
    timeout connect 1s
    timeout server 3m
    server waf1 ${address} check
`;

const LOGIN = {
  name: 'check-login',
  ...{ group: 'login', condition: '{ method POST }', policy: { default: 'open' } as const, subjects: [] },
};

/** A frontend in mode tcp for everybody, whose connections end at this server. */
const passing = (server: string) =>
  section(
    `frontend tls\n    mode tcp\n    bind :8443\n    default_backend inside\n\nbackend inside\n    mode tcp\n    server x ${server}\n`,
  );

const UNGUARDED = [['frontend-unguarded', 'frontend other']] as const;

const SITUATIONS: readonly Situation[] = [
  ...['192.0.2.9:9000', 'waf.example:9000', '127.0.0.1:9000', '127.0.0.1:9001'].map(
    (address): Situation => ({
      name: `another agent at ${address}`,
      edit: both(above(ASKS_WAF), section(wafBackend(address))),
      others: { 'waf.cfg': WAF },
      found: [],
      ...(!address.startsWith('waf') && { haproxy: 'takes' }),
    }),
  ),
  {
    name: 'another agent whose file cannot be read, beside ours',
    edit: both(above(ASKS_WAF), section(wafBackend('127.0.0.1:9000'))),
    found: [],
  },
  {
    name: 'another agent whose file cannot be read, and ours not there',
    edit: (config) => above(ASKS_WAF)(withoutOurs(config)),
    found: [['filter-missing', 'frontend web']],
  },
  {
    name: 'two files that cannot be read, and ours not there',
    edit: (config) => above(ASKS_WAF + ASKS_WAF.replaceAll('waf', 'bots'))(withoutOurs(config)),
    found: [['filter-missing', 'frontend web']],
  },
  {
    name: 'our file cannot be read',
    changes: { messages: [LOGIN] },
    edit: (config) =>
      config
        .replace(SPOE_FILE, 'elsewhere.cfg')
        .replace(/^frontend web\n/m, '$&    http-request set-header X-Own %[var(txn.haverdict.own_option)]\n'),
    found: [['spoe-file-missing', 'filter spoe']],
  },
  {
    name: 'a group sent in a backend without a filter',
    changes: { messages: [LOGIN] },
    edit: (config) =>
      config
        .replace(/^ {4}http-request send-spoe-group .*\n/m, '')
        .replace(
          /^backend origin\n/m,
          '$&    http-request send-spoe-group haverdict login if { method POST }\n    http-request deny if { var(txn.haverdict.login.action) -m str deny }\n',
        ),
    found: [['group-engine-unknown', 'send-spoe-group']],
    haproxy: 'refuses',
  },
  {
    name: 'a group sent in a frontend without a filter',
    changes: { messages: [LOGIN] },
    edit: frontend('    http-request send-spoe-group haverdict login if { method POST }\n    http-request deny\n'),
    found: [['group-engine-unknown', 'send-spoe-group haverdict login if { method POST }$']],
    haproxy: 'refuses',
  },
  {
    name: 'a group sent through another engine that has no filter',
    changes: { messages: [LOGIN] },
    edit: (config) => config.replace('send-spoe-group haverdict login', 'send-spoe-group guard login'),
    found: [['group-engine-unknown', 'send-spoe-group guard']],
    haproxy: 'refuses',
  },
  {
    name: 'a group of another agent sent in a backend',
    edit: both(
      above('    filter spoe engine waf config waf.cfg\n'),
      (config) =>
        config.replace(
          /^backend origin\n/m,
          '$&    filter spoe engine waf config waf.cfg\n    http-request send-spoe-group waf ask\n',
        ),
      section(wafBackend('127.0.0.1:9001')),
    ),
    others: { 'waf.cfg': WAF },
    found: [],
    haproxy: 'takes',
  },
  ...[
    'http-request redirect code 301 scheme https',
    'http-request redirect code 301 location https://%[hdr(host)]%[capture.req.uri]',
    'http-request redirect prefix https://www.example.org code 301',
    'acl is_tls ssl_fc\n    http-request redirect scheme https code 301 if !is_tls',
    'http-request return status 404',
    'http-request deny',
    'redirect scheme https unless { ssl_fc }',
    'http-request tarpit if TRUE',
    'tcp-request connection reject',
    'acl acme path_beg /.well-known/acme-challenge/\n    http-request redirect scheme https unless acme\n    use_backend acme if acme',
  ].map(
    (rules): Situation => ({
      name: `nobody gets through: ${rules}`,
      edit: both(frontend(`    ${rules}\n`), section('backend acme\n    server a 127.0.0.1:1\n')),
      found: [],
      haproxy: 'takes',
    }),
  ),
  ...[
    'http-request redirect scheme https if { path_beg /a }',
    'http-request redirect scheme https unless { path_beg /.well-known/ }',
    'http-request allow if { src 10.0.0.0/8 }\n    http-request deny',
    'acl is_tls ssl_fc\n    http-request deny if is_tls',
    'http-response deny',
    'http-request deny if { src -f /dev/null }',
  ].map(
    (rules): Situation => ({
      name: `some get through: ${rules}`,
      edit: frontend(`    ${rules}\n`),
      found: UNGUARDED,
      haproxy: 'takes',
    }),
  ),
  {
    name: 'a redirect where TLS comes in too',
    edit: frontend('    http-request redirect scheme https unless { ssl_fc }\n', ':8081 ssl crt x.pem'),
    found: UNGUARDED,
  },
  {
    name: 'the same map in a guarded and an unguarded frontend',
    edit: both(
      above('    use_backend %[req.hdr(host),lower,map(/dev/null,origin)]\n'),
      frontend('    use_backend %[hdr(host),map_str(/dev/null,none)]\n', ':8081', 'none'),
      section('backend none\n    http-request deny\n'),
    ),
    found: UNGUARDED,
    haproxy: 'takes',
  },
  {
    name: 'another map in an unguarded frontend',
    edit: both(
      above('    use_backend %[req.hdr(host),lower,map(/dev/null,origin)]\n'),
      frontend('    use_backend %[hdr(host),map_str(/dev/zero,none)]\n', ':8081', 'none'),
      section('backend none\n    http-request deny\n'),
    ),
    found: [],
  },
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
      changes: { messages: [{ ...settingsWith({}).messages[0], frontends }] as Settings['messages'] },
      edit: both(frontend('', ':8081', 'apart'), section('backend apart\n    server s 192.0.2.21:80\n')),
      found: [['frontend-not-asked', 'frontend other']],
      haproxy: 'takes',
    }),
  ),
  {
    name: 'a message for a frontend on 127.0.0.1 that has no filter',
    changes: { messages: [{ ...LOGIN, frontends: ['other'] }] },
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
  {
    name: 'a message for one of two guarded frontends',
    changes: { messages: [{ ...LOGIN, frontends: ['web'] }] },
    edit: frontend(`    filter spoe engine haverdict config ${SPOE_FILE}\n`),
    found: [],
    haproxy: 'takes',
  },
  {
    name: 'a message for both of two guarded frontends',
    changes: { messages: [LOGIN] },
    edit: frontend(`    filter spoe engine haverdict config ${SPOE_FILE}\n`),
    found: [['action-not-obeyed', 'filter spoe']],
    haproxy: 'takes',
  },
  {
    name: 'compression and a cache in the defaults that the frontend names',
    edit: (config) =>
      config
        .replace(
          /^frontend web\n/m,
          'cache pages\n    total-max-size 4\n\ndefaults rich\n    mode http\n    log global\n    timeout connect 1s\n    timeout client 1s\n    timeout server 1s\n    compression algo gzip\n    http-request cache-use pages\n    http-response cache-store pages\n\nfrontend web from rich\n',
        )
        .replace(
          /^backend origin\n/m,
          'defaults plain\n    mode http\n    timeout connect 1s\n    timeout server 1s\n\nbackend origin from plain\n',
        ),
    found: [
      ['filter-undeclared', 'cache-store pages'],
      ['filter-undeclared', 'compression algo gzip'],
    ],
    haproxy: 'refuses',
  },
  {
    name: 'compression and a cache in a backend alone',
    edit: both(
      (config) =>
        config.replace(
          /^backend origin\n/m,
          '$&    compression algo gzip\n    http-request cache-use pages\n    http-response cache-store pages\n',
        ),
      section('cache pages\n    total-max-size 4\n'),
    ),
    found: [],
    haproxy: 'takes',
  },
  {
    name: 'compression declared, the cache forgotten',
    edit: both(
      above('    compression algo gzip\n    filter compression\n    http-request cache-use pages\n'),
      section('cache pages\n    total-max-size 4\n'),
    ),
    found: [['filter-undeclared', 'cache-use pages']],
    haproxy: 'refuses',
  },
  {
    name: 'a mode by a compound condition',
    edit: (config) =>
      config.replace(
        / {4}mode (tcp|spop)\n(?= {4}option spop-check)/,
        '.if version_atleast(2.4) && ( version_before(3.1) || version_before("2.5") ) && !version_atleast(9.0)\n    mode tcp\n.else\n    mode spop\n.endif\n',
      ),
    found: [],
    haproxy: 'takes',
  },
];

/** What an operator has before the wiring is there. */
function withoutOurs(config: string): string {
  return config.replace(/^ {4}(filter|http-\w+(-\w+)?|#).*\n/gm, '');
}

describeOnEveryHaproxy('a situation that people have', (build) => testSituations(build, SITUATIONS));
