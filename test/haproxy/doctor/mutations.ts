import type { FindingId } from '../../../haproxy/doctor/doctor.ts';
import { settingsWith } from '../../support/settings.ts';
import {
  BESIDE,
  betweenMarks,
  everyEvent,
  generated,
  grouped,
  type HaproxySet,
  handWritten,
  rawCondition,
  recent,
  tcp,
} from './good-files.ts';

/** One small edit of good files, and what comes of it. */
export interface Mutation {
  readonly finding: FindingId;
  /** What tells it from others of the same finding. */
  readonly by: string;
  readonly files: HaproxySet;
  /** In which file, and on the line with this text. */
  readonly at: readonly ['config' | 'spoe', string];
  /** What `haproxy -c` of 2.6 says of it. */
  readonly haproxy: 'silent' | 'warns' | 'refuses';
}

type Edit = readonly [from: string | RegExp, to: string];

const GOOD = {
  open: generated('open'),
  closed: generated('closed'),
  hand: handWritten(),
  grouped: grouped(),
  every: everyEvent(),
  rawCondition: rawCondition(),
  marked: betweenMarks(),
  recent: recent(),
} as const;
const EVENT = 'on-frontend-http-request';
const DENY = /^ {4}http-request deny .*-m str deny tarpit drop redirect \}$/m;
const ANY_RULE = /^ {4}http-request .*haverdict\.(action|path|query).*\n/gm;
const CHECK = /check inter .*/;
const FIRST_RULE = /\n( {4}filter .*\n)/;

function edited(text: string, edits: readonly Edit[]): string {
  return edits.reduce((before, [from, to]) => {
    const after = before.replace(from, to);
    if (after === before) throw new Error(`nothing matches ${from}`);
    return after;
  }, text);
}

function config(
  finding: FindingId,
  by: string,
  at: string,
  haproxy: Mutation['haproxy'],
  edits: readonly Edit[],
  good: keyof typeof GOOD = 'open',
): Mutation {
  const files = GOOD[good];
  return { finding, by, at: ['config', at], haproxy, files: { ...files, config: edited(files.config, edits) } };
}

function spoe(
  finding: FindingId,
  by: string,
  at: string,
  haproxy: Mutation['haproxy'],
  edits: readonly Edit[],
  good: keyof typeof GOOD = 'open',
): Mutation {
  const files = GOOD[good];
  return { finding, by, at: ['spoe', at], haproxy, files: { ...files, spoe: edited(files.spoe, edits) } };
}

const ZERO_WARNING: Edit = ['global\n', 'global\n    zero-warning\n'];
/** The agents' backend as an older wiring had it, below the defaults of the operator. */
const OWN_DEFAULTS_REMOVED: Edit = [
  /defaults haverdict-agents-defaults\n[\s\S]*?\n(backend haverdict-agents) from .*/,
  '$1',
];
const SHARED_DEFAULTS: Edit = [
  /defaults haverdict-agents-defaults\n[\s\S]*\n(backend haverdict-agents) from .*\n/,
  'defaults web\n    mode http\n    timeout connect 1s\n    timeout server 1s\n    timeout client 1s\n\nlisten own from web\n    bind 127.0.0.1:8082\n\n$1\n',
];
const SECOND_SERVER: Edit = [/( {4}server )agent1 (127\.0\.0\.1):9000(.*)/, '$&\n$1agent2 192.0.2.9:9000$3'];
const NO_RULES: Edit = [ANY_RULE, ''];

const BINARY_TABLE: Edit = [
  BESIDE,
  '\nbackend binary\n    stick-table type binary len 20 size 1k expire 10s store http_req_rate(10s)\n',
];

/** Edits of the rules for `recentSeconds`. */
const RECENT: readonly Mutation[] = [
  config(
    'recent-not-written',
    'rules of before',
    'filter spoe',
    'silent',
    [[/^ {4}http-request (track-sc2|sc-set-gpt0).*\n/gm, '']],
    'recent',
  ),
  config(
    'recent-counter-beyond',
    'fewer counters',
    'track-sc2',
    'refuses',
    [['global\n', 'global\n    tune.stick-counters 2\n']],
    'recent',
  ),
  ...(
    [
      ['tcp-request connection track-sc2 src table own', 'of the connection', /^ {4}filter/m],
      ['tcp-request session track-sc2 src table own', 'of the session', /^ {4}filter/m],
      ['http-request track-sc2 base32+src table binary', 'above, with another key', /^ {4}filter/m],
      ['http-request track-sc2 src table own if { path /api }', 'below, with a condition', /^ {4}default_backend/m],
      ['http-request track-sc2 src table own', 'in the backend behind', /(?<=^backend origin\n)/m],
    ] as const
  ).map(([rule, by, at]) =>
    config('recent-counter-taken', by, rule, 'silent', [[at, `    ${rule}\n$&`], BINARY_TABLE], 'recent'),
  ),
  ...(
    [
      ['too few addresses', 'size 100000', 'size 10k'],
      ['IPv4 only', 'type ipv6 size 100000', 'type ip size 100000'],
      ['expires too early', 'expire 2s', 'expire 500ms'],
      ['another column', 'store gpt0', 'store gpc0'],
    ] as const
  ).map(([by, from, to]) => config('recent-table-differs', by, to, 'silent', [[from, to]], 'recent')),
  ...(
    [
      ['a limit of requests', 'http-request track-sc1 src table haverdict-agents', /^ {4}default_backend/m],
      ['every connection', 'tcp-request connection track-sc1 src table haverdict-agents', /^ {4}filter/m],
      ['sticky sessions', 'stick on src table haverdict-agents', /(?<=^backend origin\n)/m],
    ] as const
  ).map(([by, rule, at]) => config('recent-table-shared', by, rule, 'silent', [[at, `    ${rule}\n$&`]], 'recent')),
];

