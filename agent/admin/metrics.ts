import { type Metric as ClientMetric, Registry } from 'prom-client';
import type { AgentState } from '../state/state.ts';
import { METRICS } from './catalogue.ts';
import type { Metric, ProcessUsage, Reading } from './metric.ts';

export const METRICS_CONTENT_TYPE = Registry.PROMETHEUS_CONTENT_TYPE;

/** A snapshot in Prometheus's text format 0.0.4. */
export function metricsText(state: AgentState, usage: ProcessUsage = processUsage()): Promise<string> {
  const registry = new Registry();
  for (const metric of METRICS) registry.registerMetric(withValues(metric, { state, usage }));
  return registry.metrics();
}

/** What this process takes of the host now. */
export function processUsage(): ProcessUsage {
  const { user, system } = process.cpuUsage();
  return {
    cpuSeconds: (user + system) / 1e6,
    residentBytes: process.memoryUsage.rss(),
    startedAtSeconds: performance.timeOrigin / 1000,
  };
}

/** The library's own classes count by themselves; ours are counted elsewhere, and a registry asks for no more than this. */
function withValues({ name, type, help, labels, samples }: Metric, reading: Reading): ClientMetric {
  const values = samples(reading).map((sample) => ({ labels: {}, ...sample }));
  const metric = { name, help, type, labelNames: labels, get: async () => ({ name, help, type, values }) };
  return metric as unknown as ClientMetric; // the type asks for one of its classes, the registry for `name` and `get`
}
