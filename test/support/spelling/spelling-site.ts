import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadSettings } from '../../../config/load.ts';
import type { Settings } from '../../../config/settings.ts';
import { formatSubject, parseSubject } from '../../../contract/subject.ts';
import { freePort } from '../../../dev/free-port.ts';
import { startHaproxy } from '../../../dev/haproxy.ts';
import type { HaproxyBuild } from '../../../dev/haproxy-builds.ts';
import { REQUEST_SCOPE } from '../../../haproxy/events.ts';
import { agentsBackend } from '../../../haproxy/generate/agents-backend.ts';
import { frontendRoutes, frontendRules } from '../../../haproxy/generate/frontend.ts';
import { AGENTS_BACKEND, spoeFile } from '../../../haproxy/generate/spoe.ts';
import { ERROR_VARIABLE } from '../../../haproxy/variables.ts';
import { startAgents } from '../agents.ts';
import { UNASKED } from '../servers/marks.ts';
import type { WebServer } from '../servers/web-server.ts';
import { startTableFunction } from '../table-function.ts';

/** So long that no machine is too busy to answer. */
const DEADLINE_MS = 10_000;
/** Too late, no connection, no agent: what no client causes. */
const NOT_ASKED = '1 2 256 257';

export interface SpellingSiteOptions {
  readonly haproxy: HaproxyBuild;
  readonly servers: readonly WebServer[];
  /** Configurations of agents by name, with the default wiring each; beside these they have what this site needs. */
  readonly guards: Readonly<Record<string, object>>;
  /** What is listed for all of them, as it is typed. */
  readonly listed: readonly { readonly subject: string; readonly action?: 'allow' | 'deny' }[];
}

/** One HAProxy with a frontend for each guard, which has an agent of its own and leads to any of the servers. */
export interface SpellingSite {
  /** Where the frontend of a guard takes requests for a server. */
  port(guard: string, server: WebServer): number;
  stop(): Promise<void>;
}

export async function startSpellingSite(options: SpellingSiteOptions): Promise<SpellingSite> {
  const { servers, listed, haproxy: build } = options;
  const folder = mkdtempSync(join(tmpdir(), 'haverdict-spelling-'));
  const table = await startTableFunction();
  for (const { subject, action = 'deny' } of listed)
    table.type({ subject: formatSubject(parseSubject(subject)), action, reason: 'spelling' });
  const files = Object.entries(options.guards).map(([name, config]) => {
    const file = join(folder, `${name}.yaml`);
    writeFileSync(file, JSON.stringify(completed(config, name, build, folder, table.url))); // JSON is YAML
    return [name, file] as const;
  });
  const agents = await startAgents(files.map(([, file]) => file));
  const close = async () => {
    await agents.stop();
    await table.close();
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    const ports = new Map<string, number>();
    for (const [name] of files)
      for (const server of servers) ports.set(`${name} ${server.name}`, await anotherPort(ports));
    const portOf = (name: string, server: WebServer) => ports.get(`${name} ${server.name}`) ?? 0;
    const sections = files.map(([name, file]) => {
      const settings = loadSettings(file, {});
      writeFileSync(join(folder, `${name}.spoe.cfg`), ownBackend(name, spoeFile(settings)));
      return [frontend(name, settings, folder, servers, portOf), ownBackend(name, agentsBackend(settings))] as const;
    });
    const haproxy = await startHaproxy({ config: haproxyConfig(sections, servers), binary: build.binary });
    const stop = async () => {
      await haproxy.stop();
      await close();
    };
    return { port: portOf, stop };
  } catch (error) {
    await close();
    throw error;
  }
}

function completed(config: object, name: string, { version }: HaproxyBuild, folder: string, url: string): object {
  return {
    ...{ deadlineMs: DEADLINE_MS, haproxy: { version }, ...config },
    listen: [{ unix: join(folder, `${name}.sock`) }],
    backend: { url, timeoutMs: DEADLINE_MS, maxCallsPerSecond: 100_000 },
  };
}

function haproxyConfig(
  sections: readonly (readonly [frontend: string, agents: string])[],
  servers: readonly WebServer[],
): string {
  const backends = servers.map(({ name, port }) => `backend ${name}\n    server ${name} 127.0.0.1:${port}\n`);
  return `global
    maxconn 2000

defaults
    mode http
    timeout connect 10s
    timeout client 2s
    timeout http-request 2s
    timeout http-keep-alive 200ms
    timeout server 10s
    timeout tunnel 2s

${[...sections.map(([frontend]) => frontend), ...backends, ...sections.map(([, agents]) => agents)].join('\n')}`;
}

function frontend(
  name: string,
  settings: Settings,
  folder: string,
  servers: readonly WebServer[],
  portOf: (name: string, server: WebServer) => number,
): string {
  const binds = servers.map((server) => `    bind 127.0.0.1:${portOf(name, server)}\n`);
  const routes = servers.map((server) => `    use_backend ${server.name} if { dst_port ${portOf(name, server)} }\n`);
  const failure = `var(${REQUEST_SCOPE}.${settings.haproxy.prefix}.${ERROR_VARIABLE})`;
  const rules = frontendRules(settings, join(folder, `${name}.spoe.cfg`));
  return `frontend ${name}
${binds.join('')}${rules}
    http-after-response set-header x-unasked "${UNASKED}" if { ${failure} -m int ${NOT_ASKED} }
${frontendRoutes(settings)}${routes.join('')}`;
}

/** The wiring names one backend of agents, and this HAProxy has several. */
function ownBackend(name: string, wiring: string): string {
  return wiring.replaceAll(AGENTS_BACKEND, `${AGENTS_BACKEND}-${name}`);
}

/** HAProxy would bind one port for two frontends, and give each a part of the connections. */
async function anotherPort(ports: ReadonlyMap<string, number>): Promise<number> {
  const taken = new Set(ports.values());
  for (;;) {
    const port = await freePort();
    if (!taken.has(port)) return port;
  }
}
