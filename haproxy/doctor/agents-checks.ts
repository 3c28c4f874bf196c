import type { ListenAddress } from '../../config/listen-address.ts';
import { serverAddress } from '../../spop/haproxy/server-address.ts';
import { agentAddresses } from '../generate/agents-backend.ts';
import { AGENTS_BACKEND } from '../generate/spoe.ts';
import { type HaproxyConfig, lastOf, optionOf, type ProxySection } from '../parse/proxy.ts';
import { hasKeyword, parameterOf, type Server } from '../parse/server.ts';
import { hasEnvironmentVariable } from '../parse/words.ts';
import { hasNativeSpop, isAtLeast } from '../versions.ts';
import type { Checks, Occurrence } from './check.ts';
import type { Engine } from './installation.ts';

const OWN_DEFAULTS =
  'backend <backend> from haverdict-agents-defaults   # both sections at the end of the last file, as haverdict wiring prints them';

/** Options and other keywords of which HAProxy says that they require mode http (seen on 2.6 to 3.4). */
const HTTP_OPTIONS = [
  'forwardfor',
  'originalto',
  'forwarded',
  'http-pretend-keepalive',
  'http-buffer-request',
  'http-no-delay',
  'checkcache',
  'prefer-last-server',
  'accept-invalid-http-response',
  'accept-unsafe-violations-in-http-response',
  'http-drop-request-trailers',
];
const HTTP_BALANCE = /^(uri|url_param|hdr\()/;

/** Does HAProxy reach the agent, and notice when it is gone? */
export const AGENTS_CHECKS = {
  'agents-backend-unknown': {
    severity: 'error',
    why: 'the spoe-agent must name the backend through which HAProxy reaches the agent',
    write: '<right>',
    *find({ engines, config }) {
      for (const { agent, backend } of engines) {
        if (backend !== undefined) continue;
        const line = lastOf(agent.lines, 'use-backend');
        if (hasEnvironmentVariable(line?.words[1] ?? '')) continue;
        const spop = config.proxies.find(({ kind, lines }) => kind === 'backend' && optionOf(lines, 'spop-check')?.on);
        const what = line === undefined ? 'no use-backend' : `there is no backend ${line.words[1] ?? ''}`;
        if (line === undefined || spop !== undefined)
          yield {
            place: line?.place ?? agent.place,
            what,
            values: { right: `use-backend ${spop?.name ?? AGENTS_BACKEND}` },
          };
        else
          yield {
            place: { file: config.files.at(-1) ?? '' },
            what: `${what}, which the SPOE file names`,
            values: { right: `backend ${line.words[1]}   # the part agents of haverdict wiring, here at the end` },
          };
      }
    },
  },
  'agents-backend-repeated': {
    severity: 'error',
    why: 'HAProxy refuses two sections of one name, and keeps its old configuration',
    write: 'backend <name>   # once, at the end of the last file, and its defaults once',
    *find({ engines, config }) {
      for (const { backend } of backendsOf(engines))
        for (const { kind, name, place, isUnsure } of config.proxies)
          if (kind !== 'frontend' && name === backend.name && place !== backend.place && !isUnsure)
            yield { place, what: `backend ${name} is there already`, values: { name } };
    },
  },
  'agents-backend-http': {
    severity: 'error',
    why: 'SPOP is not HTTP: HAProxy refuses such a backend; it often inherits its mode from defaults',
    write: 'mode <mode>',
    *find({ engines, settings }) {
      for (const { place, backend } of backendsOf(engines))
        if (backend.mode === 'http')
          yield {
            place: lastPlace(backend, 'mode', place),
            what: `backend ${backend.name} is in mode http`,
            values: { mode: hasNativeSpop(settings.haproxy.version) ? 'spop' : 'tcp' },
          };
    },
  },
  'spop-mode-unknown': {
    severity: 'error',
    why: 'mode spop needs HAProxy 3.1 or later; older versions refuse it',
    write: 'mode tcp',
    *find({ engines, settings }) {
      for (const { place, backend } of backendsOf(engines))
        if (backend.mode === 'spop' && !hasNativeSpop(settings.haproxy.version))
          yield { place: lastPlace(backend, 'mode', place), what: `mode spop on HAProxy ${settings.haproxy.version}` };
    },
  },
  'agents-backend-disabled': {
    severity: 'error',
    why: 'HAProxy never connects: every request passes unchecked',
    write: 'enabled',
    *find({ engines }) {
      for (const { backend } of backendsOf(engines)) {
        const line = backend.lines.findLast(({ words }) => /^(en|dis)abled$/.test(words[0] ?? ''));
        if (line?.words[0] === 'disabled') yield { place: line.place, what: `backend ${backend.name} is disabled` };
      }
    },
  },
  'agents-defaults-shared': {
    severity: 'warning',
    why: 'HAProxy reports an ALERT before 3.0, and warns later, where one section names the defaults that another merely stands below',
    write: OWN_DEFAULTS,
    *find({ engines, config, settings }) {
      for (const { backend, place } of backendsOf(engines)) {
        const { defaults } = backend;
        if (defaults === undefined) continue;
        const sharing = config.proxies.filter((other) => other.defaults?.place === defaults.place);
        const named = sharing.find((other) => other.defaults?.isNamed);
        const [below, ...more] = sharing.filter((other) => !other.defaults?.isNamed);
        // that of the agents first: the others may be many
        const [naming, standing] = defaults.isNamed ? [backend, below] : [named, backend];
        if (naming === undefined || standing === undefined) continue;
        const others = defaults.isNamed && more.length > 0 ? `, and so do ${more.length} more` : '';
        yield {
          place: standing === backend ? place : standing.place,
          what: `${standing.kind} ${standing.name} stands below defaults ${defaults.name}, which ${naming.kind} ${naming.name} names${others}`,
          values: { backend: backend.name },
          ...(!isAtLeast(settings.haproxy.version, '3.0') && { severity: 'error' }),
        };
      }
    },
  },
  'agents-inherit-http': {
    severity: 'error',
    why: 'HAProxy warns of it in a backend that is not in mode http, and with zero-warning refuses the configuration',
    write: OWN_DEFAULTS,
    *find({ engines, config }) {
      if (lastOf(config.global, 'zero-warning') === undefined) return;
      for (const { backend } of backendsOf(engines))
        for (const { words, place } of httpLines(backend))
          yield {
            place,
            what: `${words.join(' ')} applies to backend ${backend.name}`,
            values: { backend: backend.name },
          };
    },
  },
  'agents-not-redispatched': {
    severity: 'warning',
    why: 'when an agent ends, its requests get the policy until the check notices, although another could be asked',
    write: 'retries 1 and option redispatch 1',
    *find({ engines }) {
      for (const { backend, servers, place } of backendsOf(engines)) {
        const retries = lastOf(backend.lines, 'retries');
        const redispatch = optionOf(backend.lines, 'redispatch');
        const isRedispatched = redispatch?.on && ['1', '-1'].includes(redispatch.line.words[2] ?? '');
        const others = servers.filter((server) => !hasKeyword(server, 'backup'));
        if (others.length < 2 || (isRedispatched && retries?.words[1] !== '0')) continue;
        yield {
          place: retries?.words[1] === '0' ? retries.place : place,
          what: `backend ${backend.name} has ${others.length} servers and asks no other when one cannot be connected to`,
        };
      }
    },
  },
  'agents-server-missing': {
    severity: 'error',
    why: 'without a server the agent is never asked, and HAProxy does not warn at startup',
    write: 'server agent1 <address> check',
    *find({ engines, settings }) {
      for (const { place, backend, servers } of backendsOf(engines))
        if (servers.length === 0)
          yield { place, what: `backend ${backend.name} has no server`, values: addressOf(agentAddresses(settings)) };
    },
  },
  'spop-check-missing': {
    severity: 'warning',
    why: 'an open connection does not mean that the agent answers: an agent that hangs stays UP',
    write: 'option spop-check',
    *find({ engines, config }) {
      for (const { place, backend, servers } of backendsOf(engines)) {
        const isChecked = servers.length > 0 && servers.every((server) => healthcheckOf(server, config) !== undefined);
        if (checkOf(backend) === undefined && !isChecked)
          yield { place, what: `backend ${backend.name} has no option spop-check` };
      }
    },
  },
  'check-not-spop': {
    severity: 'error',
    why: 'the agent does not speak this protocol: the server stays DOWN, and the agent is never asked',
    write: 'option spop-check',
    *find({ engines, config }) {
      for (const { backend, servers } of backendsOf(engines)) {
        const own = servers.map((server) => healthcheckOf(server, config));
        for (const check of new Set(own.includes(undefined) ? [checkOf(backend), ...own] : own))
          if (check !== undefined && check.name !== 'spop-check')
            yield { place: check.place, what: `${check.written} checks an agent` };
      }
    },
  },
} satisfies Checks;

/** Lines that apply to this backend although they need mode http. */
function httpLines({ lines }: ProxySection) {
  const options = HTTP_OPTIONS.map((name) => optionOf(lines, name)).flatMap((option) =>
    option?.on ? [option.line] : [],
  );
  const balance = lastOf(lines, 'balance');
  const others = [lastOf(lines, 'cookie'), lastOf(lines, 'stats')].flatMap((line) => line ?? []);
  return [...options, ...others, ...(balance && HTTP_BALANCE.test(balance.words[1] ?? '') ? [balance] : [])];
}

export function backendsOf(engines: readonly Engine[]) {
  return engines.flatMap(({ backend, servers }) => (backend ? [{ backend, servers, place: backend.place }] : []));
}

export function serversOf(engines: readonly Engine[]): Server[] {
  return engines.flatMap(({ servers }) => servers);
}

interface HealthCheck {
  readonly name: string;
  readonly written: string;
  readonly place: Occurrence['place'];
}

/** The check of a backend: of all these options the last one counts. */
function checkOf({ lines }: ProxySection): HealthCheck | undefined {
  const names = [
    'spop-check',
    'httpchk',
    'tcp-check',
    'smtpchk',
    'mysql-check',
    'pgsql-check',
    'redis-check',
    'ldap-check',
    'ssl-hello-chk',
    'external-check',
  ];
  const line = lines.findLast(
    ({ words }) => words[0] === 'option' && names.includes(words[1] ?? '') && optionOf(lines, words[1] ?? '')?.on,
  );
  const [, name = ''] = line?.words ?? [];
  return line && { name, written: `option ${name}`, place: line.place };
}

/** The check that a server line names instead: the type of a `healthcheck` section (3.3 and later). */
function healthcheckOf(server: Server, { healthchecks }: HaproxyConfig): HealthCheck | undefined {
  const section = healthchecks.find(({ name }) => name === parameterOf(server, 'healthcheck'));
  const line = section && lastOf(section.lines, 'type');
  return line && { name: line.words[1] ?? '', written: line.words.join(' '), place: line.place };
}

function lastPlace({ lines }: ProxySection, keyword: string, fallback: Occurrence['place']): Occurrence['place'] {
  return lastOf(lines, keyword)?.place ?? fallback;
}

export function addressOf(
  listen: readonly ListenAddress[],
  type?: ListenAddress['type'],
  chroot?: string,
): { address: string } {
  const own = listen.find((address) => address.type === type) ?? listen[0];
  return { address: own === undefined ? 'unix@/run/haverdict/agent.sock' : serverAddress(own, chroot) };
}
