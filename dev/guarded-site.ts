import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Settings } from '../config/settings.ts';
import { spoeFile } from '../haproxy/generate/spoe.ts';
import { type AgentProcess, startAgentProcess } from './agent-process.ts';
import { freePort } from './free-port.ts';
import { type Haproxy, startHaproxy } from './haproxy.ts';
import type { HaproxyBuild } from './haproxy-builds.ts';
import { frontendConfig } from './haproxy-config.ts';
import { temporaryFolder } from './local-cloud/ends-with-process.ts';
import { type Visit, type VisitOptions, visit } from './visit.ts';

const WARM_UP_LIMIT_MS = 10_000;

export interface SiteOptions {
  readonly backendUrl: string;
  /** Settings of the agent's config file besides `backend.url` and `listen`. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** By default the agent listens on a unix socket. */
  readonly listen?: 'unix' | 'tcp';
  readonly port?: number;
  /** The HAProxy to run, and the version for its wiring; by default this system's, and that of the settings. */
  readonly haproxy?: Pick<HaproxyBuild, 'binary' | 'version'>;
  /** Whether its HAProxy can reload. */
  readonly reloadable?: boolean;
  /** Additional environment variables of the agent, such as those for its credentials. */
  readonly env?: Readonly<Record<string, string>>;
  /** The complete haproxy.cfg for settings and port; by default a frontend in which HAProxy itself answers. */
  readonly haproxyConfig?: (settings: Settings, port: number) => string;
}

/** A web site behind a real HAProxy that asks a real agent, each in its own process. */
export interface Site {
  readonly port: number;
  readonly haproxy: Haproxy;
  /** The current or last agent. */
  readonly agent: AgentProcess;
  visit(from: string, options?: Omit<VisitOptions, 'port' | 'from'>): Promise<Visit>;
  /** Starts the agent again after it was killed, on the same address. */
  startAgent(): Promise<void>;
  stop(): Promise<void>;
}

/** Visits the site from unknown addresses until such an answer comes by the deadline: of the backend, or from the agent's mirror. */
export async function warmUp(site: Site, source: 'backend' | 'mirror' = 'backend'): Promise<void> {
  const limitMs = performance.now() + WARM_UP_LIMIT_MS;
  for (let stranger = 1; ; stranger++) {
    const { headers } = await site.visit(`127.255.${stranger >> 8}.${stranger & 255}`);
    if (headers['x-haverdict-source'] === source) return;
    if (performance.now() > limitMs)
      throw new Error(`the agent has no answer from its ${source}:\n${site.agent.lines.slice(-5).join('\n')}`);
    await pause(20);
  }
}

export async function startSite(options: SiteOptions): Promise<Site> {
  const folder = temporaryFolder('haverdict-site-');
  const port = options.port ?? (await freePort());
  const config = {
    ...(options.haproxy !== undefined && { haproxy: { version: options.haproxy.version } }),
    ...options.config,
    listen: [
      options.listen === 'tcp' ? `tcp://127.0.0.1:${await freePort()}` : { unix: join(folder.path, 'agent.sock') },
    ],
    backend: { url: options.backendUrl, ...(options.config?.backend as object | undefined) },
  };
  const start = () => startAgentProcess(config, folder.path, options.env);
  let agent = await start();
  const haproxy = await startHaproxyFor(agent, port, options).catch(async (error) => {
    await agent.kill('SIGKILL');
    throw error;
  });
  return {
    port,
    haproxy,
    get agent() {
      return agent;
    },
    visit: (from, more) => visit({ port, from, ...more }),
    async startAgent() {
      agent = await start();
    },
    async stop() {
      await haproxy.stop();
      await agent.kill('SIGTERM');
      folder.remove();
    },
  };
}

function startHaproxyFor({ settings }: AgentProcess, port: number, options: SiteOptions): Promise<Haproxy> {
  const { haproxyConfig = answeringConfig } = options;
  return startHaproxy({
    config: haproxyConfig(settings, port),
    spoe: spoeFile(settings),
    reloadable: options.reloadable ?? false,
    ...(options.haproxy !== undefined && { binary: options.haproxy.binary }),
  });
}

/** Listens for IPv4 and IPv6 on one socket, as most sites do: IPv4 visitors have addresses like ::ffff:a.b.c.d. */
function answeringConfig(settings: Settings, port: number): string {
  return frontendConfig({ settings, binds: [`:::${port} v4v6`] });
}
