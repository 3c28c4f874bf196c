import { policyShare } from '../decision/degradation-detector.ts';
import { PROCESS, SECTIONS } from '../state/metric-definitions.ts';
import type { MetricDefinition, MetricDefinitions, MetricHeader, Sample, ValuesOf } from '../state/metric-types.ts';
import type { AgentState } from '../state/state.ts';
import { decisionSeries } from './decisions-metric.ts';

/** The resources that the process uses that serves the metrics. */
export interface ProcessUsage {
  readonly cpuSeconds: number;
  readonly residentBytes: number;
  readonly startedAtSeconds: number;
}

export interface Reading {
  readonly state: AgentState;
  readonly usage: ProcessUsage;
}

/** A metric as Prometheus knows it, and its values. */
export interface Metric extends MetricHeader {
  readonly samples: (reading: Reading) => readonly Sample[];
}

/** The metrics of measures are declared with these; all others are here. */
const OTHERS: readonly Metric[] = [
  {
    ...{ name: 'haverdict_decisions_total', type: 'counter', help: 'Decisions that were told to HAProxy.' },
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
    'The share of the lookups of the last 10 seconds that the policy decided because the backend did not.',
    ({ state }) => policyShare(state.degradation),
  ),
  gauge(
    'haverdict_credentials_expiry_timestamp_seconds',
    'When the AWS credentials expire that calls are signed with; absent where there are none, or they never expire.',
    ({ state: { backend } }) => backend.credentialsExpireAtMs && backend.credentialsExpireAtMs / 1000,
  ),
  gauge(
    'haverdict_config_last_reload_successful',
    '1 if the configuration was read at the last attempt, 0 if the one before is still in force.',
    ({ state }) => Number(state.reloads.lastError === undefined),
  ),
  gauge(
    'haverdict_config_last_reload_success_timestamp_seconds',
    'When the configuration in force was read.',
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
    'Workers that ended by themselves, were killed or could not take a configuration, and were replaced.',
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

/** Every metric there is, by name; docs/reference/metrics.md lists the same. */
export const METRICS: readonly Metric[] = [
  ...metricsOf(PROCESS, (state) => state),
  ...metricsOf(SECTIONS.cache, ({ cache }) => cache),
  ...metricsOf(SECTIONS.backend, ({ backend }) => backend),
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

/** It is not there as long as it has no value. */
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
