import { policyShare } from '../decision/degradation-detector.ts';
import { PROCESS, SECTIONS } from '../state/metric-definitions.ts';
import type { MetricDefinition, MetricDefinitions, MetricHeader, Sample, ValuesOf } from '../state/metric-types.ts';
import type { AgentState } from '../state/state.ts';
import { decisionSeries } from './decisions-metric.ts';

/** The resource usage of the process that serves the metrics. */
export interface ProcessUsage {
  readonly cpuSeconds: number;
  readonly residentBytes: number;
  readonly startedAtSeconds: number;
}

export interface Reading {
  readonly state: AgentState;
  readonly usage: ProcessUsage;
}

/** A Prometheus metric with its samples. */
export interface Metric extends MetricHeader {
  readonly samples: (reading: Reading) => readonly Sample[];
}

/** The metrics that are not defined in agent/state/metric-definitions.ts. */
const OTHERS: readonly Metric[] = [
  {
    ...{ name: 'haverdict_decisions_total', type: 'counter', help: 'Decisions sent to HAProxy.' },
    labels: ['message', 'action', 'source', 'reason', 'list'],
    samples: ({ state }) => decisionSeries(state),
  },
  gauge('haverdict_deadline_seconds', 'The deadline in force.', ({ state }) => state.config.deadlineMs / 1000),
  gauge(
    'haverdict_degraded',
    '1 while too many lookups are decided by policy (backend.degradedPercent) or the backend is not asked, else 0.',
    ({ state }) => Number(state.degradation.isDegraded),
  ),
  gauge(
    'haverdict_policy_share',
    'Share of the lookups of the last 10 seconds that the policy decided because of the backend.',
    ({ state }) => policyShare(state.degradation),
  ),
  gauge(
    'haverdict_credentials_expiry_timestamp_seconds',
    'Expiry of the AWS credentials; absent without credentials, or if they do not expire.',
    ({ state: { backend } }) => backend.credentialsExpireAtMs && backend.credentialsExpireAtMs / 1000,
  ),
  gauge(
    'haverdict_config_last_reload_successful',
    '1 if the last reload succeeded, 0 if the previous configuration is still in force.',
    ({ state }) => Number(state.reloads.lastError === undefined),
  ),
  gauge(
    'haverdict_config_last_reload_success_timestamp_seconds',
    'When the configuration in force was loaded.',
    ({ state }) => (state.reloads.lastOkAtMs ?? state.startedAtMs) / 1000,
  ),
  {
    ...{ name: 'haverdict_config_reloads_total', type: 'counter', help: 'Reloads.', labels: ['result'] },
    samples: ({ state: { reloads } }) => [
      { labels: { result: 'ok' }, value: reloads.ok },
      { labels: { result: 'failed' }, value: reloads.failed },
    ],
  },
  gauge('haverdict_workers', 'Processes that share the connections.', ({ state }) => state.workers),
  counter(
    'haverdict_workers_replaced_total',
    'Workers replaced because they exited, were killed, or could not load a configuration.',
    ({ state }) => state.workersReplaced,
  ),
  gauge('haverdict_start_time_seconds', 'When the agent was started.', ({ state }) => state.startedAtMs / 1000),
  {
    ...{ name: 'haverdict_build_info', type: 'gauge', help: 'Always 1.', labels: ['version', 'node'] },
    samples: ({ state: { version } }) => [{ labels: { version, node: process.version }, value: 1 }],
  },
  counter('process_cpu_seconds_total', 'CPU time of the first process.', ({ usage }) => usage.cpuSeconds),
  gauge('process_resident_memory_bytes', 'Memory of the first process.', ({ usage }) => usage.residentBytes),
  gauge('process_start_time_seconds', 'When the first process was started.', ({ usage }) => usage.startedAtSeconds),
];

/** All metrics, sorted by name, as in docs/reference/metrics.md. */
export const METRICS: readonly Metric[] = [
  ...metricsOf(PROCESS, (state) => state),
  ...metricsOf(SECTIONS.cache, ({ cache }) => cache),
  ...metricsOf(SECTIONS.backend, ({ backend }) => backend),
  ...metricsOf(SECTIONS.updates, ({ updates }) => updates),
  ...metricsOf(SECTIONS.mirror, ({ mirror }) => mirror),
  ...metricsOf(SECTIONS.spop, ({ spop }) => spop),
  ...OTHERS,
].toSorted((a, b) => (a.name < b.name ? -1 : 1));

function metricsOf<Section extends MetricDefinitions>(
  section: Section,
  valuesIn: (state: AgentState) => ValuesOf<Section>,
): Metric[] {
  return Object.entries<MetricDefinition<unknown>>(section).map(([key, { name, type, help, labels, samples }]) => ({
    ...{ name, type, help, labels },
    samples: ({ state }) => samples(valuesIn(state)[key]),
  }));
}

/** A gauge, which is absent while its value is undefined. */
function gauge(name: string, help: string, value: (reading: Reading) => number | undefined): Metric {
  const samples = (reading: Reading) => {
    const known = value(reading);
    return known === undefined ? [] : [{ value: known }];
  };
  return { name, type: 'gauge', help, labels: [], samples };
}

function counter(name: string, help: string, value: (reading: Reading) => number): Metric {
  return { ...gauge(name, help, value), type: 'counter' };
}
