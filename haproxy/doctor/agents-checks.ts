import type { ListenAddress } from '../../config/listen-address.ts';
import { serverAddress } from '../generate/agents-backend.ts';
import { type HaproxyConfig, lastOf, optionOf, type ProxySection } from '../parse/proxy.ts';
import { parameterOf, type Server } from '../parse/server.ts';
import { hasEnvironmentVariable } from '../parse/words.ts';
import { hasNativeSpop } from '../versions.ts';
import type { Checks, Occurrence } from './check.ts';
import type { Engine } from './installation.ts';

/** Does HAProxy reach the agent, and notice when it is gone? */
export const AGENTS_CHECKS = {
  'agents-backend-unknown': {
    severity: 'error',
    why: 'the spoe-agent must name the backend through which HAProxy reaches the agent',
    write: 'use-backend <backend>',
    *find({ engines, config }) {
      for (const { agent, backend } of engines) {
        if (backend !== undefined) continue;
        const line = lastOf(agent.lines, 'use-backend');
        if (hasEnvironmentVariable(line?.words[1] ?? '')) continue;
        const spop = config.proxies.find(({ kind, lines }) => kind === 'backend' && optionOf(lines, 'spop-check')?.on);
        const what = line === undefined ? 'no use-backend' : `there is no backend ${line.words[1] ?? ''}`;
        yield { place: line?.place ?? agent.place, what, values: { backend: spop?.name ?? 'haverdict-agents' } };
      }
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
  'agents-server-missing': {
    severity: 'error',
    why: 'without a server the agent is never asked, and HAProxy does not warn at startup',
    write: 'server agent1 <address> check',
    *find({ engines, settings }) {
      for (const { place, backend, servers } of backendsOf(engines))
        if (servers.length === 0)
          yield { place, what: `backend ${backend.name} has no server`, values: addressOf(settings.listen) };
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

export function addressOf(listen: readonly ListenAddress[], type?: ListenAddress['type']): { address: string } {
  const own = listen.find((address) => address.type === type) ?? listen[0];
  return { address: own === undefined ? 'unix@/run/haverdict/agent.sock' : serverAddress(own) };
}
