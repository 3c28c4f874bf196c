import { SPOE_FILE } from '../../../dev/haproxy.ts';
import { describeOnEveryHaproxy } from '../../support/every-haproxy.ts';
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

const PLAIN = '    mode http\n    timeout connect 1s\n    timeout client 1s\n    timeout server 1s\n';
const asListen = (config: string) =>
  config
    .replace('frontend web\n', 'listen web\n')
    .replace('    default_backend origin\n', '    server own 127.0.0.1:1\n');

const UNGUARDED = [['frontend-unguarded', 'frontend other']] as const;

/** The parts of the agents above this section. */
const agentsAbove = (place: RegExp) => (config: string) => {
  const [agents = ''] = /defaults haverdict-agents-defaults\n[\s\S]*$/.exec(config) ?? [];
  return config.replace(agents, '').replace(place, `${agents}\n$&`);
};

const SITUATIONS: readonly Situation[] = [
  {
    name: 'the part of the agents above all sections',
    edit: agentsAbove(/^frontend web\n/m),
    found: [
      // those defaults have no mode
      ['event-needs-http', 'filter spoe'],
      ['agents-defaults-shared', 'frontend web'],
    ],
  },
  {
    name: 'the part of the agents above the last section',
    edit: agentsAbove(/^backend origin\n/m),
    found: [['agents-defaults-shared', 'backend origin']],
  },
  {
    name: 'the part of the agents above, and defaults below it',
    edit: both(agentsAbove(/^backend origin\n/m), (config) =>
      config.replace(
        /^backend origin\n/m,
        'defaults\n    mode http\n    timeout connect 1s\n    timeout server 1s\n\n$&',
      ),
    ),
    found: [],
    haproxy: 'takes',
  },
  {
    name: 'the part of the agents forgotten',
    edit: (config) => config.replace(/defaults haverdict-agents-defaults\n[\s\S]*$/, ''),
    found: [['agents-backend-unknown', '^$']],
    haproxy: 'refuses',
  },
  {
    name: 'haproxy.cfg without a last line feed, before the wiring is there',
    edit: (config) => withoutOurs(config).replace(/\n$/, ''),
    found: [
      ['filter-missing', 'frontend web'],
      ['last-line-unfinished', 'server agent1'],
    ],
    haproxy: 'refuses',
  },
  {
    name: 'haproxy.cfg without a last line feed',
    edit: (config) => config.replace(/\n$/, ''),
    found: [['last-line-unfinished', 'server agent1']],
    haproxy: 'refuses',
  },
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
  ...[
    `http-request redirect scheme https if { dst_port 8081 }`,
    `acl plain dst_port eq 8081\n    http-request redirect scheme https if plain`,
    `${Array.from({ length: 30 }, (_, at) => `http-request redirect prefix https://h${at}.example if { hdr(host) -i h${at}.example }\n    `).join('')}http-request deny`,
    `http-request deny if { src 192.0.2.1 } or { path_beg /a }\n    http-request redirect scheme https`,
  ].map(
    (rules): Situation => ({
      name: `nobody gets through: ${rules.slice(0, 100)}`,
      edit: frontend(`    ${rules}\n`),
      found: [],
      haproxy: 'takes',
    }),
  ),
  ...[
    'http-request redirect location %[path,map_str(/dev/null)] ignore-empty',
    'http-request redirect scheme https if { dst_port 443 }',
    'tcp-request content set-dst-port int(8081)\n    http-request redirect scheme https if { dst_port 8081 }',
    `${Array.from({ length: 30 }, (_, at) => `http-request deny if { hdr(host) h${at}.example }\n    `).join('')}http-request set-header x-a b`,
  ].map(
    (rules): Situation => ({
      name: `some get through: ${rules.slice(0, 100)}`,
      edit: frontend(`    ${rules}\n`),
      found: UNGUARDED,
      haproxy: 'takes',
    }),
  ),
  {
    name: 'a redirect by a port that a proxy in front names',
    edit: frontend('    http-request redirect scheme https if { dst_port 8081 }\n', ':8081 accept-proxy'),
    found: UNGUARDED,
    haproxy: 'takes',
  },
  ...(
    [
      ['a map with the backend', '%[req.hdr(host),map(hosts.map)]', true],
      ['a map with parts of names', 'or%[req.hdr(host),map(parts.map)]', true],
      ['a map with others', '%[req.hdr(host),map(others.map)]', false],
      ['a map that falls back to it', '%[req.hdr(host),map(others.map,origin)]', true],
      ['a name of the client', '%[req.hdr(host),lower]', true],
      ['the begin of the name', 'orig%[req.hdr(x-a)]', true],
      ['the end of the name', '%[path,field(2,/)]gin', true],
      ['other beginnings', 'bk_%[req.hdr(host),lower]', false],
      ['a variable of the operator', '%[var(txn.backend)]', false],
    ] as const
  ).map(
    ([name, target, isUnguarded]): Situation => ({
      name: `an unguarded frontend that chooses by ${name}`,
      edit: both(
        frontend(`    use_backend ${target}\n`, ':8081', 'none'),
        section('backend none\n    http-request deny\n'),
      ),
      others: {
        'hosts.map': '# hosts\n\na.example origin\n',
        'parts.map': 'a.example igin\n',
        'others.map': 'a.example none\n# origin\n',
      },
      found: isUnguarded ? UNGUARDED : [],
      haproxy: 'takes',
    }),
  ),
  {
    name: 'a guarded frontend that chooses by the begin of the name, and an unguarded one that names it',
    edit: both(
      above('    use_backend bk_%[req.hdr(host),lower]\n'),
      frontend('', ':8081', 'bk_a'),
      section('backend bk_a\n    http-request deny\n'),
    ),
    found: UNGUARDED,
    haproxy: 'takes',
  },
  {
    name: 'a guarded frontend that takes any name, and an unguarded one with a backend of its own',
    edit: both(
      above('    use_backend %[req.hdr(host),lower]\n'),
      frontend('', ':8081', 'health'),
      section('backend health\n    http-request return status 200\n'),
    ),
    found: [],
    haproxy: 'takes',
  },
  {
    name: 'a listen section with the filter as the backend of a frontend without it',
    edit: both(asListen, frontend('', ':8081', 'web')),
    found: UNGUARDED,
    haproxy: 'takes',
  },
  {
    name: 'the same with a message that a rule sends',
    changes: { messages: [LOGIN] },
    edit: both(asListen, frontend('', ':8081', 'web')),
    found: [],
    haproxy: 'takes',
  },
  {
    name: 'a frontend that is enabled below defaults that are disabled',
    edit: (config) =>
      frontend('    enabled\n')(config)
        .replace('\nfrontend other\n', `\ndefaults off\n${PLAIN}    disabled\n\nfrontend other from off\n`)
        .replace(/^backend origin\n/m, `defaults plain\n${PLAIN}\nbackend origin from plain\n`),
    found: [['frontend-unguarded', 'frontend other from off']],
    haproxy: 'takes',
  },
  {
    name: 'listed clients are redirected where a location is known',
    edit: (config) =>
      config.replace(
        'http-request deny deny_status 403',
        'http-request redirect location %[path,map(/dev/null)] ignore-empty',
      ),
    found: [['deny-obeyed-partly', 'ignore-empty']],
    haproxy: 'takes',
  },
  {
    name: 'the parts twice, in two branches of which one is not known',
    edit: (config) => {
      const [filter = ''] = /^ {4}filter spoe .*\n/m.exec(config) ?? [];
      const [agents = ''] = /^backend haverdict-agents [\s\S]*/m.exec(config) ?? [];
      const either = (text: string) => `.if defined(OTHER)\n${text}.else\n${text}.endif\n`;
      return config.replace(filter, () => either(filter)).replace(agents, () => either(agents));
    },
    found: [],
    haproxy: 'takes',
  },
  {
    name: 'two waits where HAProxy may not warn',
    edit: both(
      (config) => config.replace('global\n', 'global\n    zero-warning\n'),
      above('    tcp-request inspect-delay 1s\n    tcp-request inspect-delay 5s\n'),
    ),
    found: [['inspect-delay-repeated', 'inspect-delay 1s']],
    haproxy: 'refuses',
  },
  {
    name: 'invalid requests accepted by the defaults',
    edit: (config) => config.replace('defaults\n', 'defaults\n    option accept-invalid-http-request\n'),
    found: [['violations-accepted', 'accept-invalid']],
    haproxy: 'takes',
  },
  {
    name: 'a host in lower case, and one that is another',
    edit: above(
      '    http-request set-header Host %[req.hdr(host),lower]\n    http-request set-header Host %[req.hdr(x-host),lower]\n',
    ),
    found: [['header-set-later', 'x-host']],
    haproxy: 'takes',
  },
  {
    name: 'actions compared in any case',
    edit: (config) => config.replace('-m str deny tarpit drop redirect', '-m str -i Deny TARPIT drop Redirect'),
    found: [],
    haproxy: 'takes',
  },
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
      frontend('    use_backend %[hdr(host),map_str(other.map,none)]\n', ':8081', 'none'),
      section('backend none\n    http-request deny\n'),
    ),
    found: [],
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