export const MUTATIONS: readonly Mutation[] = [
  ...RECENT,
  config('filter-missing', 'no rules either', 'frontend web', 'silent', [[/ {4}filter .*\n/, ''], NO_RULES]),
  config('filter-missing', 'rules left', 'frontend web', 'silent', [[/ {4}filter .*\n/, '']], 'closed'),
  config('filter-missing-here', 'a second frontend with the rules', 'deny deny_status 499', 'silent', [
    [
      BESIDE,
      '\nfrontend second\n    bind 192.0.2.10:8081\n    http-request deny deny_status 499 if { var(txn.haverdict.action) -m str deny }\n    default_backend origin\n',
    ],
    [/deny_status 499/, 'deny_status 499 content-type text/plain string no'],
  ]),
  config('filter-without-backend', 'only in the statistics', 'filter spoe', 'silent', [
    ['    default_backend origin\n', '    stats enable\n'],
    [BESIDE, '\nfrontend second\n    bind :8081\n    default_backend origin\n'],
  ]),
  notAsked(),
  config('frontend-unguarded', 'a second way to the same backend', 'frontend second', 'silent', [
    [BESIDE, '\nfrontend second\n    bind :8081\n    default_backend origin\n'],
  ]),
  config('spoe-file-missing', 'a typo in the path', 'filter spoe', 'refuses', [
    ['haverdict.spoe.cfg', 'haverdict.spo.cfg'],
  ]),
  config(
    'engine-unknown',
    'a typo on the filter line',
    'filter spoe',
    'refuses',
    [['engine haverdict', 'engine haverdikt']],
    'closed',
  ),
  scopeTypo(),
  spoe('last-line-unfinished', 'cut off', `event ${EVENT}`, 'refuses', [[/\n$/, '']]),
  config('filter-undeclared', 'compression', 'compression algo gzip', 'refuses', [
    [FIRST_RULE, '\n$1    compression algo gzip\n'],
  ]),
  config('filter-undeclared', 'compression in defaults', 'compression algo gzip', 'refuses', [
    ['    option httplog\n', '    option httplog\n    compression algo gzip\n'],
  ]),
  config('filter-undeclared', 'a cache', 'cache-use', 'refuses', [
    [FIRST_RULE, '\n$1    http-request cache-use pages if { path_beg /a }\n'],
    ['\nbackend origin\n', '\ncache pages\n    total-max-size 4\n\nbackend origin\n'],
  ]),
  config('filter-order', 'a cache below', 'filter cache', 'refuses', [
    [FIRST_RULE, '\n$1    filter compression\n    filter cache pages\n    http-response cache-store pages\n'],
    ['\nbackend origin\n', '\ncache pages\n    total-max-size 4\n\nbackend origin\n'],
  ]),
  config('fastcgi-beside-filter', 'a listen section', 'use-fcgi-app', 'refuses', [
    ['frontend web\n', 'fcgi-app php\n    docroot /srv\n\nlisten web\n    use-fcgi-app php\n'],
    ['    default_backend origin\n', '    default_backend origin\n    server php 192.0.2.20:9000 proto fcgi\n'],
  ]),
  config('event-in-backend', 'the filter moved into the backend', 'filter spoe', 'warns', [
    [/ {4}filter .*\n/, ''],
    ['\nbackend origin\n', '\nbackend origin\n    filter spoe engine haverdict config haverdict.spoe.cfg\n'],
  ]),
  config('event-needs-http', 'mode tcp in the frontend', 'filter spoe', 'warns', [
    ['frontend web\n', 'frontend web\n    mode tcp\n'],
    [/^( {4}mode http\n)/m, '$1'.replace('$1', '    mode tcp\n')],
  ]),
  body(),

  spoe('message-unknown', 'a typo on the messages line', 'messages check-reqest', 'refuses', [
    ['messages check-request', 'messages check-reqest'],
  ]),
  spoe('message-unknown', 'a typo in the section', 'messages check-request', 'refuses', [
    ['spoe-message check-request', 'spoe-message check-reques'],
  ]),
  spoe('message-not-configured', 'renamed throughout', 'spoe-message check-reqest', 'silent', [
    [/check-request/g, 'check-reqest'],
  ]),
  spoe(
    'message-missing',
    'another message in its place',
    '',
    'silent',
    [
      [/spoe-message check-request[\s\S]*?\n(?=\n)/, ''],
      ['    messages check-request\n', ''],
    ],
    'hand',
  ),
  spoe('message-unlisted', 'taken off the messages line', 'spoe-message check-request', 'warns', [
    [/ {4}messages .*\n/, ''],
  ]),
  spoe(
    'message-unlisted',
    'taken off, with another still there',
    'spoe-message check-request',
    'silent',
    [['    messages check-request\n', '']],
    'hand',
  ),
  spoe('event-missing', 'no event line', 'spoe-message check-request', 'warns', [[/ {4}event .*\n/, '']]),
  spoe('event-repeated', 'a second event line', 'on-backend-http-request', 'silent', [
    [/( {4}event .*\n)/, '$1    event on-backend-http-request\n'],
  ]),
  spoe('event-differs', 'another event', 'on-backend-http-request', 'silent', [[EVENT, 'on-backend-http-request']]),
  spoe('event-conditional', 'only some methods', 'if { method POST }', 'silent', [
    [EVENT, `${EVENT} if { method POST }`],
  ]),
  eventBeforeData(),
  unknownFrontend(),
  spoe('argument-missing', 'one line removed', 'spoe-message check-request', 'silent', [[/ {4}args ip=src\n/, '']]),
  spoe('argument-missing', 'a typo in a name', 'args pi=src', 'silent', [['args ip=src', 'args pi=src']]),
  spoe('argument-missing', 'without a name', 'args src', 'silent', [['args ip=src', 'args src']]),
  spoe('argument-unknown', 'one more', 'args ua=', 'silent', [[/( {4}event )/, '    args ua=req.hdr(user-agent)\n$1']]),
  spoe('argument-differs', 'another address', 'args ip=dst', 'silent', [['args ip=src', 'args ip=dst']]),
  spoe('spoe-keyword-ignored', 'arg for args', 'arg ip=src', 'silent', [['args ip=src', 'arg ip=src']]),
  spoe(
    'argument-missing',
    'for the rules',
    'spoe-message at-on-frontend-http-request',
    'silent',
    [[/ {4}args body=.*\n/, '']],
    'every',
  ),
  spoe(
    'event-conditional',
    'another condition',
    'LOCALHOST',
    'silent',
    [['10.0.0.0/8 }', '10.0.0.0/8 } !LOCALHOST']],
    'every',
  ),
  {
    ...config(
      'body-unbuffered',
      'the option removed',
      '',
      'silent',
      [[/ {4}option http-buffer-request\n/, '']],
      'every',
    ),
    at: ['spoe', 'args body'],
  },
  config('argument-set-later', 'set-src', 'set-src', 'silent', [
    [FIRST_RULE, '\n    http-request set-src hdr(x-forwarded-for)\n$1'],
  ]),
  config('header-set-later', 'set-header host', 'set-header Host', 'silent', [
    [FIRST_RULE, '\n    http-request set-header Host example.org\n$1'],
  ]),

  groupNeverSent(),
  config(
    'group-unknown',
    'a typo in the group',
    'send-spoe-group ask login ',
    'refuses',
    [['ask logins', 'ask login']],
    'hand',
  ),
  config(
    'group-engine-unknown',
    'a typo in the engine',
    'send-spoe-group aks',
    'refuses',
    [['group ask', 'group aks']],
    'hand',
  ),
  spoe('group-unlisted', 'no groups line', 'spoe-group logins', 'refuses', [['    groups logins\n', '']], 'hand'),
  config(
    'group-after-rules',
    'sent below the rules',
    'send-spoe-group',
    'silent',
    [[/( {4}http-request send-spoe-group .*\n)( {4}http-request deny .*\n)/, '$2$1']],
    'grouped',
  ),
  config('inspect-delay-repeated', 'of the operator', 'inspect-delay 2s', 'warns', [
    [/^ {4}filter spoe .*\n/m, '    tcp-request inspect-delay 2s\n    tcp-request inspect-delay 5s\n$&'],
  ]),
  config(
    'group-before-data',
    'sent at once',
    'send-spoe-group',
    'warns',
    [['http-request send-spoe-group', 'tcp-request content send-spoe-group']],
    'grouped',
  ),

  config('action-not-obeyed', 'no rule', 'filter spoe', 'silent', [NO_RULES]),
  config('action-not-obeyed', 'method bool', 'filter spoe', 'silent', [
    [/-m str (deny tarpit drop redirect|deny)(?= \})/g, '-m bool'],
  ]),
  config(
    'deny-obeyed-partly',
    'one more condition',
    'method POST',
    'silent',
    [
      [
        DENY,
        '$&'.replace(
          '$&',
          '    http-request deny deny_status 403 if { var(txn.haverdict.action) -m str deny } { method POST }',
        ),
      ],
    ],
    'open',
  ),
  config('allow-stopped', 'allow for deny', '-m str allow', 'silent', [
    [DENY, '    http-request deny deny_status 403 if { var(txn.haverdict.action) -m str allow }\n$&'],
  ]),
  config(
    'allow-stopped',
    'found for str',
    'deny_status 403 if { var(txn.haverdict.action) -m found',
    'silent',
    [[/(deny_status 403 if \{ var\(txn\.haverdict\.action\)) -m str deny tarpit drop redirect/, '$1 -m found']],
    'closed',
  ),
  config('allow-stopped', 'unless deny', 'unless { var', 'silent', [
    [DENY, '    http-request deny deny_status 403 unless { var(txn.haverdict.action) -m str deny }'],
  ]),
  config(
    'closed-error-rule-missing',
    'removed',
    'filter spoe',
    'silent',
    [[/ {4}http-request deny .*error\) -m found.*\n/, '']],
    'closed',
  ),
  config(
    'closed-unasked-rule-missing',
    'removed',
    'filter spoe',
    'silent',
    [[/ {4}http-request deny .*! \{ .*\n/, '']],
    'closed',
  ),
  config(
    'closed-unasked-rule-missing',
    'its negation lost',
    'filter spoe',
    'silent',
    [['if ! { var(txn.haverdict.action) -m found }', 'if { var(txn.haverdict.action) -m str allow } { method POST }']],
    'closed',
  ),
  config('unknown-stopped-under-open', 'unless allow', 'unless { var', 'silent', [
    [DENY, '    http-request deny deny_status 403 unless { var(txn.haverdict.action) -m str allow tag route log }\n$&'],
  ]),
  config('unknown-stopped-under-open', 'the error rule of closed', 'error) -m found', 'silent', [
    [FIRST_RULE, '\n$1    http-request deny deny_status 503 if { var(txn.haverdict.error) -m found }\n'],
  ]),
  config(
    'action-not-obeyed',
    'no rule for one',
    'filter spoe',
    'silent',
    [
      [/ {4}http-request silent-drop if \{ var\(txn\.haverdict\.action.*\n/, ''],
      [/(txn\.haverdict\.action\) -m str deny tarpit) drop/, '$1'],
    ],
    'every',
  ),
  config(
    'action-not-obeyed',
    'none in the backend',
    'filter spoe',
    'silent',
    [[/ {4}http-(?:request|after-response) (?!return)(?!.*! ).*req\.haverdict\.action.*\n/g, '']],
    'every',
  ),
  config(
    'action-not-obeyed',
    'none for a group',
    'filter spoe',
    'silent',
    [[/ {4}http-request (?!deny.*!).*login\.action.*\n/g, '']],
    'every',
  ),
  config(
    'action-not-obeyed',
    'none for the response',
    'filter spoe',
    'silent',
    [[/ {4}http-response (?!deny.*(?:!|error)).*\n/g, '']],
    'every',
  ),
  config(
    'closed-unasked-rule-missing',
    'of the response',
    'filter spoe',
    'silent',
    [[/ {4}http-response deny .*! \{.*\n/, '']],
    'every',
  ),
  config(
    'closed-unasked-rule-missing',
    'of a condition',
    'filter spoe',
    'silent',
    [[/ {4}http-request deny .*! \{ var\(sess.*\n/, '']],
    'every',
  ),
  spoe(
    'condition-raw',
    'of the event',
    'path_beg /admin',
    'silent',
    [[EVENT, `${EVENT} if { path_beg /admin }`]],
    'rawCondition',
  ),
  config('violations-accepted', 'of the frontend', 'accept-invalid-http-request', 'silent', [
    [/^ {4}filter spoe .*\n/m, '    option accept-invalid-http-request\n$&'],
  ]),
  config(
    'condition-raw',
    'of a group',
    'hdr_dom(host)',
    'silent',
    [
      [
        'send-spoe-group ask logins if { method POST }',
        'send-spoe-group ask logins if { hdr_dom(host) admin.example }',
      ],
    ],
    'hand',
  ),
  config(
    'condition-raw',
    'of a group, in an ACL',
    'send-spoe-group',
    'silent',
    [
      ['    acl error', '    acl at_login path /login\n    acl error'],
      ['send-spoe-group ask logins if { method POST }', 'send-spoe-group ask logins if at_login'],
    ],
    'hand',
  ),
  config(
    'client-error-passes',
    'open',
    'filter spoe',
    'silent',
    [[/ {4}http-request deny .*-m int 3 259 .*\n/, '']],
    'open',
  ),
  config(
    'route-below-rules',
    'a rule of the operator',
    'use_backend origin if { path_beg /a }',
    'silent',
    [[/^ {4}use_backend /m, '    use_backend origin if { path_beg /a }\n$&']],
    'every',
  ),
  config(
    'filter-repeated',
    'the part twice',
    'filter spoe engine haverdict config haverdict.spoe.cfg # again',
    'refuses',
    [[/^ {4}(filter spoe .*)\n/m, '$&    $1 # again\n']],
  ),
  config('route-not-obeyed', 'none', 'filter spoe', 'silent', [[/ {4}use_backend green .*login.*\n/, '']], 'every'),
  config(
    'route-not-obeyed',
    'by name',
    'filter spoe',
    'silent',
    [[/ {4}use_backend green (.*login.*)\n/, '    use_backend blue $1\n']],
    'every',
  ),
  config(
    'route-backend-missing',
    'none',
    'filter spoe',
    'refuses',
    [[/\nbackend green\n[\s\S]*?\n(?=\n)/, '\n']],
    'every',
  ),
  config(
    'header-not-obeyed',
    'of the request',
    'filter spoe',
    'silent',
    [[/ {4}http-request set-header .*txn\.haverdict\.req.*\n/, '']],
    'every',
  ),
  config(
    'header-not-obeyed',
    'of the response',
    'filter spoe',
    'silent',
    [[/ {4}http-after-response add-header .*login.*\n/, '']],
    'every',
  ),
  config('deny-page-missing', 'a typo', '503.htm', 'refuses', [[/file \S+/, 'file /nowhere/503.htm']], 'every'),
  config(
    'variable-unknown',
    'a header that is not named',
    'x_plain',
    'silent',
    [[/txn\.haverdict\.req\.set\.x_plan(\) -m found)/, 'txn.haverdict.req.set.x_plain$1']],
    'every',
  ),
  config(
    'variable-scope',
    'a group in the scope of the connection',
    'sess.haverdict.login',
    'silent',
    [
      [
        / {4}http-request silent-drop if \{ var\(txn\.haverdict\.login.*\n/,
        '$&    http-request silent-drop if { var(sess.haverdict.login.action) -m str drop }\n',
      ],
    ],
    'every',
  ),
  config(
    'rule-too-early',
    'a response read at the request',
    'http-request silent-drop if { var(res',
    'silent',
    [[/ {4}http-response (silent-drop .*\n)/, '$&    http-request $1']],
    'every',
  ),
  config('rule-too-early', 'tcp-request content', 'tcp-request content reject', 'silent', [
    [FIRST_RULE, '\n$1    tcp-request content reject if { var(txn.haverdict.action) -m str deny }\n'],
  ]),
  config('rule-too-early', 'tcp-request session', 'tcp-request session reject', 'silent', [
    [FIRST_RULE, '\n    tcp-request session reject if { var(txn.haverdict.action) -m str deny }\n$1'],
  ]),
  config('rules-unreachable', 'allow above', 'http-request allow', 'warns', [
    [FIRST_RULE, '\n$1    http-request allow\n'],
  ]),
  config('allow-before-rules', 'allow some above', 'http-request allow', 'silent', [
    [FIRST_RULE, '\n$1    http-request allow if { path_beg /static }\n'],
  ]),
  config('value-unknown', 'denied for deny', '-m str denied', 'silent', [
    [/-m str deny tarpit drop redirect \}$/m, '-m str denied tarpit drop redirect }'],
  ]),
  config('decision-overwritten', 'set-var above', 'set-var(txn.haverdict.action)', 'silent', [
    [FIRST_RULE, '\n$1    http-request set-var(txn.haverdict.action) str(allow) if { src 192.0.2.1 }\n'],
  ]),
  config('rules-ignored', 'rules in a tcp backend', 'deny_status 499', 'warns', [
    [
      BESIDE,
      '\nbackend other\n    mode tcp\n    http-request deny deny_status 499 content-type text/plain string no if { var(txn.haverdict.action) -m str deny }\n',
    ],
    ['    default_backend origin\n', '    use_backend %[path] if { path /none }\n    default_backend origin\n'],
  ]),

  spoe('prefix-mismatch', 'in the SPOE file', 'option var-prefix', 'silent', [
    ['var-prefix haverdict', 'var-prefix haverdikt'],
  ]),
  config('prefix-mismatch', 'in the rules', '-m int 3 259', 'silent', [[/txn\.haverdict\./g, 'txn.haverdikt.']]),
  config('prefix-mismatch', 'another word in the rules', '-m int 3 259', 'silent', [
    [/txn\.haverdict\./g, 'txn.guard.'],
  ]),
  config('variable-unknown', 'a typo in a name', 'txn.haverdict.acton', 'silent', [
    [DENY, '    http-request set-header X-A %[var(txn.haverdict.acton)]\n$&'],
  ]),
  config('variable-unknown', 'in the rule that denies', 'txn.haverdict.acton', 'silent', [
    [
      /haverdict\.action\) -m str deny tarpit drop redirect \}$/m,
      'haverdict.acton) -m str deny tarpit drop redirect }',
    ],
  ]),
  config('variable-scope', 'sess', 'var(sess.haverdict.action)', 'silent', [
    [/txn(\.haverdict\.action\) -m str deny tarpit drop redirect \}$)/m, 'sess$1'],
  ]),
  config('variable-scope', 'req', 'var(req.haverdict.action)', 'silent', [
    [/txn(\.haverdict\.action\) -m str deny tarpit drop redirect \}$)/m, 'req$1'],
  ]),
  spoe(
    'error-variable-unset',
    'no set-on-error',
    'spoe-agent',
    'silent',
    [[/ {4}option set-on-error .*\n/, '']],
    'closed',
  ),
  spoe(
    'error-variable-unset',
    'another name',
    'set-on-error fault',
    'silent',
    [['set-on-error error', 'set-on-error fault']],
    'closed',
  ),
  spoe('time-variable-unset', 'no set-process-time', 'spoe-agent', 'silent', [
    [/ {4}option set-process-time .*\n/, ''],
  ]),
  {
    ...spoe('variable-name-too-long', 'a long prefix', 'var-prefix', 'silent', [
      ['var-prefix haverdict', `var-prefix ${'long'.repeat(15)}`],
    ]),
    ...longPrefix(),
  },
  config('variable-memory-small', 'a limit of 100 bytes', 'tune.vars', 'silent', [
    ['global\n', 'global\n    tune.vars.txn-max-size 100\n'],
  ]),

  config('agents-backend-repeated', 'the part twice', 'haverdict-agents-defaults # again', 'refuses', [
    [
      /$/,
      '\nbackend haverdict-agents from haverdict-agents-defaults # again\n    mode tcp\n    server agent1 127.0.0.1:9000 check\n',
    ],
  ]),
  spoe('agents-backend-unknown', 'a typo', 'use-backend', 'refuses', [
    ['use-backend haverdict-agents', 'use-backend haverdict-agent'],
  ]),
  spoe('agents-backend-unknown', 'none', 'spoe-agent', 'refuses', [[/ {4}use-backend .*\n/, '']]),
  config('agents-backend-http', 'mode http', 'mode http # here', 'refuses', [
    ['    mode tcp\n', '    mode http # here\n'],
  ]),
  config('spop-mode-unknown', 'mode spop on 2.6', 'mode spop', 'refuses', [['    mode tcp\n', '    mode spop\n']]),
  config('agents-backend-disabled', 'disabled', '    disabled', 'silent', [
    ['    mode tcp\n', '    mode tcp\n    disabled\n'],
  ]),
  config('agents-defaults-shared', 'without from', 'backend haverdict-agents', 'silent', [SHARED_DEFAULTS]),
  config('agents-inherit-http', 'forwardfor', 'option forwardfor', 'refuses', [
    ZERO_WARNING,
    ['defaults\n', 'defaults\n    option forwardfor\n'],
    OWN_DEFAULTS_REMOVED,
  ]),
  config('agents-inherit-http', 'a hash of the URL', 'balance uri', 'refuses', [
    ZERO_WARNING,
    ['defaults\n', 'defaults\n    balance uri\n'],
    OWN_DEFAULTS_REMOVED,
  ]),
  config('agents-inherit-http', 'a cookie', 'cookie SRV', 'refuses', [
    ZERO_WARNING,
    ['defaults\n', 'defaults\n    cookie SRV insert\n'],
    OWN_DEFAULTS_REMOVED,
  ]),
  config('agents-inherit-http', 'statistics', 'stats enable', 'refuses', [
    ZERO_WARNING,
    ['defaults\n', 'defaults\n    stats enable\n'],
    OWN_DEFAULTS_REMOVED,
  ]),
  config('agents-not-redispatched', 'a second server', 'retries 0', 'silent', [SECOND_SERVER]),
  config('agents-not-redispatched', 'retries without redispatch', 'backend haverdict-agents', 'silent', [
    SECOND_SERVER,
    ['    retries 0\n', '    retries 1\n'],
  ]),
  config('agents-not-redispatched', 'another only for the last retry', 'backend haverdict-agents', 'silent', [
    SECOND_SERVER,
    ['    retries 0\n', '    retries 3\n    option redispatch\n'],
  ]),
  config('agents-server-missing', 'no server', 'backend haverdict-agents', 'silent', [[/ {4}server agent1 .*\n/, '']]),
  config('server-unchecked', 'check removed', 'server agent1', 'silent', [[CHECK, '']]),
  config('server-unchecked', 'no-check', 'server agent1', 'silent', [[CHECK, 'check no-check']]),
  config(
    'server-unchecked',
    'default-server below',
    'server one',
    'silent',
    [[/( {4}default-server .*\n)([\s\S]*?)( {4}server one .*\n)/, '$2$3$1']],
    'hand',
  ),
  config('spop-check-missing', 'removed', 'backend haverdict-agents', 'silent', [['    option spop-check\n', '']]),
  config('check-not-spop', 'httpchk', 'option httpchk', 'silent', [['option spop-check', 'option httpchk']]),
  config('check-not-spop', 'tcp-check below', 'option tcp-check', 'silent', [
    ['option spop-check', 'option spop-check\n    option tcp-check'],
  ]),
  config('server-address-differs', 'another port', 'server agent1', 'silent', [['127.0.0.1:9000', '127.0.0.1:9001']]),
  config('server-address-differs', 'another host', 'server agent1', 'silent', [['127.0.0.1:9000', '192.0.2.1:9000']]),
  config('server-address-differs', 'another socket', 'server one', 'silent', [['agent.sock', 'agents.sock']], 'hand'),
  config('server-disabled', 'disabled', 'server agent1', 'silent', [[CHECK, '$& disabled']]),
  config('server-disabled', 'no weight', 'server agent1', 'silent', [[CHECK, '$& weight 0']]),
  config('server-speaks-tls', 'ssl', 'server agent1', 'silent', [[CHECK, '$& ssl verify none']]),
  config('server-sends-proxy', 'send-proxy', 'server agent1', 'silent', [[CHECK, '$& send-proxy']]),
  config('server-sends-proxy', 'by default-server', 'server agent1', 'silent', [
    [/( {4}server agent1)/, '    default-server send-proxy-v2\n$1'],
  ]),
  config('check-elsewhere', 'another port', 'server agent1', 'silent', [[CHECK, '$& port 9001']]),
  config('check-elsewhere', 'another host', 'server agent1', 'silent', [[CHECK, '$& addr 192.0.2.1']]),
  config('check-slow', 'a minute', 'server agent1', 'silent', [[CHECK, 'check inter 1m']]),
  config('server-speaks-tls', 'in the check', 'server agent1', 'silent', [[CHECK, '$& check-ssl verify none']]),
  config('server-maxconn-low', 'maxconn 1', 'server agent1', 'silent', [[CHECK, '$& maxconn 1']]),
  chrooted(),
  chrootAuto(),
  { ...config('socket-rights', 'another group', 'server one', 'silent', [['group haproxy', 'group nogroup']], 'hand') },

  spoe('timeout-processing-missing', 'removed', 'spoe-agent', 'warns', [[/ {4}timeout processing .*\n/, '']]),
  spoe('timeout-processing-short', 'the deadline', 'timeout processing', 'silent', [
    [/processing \d+ms/, 'processing 40ms'],
  ]),
  spoe('timeout-processing-short', 'microseconds', 'timeout processing', 'silent', [
    [/processing \d+ms/, 'processing 60us'],
  ]),
  spoe('timeout-processing-long', 'a minute', 'timeout processing', 'silent', [[/processing \d+ms/, 'processing 1m']]),
  spoe('timeout-hello-missing', 'removed', 'spoe-agent', 'warns', [[/ {4}timeout hello .*\n/, '']]),
  spoe('timeout-idle-missing', 'removed', 'spoe-agent', 'warns', [[/ {4}timeout idle .*\n/, '']]),
  config('timeout-server-short', 'ten milliseconds', 'timeout server 11', 'silent', [
    ['timeout server 180s', 'timeout server 11'],
  ]),
  config('timeout-server-below-idle', 'ten seconds', 'timeout server 10001', 'silent', [
    ['timeout server 180s', 'timeout server 10001'],
  ]),
  config('agents-timeout-missing', 'connect', 'backend haverdict-agents', 'warns', [[/ {4}timeout connect 1s\n/, '']]),

  spoe('fragments-on', 'left on', 'spoe-agent', 'silent', [[/ {4}no option send-frag-payload\n/, '']]),
  spoe('fragments-on', 'turned on', 'option send-frag', 'silent', [
    ['no option send-frag-payload', 'option send-frag-payload'],
  ]),
  spoe('async-on', 'left on', 'spoe-agent', 'silent', [[/ {4}no option async\n/, '']]),
  spoe('pipelining-off', 'turned off', 'pipelining', 'silent', [
    ['    log global', '    no option pipelining\n    log global'],
  ]),
  spoe('error-rate-limited', 'maxerrrate', 'maxerrrate', 'silent', [
    ['    log global', '    maxerrrate 10\n    log global'],
  ]),
  spoe('connection-rate-limited', 'maxconnrate', 'maxconnrate', 'silent', [
    ['    log global', '    maxconnrate 10\n    log global'],
  ]),
  spoe('frame-size-small', 'a kilobyte', 'max-frame-size', 'silent', [
    ['    log global', '    max-frame-size 1024\n    log global'],
  ]),
  bufsize(),
  spoe('frame-size-invalid', 'above the buffer', 'max-frame-size', 'refuses', [
    ['    log global', '    max-frame-size 32768\n    log global'],
  ]),
  {
    finding: 'wiring-outdated',
    by: 'the text of another time',
    at: ['config', 'haverdict begin agents'],
    haproxy: 'silent',
    files: betweenMarks((text) => text.replace(/ +# a request never.*\n/, '')),
  },
  config(
    'wiring-edited',
    'a line changed',
    'haverdict begin agents',
    'silent',
    [['connect 1s', 'connect 2s']],
    'marked',
  ),
  spoe(
    'wiring-edited',
    'a comment',
    'haverdict begin spoe',
    'silent',
    [['    log global', '    # mine\n    log global']],
    'marked',
  ),
  config('marks-broken', 'no end', 'haverdict begin agents', 'silent', [['# haverdict end agents\n', '']], 'marked'),
  config(
    'marks-broken',
    'no digest',
    'haverdict begin agents',
    'silent',
    [[/(begin agents) [0-9a-f]{16}\n((?:.*\n)*?)# haverdict end agents\n/, '$1\n$2']],
    'marked',
  ),
  spoe('errors-unlogged', 'no log', 'spoe-agent', 'silent', [['    log global\n', '']]),
];

/** The filter is told, which asks for what is not there. */
function scopeTypo(): Mutation {
  const mutation = spoe('engine-unknown', 'a typo in the scope', '', 'refuses', [['[haverdict]', '[haverdikt]']]);
  return { ...mutation, at: ['config', 'filter spoe'] };
}

/** The line is told that promises the group. */
function groupNeverSent(): Mutation {
  const edits: Edit[] = [[/ {4}http-request send-spoe-group .*\n/, '']];
  const mutation = config('group-never-sent', 'the rule removed', '', 'silent', edits, 'hand');
  return { ...mutation, at: ['spoe', 'groups logins'] };
}

/** The prefix is the same everywhere, only too long. */
function longPrefix(): Pick<Mutation, 'files'> {
  const prefix = 'long'.repeat(15);
  const rename = (text: string) =>
    text.replaceAll('txn.haverdict.', `txn.${prefix}.`).replace('var-prefix haverdict', `var-prefix ${prefix}`);
  const { settings, config, spoe } = GOOD.open;
  return { files: { settings, config: rename(config), spoe: rename(spoe) } };
}

/** Debian's haproxy.cfg has this line; the agent listens outside. */
function chrooted(): Mutation {
  const files = generated('open', { listen: [{ type: 'unix', path: '/run/haverdict/agent.sock' }] });
  const config = files.config.replace('global\n', 'global\n    chroot /var/lib/haproxy\n');
  return {
    finding: 'chroot-hides-socket',
    by: 'a chroot',
    at: ['config', 'server agent1'],
    haproxy: 'silent',
    files: { ...files, config },
  };
}

/** A message for a frontend that has another name. */
function unknownFrontend(): Mutation {
  const messages = settingsWith({}).messages.map((message) => ({ ...message, frontends: ['wbe'] }));
  return {
    finding: 'frontend-unknown',
    by: 'a typo',
    at: ['config', 'filter spoe'],
    haproxy: 'silent',
    files: generated('open', { messages }),
  };
}

/** A message for two frontends, of which one has no filter. */
function notAsked(): Mutation {
  const messages = settingsWith({}).messages.map((message) => ({ ...message, frontends: ['web', 'second'] }));
  const files = generated('closed', { messages });
  return {
    finding: 'frontend-not-asked',
    by: 'a frontend without the part',
    at: ['config', 'frontend second'],
    haproxy: 'silent',
    files: {
      ...files,
      config: files.config.replace(BESIDE, '\nfrontend second\n    bind :8081\n    default_backend origin\n'),
    },
  };
}

/** A folder that HAProxy makes is empty. */
function chrootAuto(): Mutation {
  const files = generated('open', { listen: [{ type: 'unix', path: '/run/haverdict/agent.sock' }] });
  const config = files.config.replace('global\n', 'global\n    chroot auto\n');
  return {
    finding: 'chroot-without-socket',
    by: 'a socket',
    at: ['config', 'chroot auto'],
    haproxy: 'silent',
    files: { ...files, config },
  };
}

/** What a client sends is not there at an event, however long rules wait below. */
function eventBeforeData(): Mutation {
  const { settings, config, spoe } = tcp();
  const subjects = [{ kind: 'host', expression: 'req.ssl_sni' }];
  return {
    finding: 'event-before-data',
    by: 'the server name',
    at: ['spoe', 'args host='],
    haproxy: 'silent',
    files: {
      settings: { ...settings, messages: settings.messages.map((message) => ({ ...message, subjects })) },
      config: config.replace(
        / {4}filter spoe/,
        '    tcp-request inspect-delay 3s\n    tcp-request content reject unless { req.ssl_hello_type 1 }\n$&',
      ),
      spoe: spoe.replace('args ip=src', 'args host=req.ssl_sni'),
    },
  };
}

/** Requests may be larger, messages not. */
function bufsize(): Mutation {
  const { settings, config, spoe } = GOOD.open;
  return {
    finding: 'frame-size-small',
    by: 'a larger buffer',
    at: ['spoe', 'max-frame-size'],
    haproxy: 'silent',
    files: {
      settings,
      config: config.replace('global\n', 'global\n    tune.bufsize 32768\n'),
      spoe: spoe.replace('    log global', '    max-frame-size 16380\n    log global'),
    },
  };
}

/** An argument of the body, in a frontend that does not wait for it. */
function body(): Mutation {
  const { settings, config, spoe } = GOOD.open;
  const messages = settings.messages.map((message) => ({
    ...message,
    subjects: [...message.subjects, { kind: 'key', expression: 'req.body,sha2(256),hex' }],
  }));
  return {
    finding: 'body-unbuffered',
    by: 'an argument of the body',
    at: ['spoe', 'args key='],
    haproxy: 'silent',
    files: {
      settings: { ...settings, messages },
      config,
      spoe: spoe.replace(/( {4}event )/, '    args key=req.body,sha2(256),hex\n$1'),
    },
  };
}
