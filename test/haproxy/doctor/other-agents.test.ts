import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describeOnEveryHaproxy } from '../../support/every-haproxy.ts';
import { above, both, type Situation, section, testSituations } from './situation.ts';

const PUBLISHED = join(import.meta.dirname, '../../support/other-agents');
const published = (name: string) => readFileSync(join(PUBLISHED, name), 'utf8');

/** The example of HAProxy's own sources: its message has the name of ours. */
const MODSECURITY = `[modsecurity]
spoe-agent modsecurity-agent
    messages check-request
    option var-prefix modsec
    timeout hello 100ms
    timeout idle 30s
    timeout processing 15ms
    use-backend spoe-modsecurity

spoe-message check-request
    args unique-id method path query req.ver req.hdrs_bin req.body_size req.body
    event on-frontend-http-request
`;
const ASKS_MODSECURITY = `    filter spoe engine modsecurity config modsecurity.cfg
    http-request deny if { var(txn.modsec.code) -m int gt 0 }
`;
const ASKS_CORAZA = `    http-request set-var(txn.coraza.app) str(sample_app)
    filter spoe engine coraza config coraza.cfg
    http-request send-spoe-group coraza coraza-req
    http-request redirect code 302 location %[var(txn.coraza.data)] if { var(txn.coraza.action) -m str redirect }
    http-response deny deny_status 403 if { var(txn.coraza.action) -m str deny }
    http-request deny deny_status 500 if { var(txn.coraza.error) -m int gt 0 }
`;
const ASKS_CROWDSEC = `    unique-id-format %[uuid()]
    option http-buffer-request
    filter spoe engine crowdsec config crowdsec.cfg
    http-request send-spoe-group crowdsec crowdsec-http-body if { req.body_size -m int le 51200 }
    http-request send-spoe-group crowdsec crowdsec-http-no-body unless { req.body_size -m int le 51200 }
    http-request deny if { var(txn.crowdsec.remediation) -m str ban }
`;
const agents = (name: string, server = '127.0.0.1:9000') => `backend ${name}
    mode MODE
    timeout connect 2s
    timeout server 3m
    server one ${server}
`;
const SHARED = `${MODSECURITY}
[bots]
spoe-agent bots-agent
    messages look
    option var-prefix bots
    timeout hello 100ms
    timeout idle 30s
    timeout processing 15ms
    use-backend spoe-modsecurity

spoe-message look
    args ip=src
    event on-frontend-http-request
`;

const SITUATIONS: readonly Situation[] = [
  {
    name: 'Coraza and CrowdSec as they are published, on the port of our agent',
    edit: both(above(ASKS_CORAZA + ASKS_CROWDSEC), section(agents('coraza-spoa')), section(agents('crowdsec-spoa'))),
    others: { 'coraza.cfg': published('coraza.cfg'), 'crowdsec.cfg': published('crowdsec.cfg') },
    found: [],
    haproxy: 'takes',
  },
  {
    name: 'Coraza above our filter',
    edit: both((config) => config.replace(/^ {4}filter spoe/m, `${ASKS_CORAZA}$&`), section(agents('coraza-spoa'))),
    others: { 'coraza.cfg': published('coraza.cfg') },
    found: [],
    haproxy: 'takes',
  },
  {
    name: 'an agent whose message has the name of ours',
    edit: both(above(ASKS_MODSECURITY), section(agents('spoe-modsecurity'))),
    others: { 'modsecurity.cfg': MODSECURITY },
    found: [],
    haproxy: 'takes',
  },
  {
    name: 'an agent whose message has the name of ours, in a frontend of its own',
    edit: both(
      section(`frontend other\n    bind 127.0.0.1:8081\n${ASKS_MODSECURITY}    http-request return status 200\n`),
      section(agents('spoe-modsecurity')),
    ),
    others: { 'modsecurity.cfg': MODSECURITY },
    found: [],
    haproxy: 'takes',
  },
  {
    name: 'two agents in one file',
    edit: both(
      above(
        `${ASKS_MODSECURITY}    filter spoe engine bots config modsecurity.cfg\n    http-request deny if { var(txn.bots.action) -m str deny }\n`,
      ),
      section(agents('spoe-modsecurity')),
    ),
    others: { 'modsecurity.cfg': SHARED },
    found: [],
    haproxy: 'takes',
  },
  {
    name: 'an agent whose backend has a check of its own and no timeouts of ours',
    edit: both(
      above(ASKS_CORAZA),
      section(`${agents('coraza-spoa')}    option tcp-check\n    retries 5\n    option redispatch\n`),
    ),
    others: { 'coraza.cfg': published('coraza.cfg') },
    found: [],
    haproxy: 'takes',
  },
  {
    name: 'an agent whose file has an environment variable in its path',
    edit: both(above(ASKS_CORAZA.replace('coraza.cfg', '"$CORAZA_CFG"')), section(agents('coraza-spoa'))),
    found: [],
  },
  {
    name: 'an agent whose file has no such engine',
    edit: both(above(ASKS_CORAZA), section(agents('coraza-spoa'))),
    others: { 'coraza.cfg': MODSECURITY.replace('check-request', 'look').replace('check-request', 'look') },
    found: [],
    haproxy: 'refuses',
  },
];

describeOnEveryHaproxy('agents of others beside ours', (build) => testSituations(build, SITUATIONS));
