import { policyShare } from '../decision/degradation.ts';
import { DECISIONS } from './decision-series.ts';
import { counter, counters, gauge, histogram, type Metric, optionalGauge } from './metric.ts';

const BREAKER_STATES = ['closed', 'probing', 'open'] as const;

const LAG: Metric = {
  name: 'haverdict_event_loop_lag_seconds',
  type: 'gauge',
  help: 'How late the event loop was since the state was read last; of several workers, the slowest.',
  labels: ['stat'],
  samples: ({ state: { eventLoopLag } }) => [
    { labels: { stat: 'p50' }, value: eventLoopLag.p50 },
    { labels: { stat: 'p99' }, value: eventLoopLag.p99 },
    { labels: { stat: 'max' }, value: eventLoopLag.max },
  ],
};

const BREAKER: Metric = {
  name: 'haverdict_breaker_state',
  type: 'gauge',
  help: '1 for the state of the circuit breaker before the backend, 0 for the others; of several workers, the worst.',
  labels: ['state'],
  samples: ({ state: { backend } }) =>
    BREAKER_STATES.map((state) => ({ labels: { state }, value: Number(backend.breaker === state) })),
};

const BUILD: Metric = {
  name: 'haverdict_build_info',
  type: 'gauge',
  help: 'Always 1.',
  labels: ['version', 'node'],
  samples: ({ state: { version } }) => [{ labels: { version, node: process.version }, value: 1 }],
};

/** Every metric there is; docs/reference/metrics.md lists the same. */
export const METRICS: readonly Metric[] = [
  DECISIONS,
  histogram('haverdict_decision_seconds', 'From a frame of HAProxy to its answer.', ({ decisionTime }) => decisionTime),
  histogram(
    'haverdict_deadline_margin_seconds',
    'What was left of the deadline when an answer came that had to wait; those at most 0 were late.',
    ({ deadlineMargin }) => deadlineMargin,
  ),
  gauge('haverdict_deadline_seconds', 'The deadline in force.', ({ state }) => state.config.deadlineMs / 1000),
  counter('haverdict_cache_hits_total', 'Decisions made of what was known.', ({ state }) => state.cache.hits),
  counter('haverdict_cache_misses_total', 'Subjects that had to be asked for.', ({ state }) => state.cache.misses),
  counter(
    'haverdict_cache_stale_total',
    'Decisions made of what was past its lifetime, because the backend could not be asked.',
    ({ state }) => state.cache.stale,
  ),
  counter(
    'haverdict_cache_evictions_total',
    'Subjects that were forgotten before their time to make room.',
    ({ state }) => state.cache.evicted,
  ),
  gauge('haverdict_cache_entries', 'Subjects in the cache.', ({ state }) => state.cache.entries),
  gauge('haverdict_cache_max_entries', 'Subjects that the cache has room for.', ({ state }) => state.cache.maxEntries),
  gauge('haverdict_cache_bytes', 'Memory set aside for the cache; an estimate.', ({ state }) => state.cache.bytes),
  counter('haverdict_backend_calls_total', 'Calls to the backend.', ({ state }) => state.backend.calls),
  counter('haverdict_backend_subjects_total', 'Subjects in these calls.', ({ state }) => state.backend.subjects),
  counters(
    'haverdict_backend_failures_total',
    'Calls that failed, by what they failed of.',
    'reason',
    ({ state }) => state.backend.failures,
  ),
  counter(
    'haverdict_backend_entries_not_counted_total',
    'How often a lookup found an entry that does what its list may not (lists[].actions), and that does not count.',
    ({ state }) => state.backend.notCounted,
  ),
  histogram('haverdict_backend_seconds', 'How long a call took.', ({ backendTime }) => backendTime),
  BREAKER,
  gauge(
    'haverdict_degraded',
    '1 while too many lookups are decided by policy (backend.degradedPercent) or the backend is not asked, else 0.',
    ({ state }) => Number(state.degradation.isDegraded),
  ),
  gauge(
    'haverdict_policy_share',
    'The share of the lookups of the last 10 seconds that the policy decided for want of the backend.',
    ({ state }) => policyShare(state.degradation),
  ),
  counter(
    'haverdict_backend_throttled_total',
    'Calls that the backend refused as too many (429): they are no failures.',
    ({ state }) => state.backend.throttled,
  ),
  gauge(
    'haverdict_backend_calls_per_second_limit',
    'Calls that may be made a second now: backend.maxCallsPerSecond, or fewer after the backend throttled.',
    ({ state }) => state.backend.callsPerSecond,
  ),
  gauge('haverdict_backend_queued_subjects', 'Subjects that wait for a call.', ({ state }) => state.backend.queued),
  gauge('haverdict_backend_in_flight_calls', 'Calls under way.', ({ state }) => state.backend.inFlight),
  counter(
    'haverdict_backend_budget_waits_total',
    'How often a call had to wait for backend.maxCallsPerSecond.',
    ({ state }) => state.backend.budgetWaits,
  ),
  counters(
    'haverdict_backend_refused_total',
    'Subjects that were not asked for, by the reason that the policy was asked for instead.',
    'reason',
    ({ state }) => state.backend.refused,
  ),
  optionalGauge(
    'haverdict_credentials_expiry_timestamp_seconds',
    'When the AWS credentials end that calls are signed with; absent where there are none, or they never end.',
    ({ state: { backend } }) =>
      backend.credentialsExpireAtMs === undefined ? undefined : backend.credentialsExpireAtMs / 1000,
  ),
  gauge('haverdict_spop_connections', 'Connections of HAProxy that are open.', ({ state }) => state.spop.connections),
  counter('haverdict_spop_accepted_total', 'Connections that HAProxy opened.', ({ state }) => state.spop.accepted),
  counter('haverdict_spop_frames_total', 'NOTIFY frames that were answered.', ({ state }) => state.spop.frames),
  counters(
    'haverdict_spop_errors_total',
    'Connections that ended with an error, by its SPOP status.',
    'status',
    ({ state }) => state.spop.errors,
  ),
  counter('haverdict_spop_health_checks_total', "HAProxy's health checks.", ({ state }) => state.spop.healthChecks),
  LAG,
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
  counters('haverdict_config_reloads_total', 'Reloads.', 'result', ({ state: { reloads } }) => ({
    ok: reloads.ok,
    failed: reloads.failed,
  })),
  counter(
    'haverdict_log_lines_dropped_total',
    'Lines of the log that standard output did not take in time: its reader was too slow or gone, or the disk full.',
    ({ state }) => state.logLinesDropped,
  ),
  gauge('haverdict_workers', 'Processes that share the connections.', ({ state }) => state.workers),
  counter(
    'haverdict_workers_replaced_total',
    'Workers that ended by themselves, were killed or could not take a configuration, and were replaced.',
    ({ state }) => state.workersReplaced,
  ),
  gauge('haverdict_start_time_seconds', 'When the agent was started.', ({ state }) => state.startedAtMs / 1000),
  BUILD,
  counter('process_cpu_seconds_total', 'CPU time of the first process.', ({ usage }) => usage.cpuSeconds),
  gauge('process_resident_memory_bytes', 'Memory of the first process.', ({ usage }) => usage.residentBytes),
  gauge('process_start_time_seconds', 'When the first process was started.', ({ usage }) => usage.startedAtSeconds),
];
