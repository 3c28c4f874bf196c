import type { Settings } from '../../config/settings.ts';
import { type Site, startSite } from '../../dev/guarded-site.ts';
import { SPOE_FILE } from '../../dev/haproxy.ts';
import type { HaproxyBuild } from '../../dev/haproxy-builds.ts';
import { agentsBackend } from '../../haproxy/generate/agents-backend.ts';
import { backendRules } from '../../haproxy/generate/backend-rules.ts';
import { frontendRoutes, frontendRules } from '../../haproxy/generate/frontend.ts';
import { indent } from '../../haproxy/generate/syntax.ts';
import { tcpBackendRules, tcpFrontendRoutes, tcpFrontendRules } from '../../haproxy/generate/tcp.ts';
import { type Origin, startOrigin } from './origin.ts';
import { startTableFunction, type TableFunction } from './table-function.ts';

/** The servers behind HAProxy; whom nobody routes elsewhere goes to `usual`. */
const SERVERS = ['usual', 'blue', 'green'] as const;
export type Server = (typeof SERVERS)[number];

/** How long a tarpit holds a client. */
export const TARPIT_MS = 300;

/** A site with several servers whose agent asks the real function over a table in memory. */
export interface TableSite {
  readonly site: Site;
  readonly table: TableFunction;
  readonly origins: Readonly<Record<Server, Origin>>;
  stop(): Promise<void>;
}

export interface TableSiteOptions {
  readonly haproxy: HaproxyBuild;
  /** The agent's settings beside those that say where its function is. */
  readonly config: Readonly<Record<string, unknown>>;
  readonly mode?: 'http' | 'tcp';
  /** What the wiring has of another configuration than the agent's. */
  readonly wiring?: Partial<Settings['haproxy']>;
  /** Lines of the frontend below the wiring. */
  readonly lines?: readonly string[];
  /** Lines of the defaults, for frontend and backends. */
  readonly defaults?: readonly string[];
}

export async function startTableSite(options: TableSiteOptions): Promise<TableSite> {
  const table = await startTableFunction();
  const [usual, blue, green] = await Promise.all(SERVERS.map(startOrigin));
  const origins = { usual, blue, green } as Record<Server, Origin>; // one for each of SERVERS
  const close = () => Promise.all([table, ...Object.values(origins)].map((server) => server.close()));
  const { haproxy, config } = options;
  try {
    const site = await startSite({
      ...{ haproxy, backendUrl: table.url, config },
      haproxyConfig: (settings, port) =>
        haproxyConfig({ ...settings, haproxy: { ...settings.haproxy, ...options.wiring } }, port, origins, options),
    });
    const stop = async () => {
      await site.stop();
      await close();
    };
    return { site, table, origins, stop };
  } catch (error) {
    await close();
    throw error;
  }
}

function haproxyConfig(
  settings: Settings,
  port: number,
  origins: TableSite['origins'],
  { mode = 'http', lines = [], defaults = [] }: TableSiteOptions,
): string {
  const rules = mode === 'http' ? backendRules(settings) : tcpBackendRules(settings);
  const sections = Object.values(origins).map(
    ({ name, port: at }) => `backend ${name}\n${rules}    server ${name} 127.0.0.1:${at}\n`,
  );
  return `global
    log stdout format raw daemon

defaults
    log global
    mode ${mode}
    timeout connect 2s
    timeout client 10s
    timeout server 10s
    timeout tarpit ${TARPIT_MS}ms
${defaults.map((line) => `    ${line}\n`).join('')}
frontend site
    bind 127.0.0.1:${port}
${mode === 'http' ? completed(frontendRules(settings, SPOE_FILE)) : tcpFrontendRules(settings, SPOE_FILE)}
${lines.map((line) => `    ${line}\n`).join('')}
${mode === 'http' ? frontendRoutes(settings) : indent(tcpFrontendRoutes(settings))}
    default_backend usual

${sections.join('\n')}
${agentsBackend(settings)}`;
}

/** With the lines that the wiring leaves to the operator: those that send groups, and the format of the log. */
function completed(rules: string): string {
  return rules.replace(/^( *)# +(?=http-request send-spoe-group |log-format )/gm, '$1');
}
