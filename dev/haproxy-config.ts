import type { Settings } from '../config/settings.ts';
import { REQUEST_SCOPE } from '../haproxy/events.ts';
import { agentsBackend } from '../haproxy/generate/agents-backend.ts';
import { backendRules } from '../haproxy/generate/backend-rules.ts';
import { frontendRoutes, frontendRules } from '../haproxy/generate/frontend.ts';
import { ERROR_VARIABLE, PROCESS_TIME_VARIABLE, VARIABLES } from '../haproxy/variables.ts';
import { SPOE_FILE } from './haproxy.ts';

export interface FrontendOptions {
  readonly settings: Settings;
  /** What follows `bind`, e.g. `127.0.0.1:8080` or `:::8080 v4v6`. */
  readonly binds: readonly string[];
}

/** The response headers with the decision, on passed and denied requests. */
const HEADERS = {
  'X-Haverdict-Action': VARIABLES.action,
  'X-Haverdict-Source': VARIABLES.source,
  'X-Haverdict-Reason': VARIABLES.reason,
  'X-Haverdict-Error': ERROR_VARIABLE,
  'X-Haverdict-Process-Ms': PROCESS_TIME_VARIABLE,
} as const;

const ANSWER = '    http-request return status 200 content-type text/plain string "passed"\n';

/** A complete haproxy.cfg with the generated wiring; HAProxy itself answers passed requests with 200. */
export function frontendConfig({ settings, binds }: FrontendOptions): string {
  return `global
    log stdout format raw daemon

defaults
    log global
    mode http
    option httplog
    timeout connect 2s
    timeout client 10s
    timeout server 10s

frontend web
${binds.map((bind) => `    bind ${bind}\n`).join('')}${frontendRules(settings, SPOE_FILE)}
${headerRules(settings)}${frontendRoutes(settings)}    default_backend origin

backend origin
${backendRules(settings)}${ANSWER}
${settings.haproxy.backends.map((name) => `backend ${name}\n${backendRules(settings)}${ANSWER}\n`).join('')}
${agentsBackend(settings)}`;
}

function headerRules(settings: Settings): string {
  return Object.entries(HEADERS)
    .map(([header, name]) => [header, `var(${REQUEST_SCOPE}.${settings.haproxy.prefix}.${name})`])
    .map(([header, value]) => `    http-after-response set-header ${header} %[${value}] if { ${value} -m found }\n`)
    .join('');
}
