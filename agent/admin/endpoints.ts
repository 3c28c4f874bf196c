import type { AgentState, Hits } from '../state/state.ts';
import { degradedTexts, health, healthText } from './health.ts';
import { METRICS_CONTENT_TYPE, metricsText } from './prometheus-text.ts';
import type { Snapshot } from './snapshots.ts';
import { PAGE_POLICY, statusPage } from './status-page.ts';

/** A response, without the headers that all have. */
export interface HttpAnswer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
  readonly contentPolicy?: string;
}

export interface EndpointRequest {
  readonly path: string;
  /** The header `accept`. */
  readonly accept: string;
  readonly isStopping: boolean;
  readonly snapshot: () => Promise<Snapshot>;
  readonly hits: () => Promise<Hits>;
}

const PATHS: Readonly<Record<string, (asked: EndpointRequest) => Promise<HttpAnswer>>> = {
  '/': async ({ snapshot }) => ({
    status: 200,
    type: 'text/html; charset=utf-8',
    body: statusPage(await snapshot()),
    contentPolicy: PAGE_POLICY,
  }),
  '/metrics': async ({ snapshot }) => ({
    status: 200,
    type: METRICS_CONTENT_TYPE,
    body: metricsText((await snapshot()).state),
  }),
  '/state.json': async ({ snapshot }) => json(200, (await snapshot()).state),
  '/hits.json': async ({ hits }) => json(200, await hits()),
  // Liveness only.
  '/livez': async () => text(200, 'alive'),
  '/readyz': async (asked) => (asked.isStopping ? stopping(asked) : readiness((await asked.snapshot()).state, asked)),
};

/** The answer to a GET; rejects if no snapshot is available. */
export async function answer(asked: EndpointRequest): Promise<HttpAnswer> {
  const found = Object.hasOwn(PATHS, asked.path) ? PATHS[asked.path] : undefined;
  return found?.(asked) ?? text(404, `there is ${Object.keys(PATHS).join(', ')}`);
}

export function text(status: number, line: string): HttpAnswer {
  return { status, type: 'text/plain; charset=utf-8', body: `${line}\n` };
}

function readiness(state: AgentState, { accept }: EndpointRequest): HttpAnswer {
  const found = health(state);
  const status = found.isReady ? 200 : 503;
  if (!wantsJson(accept)) return text(status, healthText(found));
  return json(status, {
    ready: found.isReady,
    degraded: degradedTexts(found),
    breaker: state.backend.breaker,
    updates: state.updates.state,
    mirror: state.mirror.state,
  });
}

function stopping({ accept }: EndpointRequest): HttpAnswer {
  return wantsJson(accept) ? json(503, { ready: false, stopping: true }) : text(503, 'stopping');
}

function json(status: number, value: unknown): HttpAnswer {
  return { status, type: 'application/json', body: `${JSON.stringify(value)}\n` };
}

function wantsJson(accept: string): boolean {
  return accept.includes('application/json');
}
