import type { Sample } from '../state/metric-types.ts';
import type { AgentState } from '../state/state.ts';
import { METRICS, type ProcessUsage } from './metrics.ts';

/** Prometheus's text format, which every scraper reads. */
export const METRICS_CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/** A snapshot in that format. */
export function metricsText(state: AgentState, usage: ProcessUsage = processUsage()): string {
  const families = METRICS.map(({ name, type, help, samples }) => {
    const lines = samples({ state, usage }).map((sample) => `${sampleLine(name, sample)}\n`);
    return `# HELP ${name} ${escaped(help)}\n# TYPE ${name} ${type}\n${lines.join('')}`;
  });
  return families.join('\n');
}

export function processUsage(): ProcessUsage {
  const { user, system } = process.cpuUsage();
  return {
    cpuSeconds: (user + system) / 1e6,
    residentBytes: process.memoryUsage.rss(),
    startedAtSeconds: performance.timeOrigin / 1000,
  };
}

function sampleLine(name: string, { suffix, labels = {}, value }: Sample): string {
  const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escaped(text).replaceAll('"', '\\"')}"`);
  return `${name}${suffix ?? ''}${pairs.length === 0 ? '' : `{${pairs}}`} ${value}`;
}

function escaped(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
}
