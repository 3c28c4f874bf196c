import { describeOnEveryHaproxy } from '../../support/every-haproxy.ts';
import { both, type Situation, section, testSituations } from './situation.ts';

const CHECK = '    option spop-check\n';
/** Another check of the agents than the option of their backend. */
const named = (name: string) => (config: string) =>
  config.replace(CHECK, '').replace(/( {4}server agent1 \S+ check)/, `$1 healthcheck ${name}`);
const healthcheck = (name: string, type: string, rest = '') =>
  section(`healthcheck ${name}\n    type ${type}\n${rest}`);

/** HAProxy has these sections since 3.3. */
const SITUATIONS: readonly Situation[] = [
  {
    name: 'a server with a check of its own that speaks SPOP',
    edit: both(named('agents'), healthcheck('agents', 'spop-check')),
    found: [],
    haproxy: 'takes',
  },
  {
    name: 'beside the same option of the backend',
    edit: both(
      (config) => config.replace(/( {4}server agent1 \S+ check)/, '$1 healthcheck agents'),
      healthcheck('agents', 'spop-check'),
    ),
    found: [],
    haproxy: 'takes',
  },
  {
    name: 'a check of HTTP',
    edit: both(named('web'), healthcheck('web', 'httpchk', '    http-check send meth GET uri /health\n')),
    found: [['check-not-spop', 'type httpchk']],
    haproxy: 'takes',
  },
  {
    name: 'a check of HTTP, beside the option of the backend that the server then does not use',
    edit: both(
      (config) => config.replace(/( {4}server agent1 \S+ check)/, '$1 healthcheck web'),
      healthcheck('web', 'httpchk'),
    ),
    found: [['check-not-spop', 'type httpchk']],
    haproxy: 'takes',
  },
  {
    name: 'a check of TCP',
    edit: both(named('bare'), healthcheck('bare', 'tcp-check', '    tcp-check connect\n')),
    found: [['check-not-spop', 'type tcp-check']],
    haproxy: 'takes',
  },
  {
    name: 'a check from default-server',
    edit: both(
      (config) => config.replace(CHECK, '').replace(/^ {4}server agent1/m, '    default-server healthcheck agents\n$&'),
      healthcheck('agents', 'spop-check'),
    ),
    found: [],
    haproxy: 'takes',
  },
  {
    name: 'a section that no server of ours names',
    edit: both(
      healthcheck('web', 'httpchk'),
      section('backend app\n    mode http\n    server a 192.0.2.20:80 check healthcheck web\n'),
    ),
    found: [],
    haproxy: 'takes',
  },
  {
    name: 'a section that is not there',
    edit: named('agents'),
    found: [['spop-check-missing', 'backend haverdict-agents']],
    haproxy: 'refuses',
  },
];

describeOnEveryHaproxy('checks of the agents that a server names', (build) => {
  const hasSections = ['3.3', '3.4', '3.5'].includes(build.version);
  testSituations(
    build,
    SITUATIONS.map(({ haproxy, ...situation }) => (hasSections && haproxy ? { ...situation, haproxy } : situation)),
  );
});
