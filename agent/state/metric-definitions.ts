import { ACTIONS } from '../../contract/actions.ts';
import { LOAD_CAUSES } from '../updates/load-cause.ts';
import {
  counter,
  counterBy,
  gauge,
  greatest,
  greatestBy,
  histogram,
  type Mutable,
  stateOf,
  type ValuesOf,
  zeros,
} from './metric-types.ts';

/** From a frame to its ACK: microseconds if everything is cached, at most the deadline otherwise. */
const DECISION_BOUNDS = [
  0.00001, 0.000025, 0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.02, 0.03, 0.04, 0.05, 0.1, 0.25, 1,
  10,
];
const BACKEND_BOUNDS = [0.001, 0.0025, 0.005, 0.01, 0.02, 0.03, 0.04, 0.06, 0.1, 0.25, 0.5, 1, 2.5, 10];
/** The first bucket counts late answers. */
const MARGIN_BOUNDS = [0, 0.001, 0.0025, 0.005, 0.01, 0.02, 0.03, 0.04, 0.1, 1, 10];

/** From the poll before a change until it is applied: a second usually. */
const DELAY_BOUNDS = [0.1, 0.25, 0.5, 0.75, 1, 1.25, 1.5, 2, 3, 5, 15, 60];

/** Why a backend call failed: the faults of `BackendError` but `throttled`. */
export const FAULTS = ['unreachable', 'failing', 'refused', 'ours'] as const;
export type FaultName = (typeof FAULTS)[number];

/**
 * The counters that a process increments, by section of the state. State, merging of workers and metrics derive from
 * this. Names are unique across sections: all counters of a process are in one object.
 */
export const COUNTERS = {
  times: {
    decisionTime: histogram('haverdict_decision_seconds', 'Time from a NOTIFY frame to its answer.', DECISION_BOUNDS),
    deadlineMargin: histogram(
      'haverdict_deadline_margin_seconds',
      'Time left until the deadline when an answer that had to wait was sent; values of at most 0 were late.',
      MARGIN_BOUNDS,
    ),
    backendTime: histogram('haverdict_backend_seconds', 'Duration of a call.', BACKEND_BOUNDS),
  },
  cache: {
    misses: counter('haverdict_cache_misses_total', 'Subjects that had to be looked up.'),
  },
  backend: {
    calls: counter('haverdict_backend_calls_total', 'Calls to the backend.'),
    subjects: counter('haverdict_backend_subjects_total', 'Subjects in these calls.'),
    failures: counterBy(
      'haverdict_backend_failures_total',
      'Calls that failed, by the kind of failure.',
      'reason',
      FAULTS,
    ),
    notCounted: counter(
      'haverdict_backend_entries_not_counted_total',
      'Entries ignored in lookups because their list may not use their action (lists[].actions).',
    ),
    throttled: counter(
      'haverdict_backend_throttled_total',
      'Calls that the backend throttled (429), which are not failures.',
    ),
    budgetWaits: counter(
      'haverdict_backend_budget_waits_total',
      'How often a call had to wait for backend.maxCallsPerSecond.',
    ),
    refused: counterBy('haverdict_backend_refused_total', 'Subjects that were not looked up, by reason.', 'reason', [
      'timeout',
      'breaker_open',
      'overload',
    ]),
  },
  updates: {
    changes: counter('haverdict_updates_changes_total', 'Changes of entries that were applied to the cache.'),
    starts: counter(
      'haverdict_updates_starts_total',
      'How often the log of changes was followed from its end on: at each start, and where changes may have been missed.',
    ),
    delay: histogram(
      'haverdict_updates_delay_seconds',
      'The longest time that the changes of an applied page can have waited in the log.',
      DELAY_BOUNDS,
    ),
  },
  mirror: {
    loads: counterBy('haverdict_mirror_loads_total', 'Mirrors that were loaded, by the cause.', 'cause', LOAD_CAUSES),
    loadFailures: counter(
      'haverdict_mirror_load_failures_total',
      'Loads of a mirror that failed and were tried again.',
    ),
    mismatches: counter(
      'haverdict_mirror_mismatches_total',
      'How often a mirror was found to differ from the lists of the backend.',
    ),
  },
  spop: {
    accepted: counter('haverdict_spop_accepted_total', 'Connections that HAProxy opened.'),
    frames: counter('haverdict_spop_frames_total', 'NOTIFY frames answered.'),
    /** By status, or `other` for what SPOP does not assign. */
    errors: counterBy<string>(
      'haverdict_spop_errors_total',
      'Connections that ended with an error, by its SPOP status.',
      'status',
      [],
    ),
    unsupported: counterBy(
      'haverdict_unsupported_decisions_total',
      'Decisions of which HAProxy has no rule for a part (haproxy.actions, denyStatuses, backends and headers), by action.',
      'action',
      ACTIONS,
    ),
    healthChecks: counter('haverdict_spop_health_checks_total', "HAProxy's health checks."),
  },
};

/** The values that are read from the parts of the agent for each snapshot. */
export const READINGS = {
  process: {
    eventLoopLag: greatestBy(
      'haverdict_event_loop_lag_seconds',
      'Event loop lag since the last snapshot; with several workers, the greatest.',
      'stat',
      ['p50', 'p99', 'max'],
    ),
    logLinesDropped: counter(
      'haverdict_log_lines_dropped_total',
      'Log lines dropped because standard output was blocked: its reader was too slow or gone, or the disk full.',
    ),
  },
  cache: {
    hits: counter('haverdict_cache_hits_total', 'Decisions from fresh verdicts of the cache.'),
    stale: counter(
      'haverdict_cache_stale_total',
      'Decisions from stale verdicts, because the backend could not be asked.',
    ),
    evicted: counter('haverdict_cache_evictions_total', 'Verdicts evicted before they expired, to make room.'),
    entries: gauge('haverdict_cache_entries', 'Subjects in the cache.'),
    maxEntries: gauge('haverdict_cache_max_entries', 'Subjects that the cache has room for.'),
    bytes: gauge('haverdict_cache_bytes', 'Estimated memory of the cache.'),
  },
  backend: {
    breaker: stateOf(
      'haverdict_breaker_state',
      '1 for the current state of the circuit breaker, 0 for the others; with several workers, the worst state.',
      ['closed', 'probing', 'open'],
    ),
    queued: gauge('haverdict_backend_queued_subjects', 'Subjects waiting for a call.'),
    inFlight: gauge('haverdict_backend_in_flight_calls', 'Calls in flight.'),
    callsPerSecond: gauge(
      'haverdict_backend_calls_per_second_limit',
      'Calls allowed per second now: backend.maxCallsPerSecond, or fewer after the backend throttled.',
    ),
  },
  updates: {
    state: stateOf(
      'haverdict_updates_state',
      '1 for the current state of the updates, 0 for the others: live if every change is proven to be applied that is older than cache.allowTtlSeconds; with several workers, the worst state.',
      ['off', 'live', 'behind'],
    ),
    ageSeconds: greatest(
      'haverdict_updates_age_seconds',
      'How long ago the moment was up to which every change is proven to be applied; absent without proof. With several workers, the greatest.',
    ),
  },
  mirror: {
    state: stateOf(
      'haverdict_mirror_state',
      '1 for the current state of the mirror, 0 for the others: live if it answers without the function; with several workers, the worst state.',
      ['off', 'live', 'loading', 'behind'],
    ),
    ageSeconds: greatest(
      'haverdict_mirror_age_seconds',
      'How long ago the moment was up to which every change is proven to be in the mirror; absent without proof. With several workers, the greatest.',
    ),
    entries: greatestBy<string>(
      'haverdict_mirror_entries',
      'Entries in the mirror, expired ones too, by list; with several workers, the greatest number.',
      'list',
      [],
    ),
    bytes: gauge('haverdict_mirror_bytes', 'Estimated memory of the mirror.'),
  },
  spop: {
    connections: gauge('haverdict_spop_connections', 'Open connections of HAProxy.'),
  },
};

/** The metrics in sections of the state. */
export const SECTIONS = {
  cache: { ...COUNTERS.cache, ...READINGS.cache },
  backend: { ...COUNTERS.backend, ...READINGS.backend },
  updates: { ...COUNTERS.updates, ...READINGS.updates },
  mirror: { ...COUNTERS.mirror, ...READINGS.mirror },
  spop: { ...COUNTERS.spop, ...READINGS.spop },
};
/** The metrics at the top level of the state. */
export const PROCESS = { ...COUNTERS.times, ...READINGS.process };

/** All counters of a process. */
export type Counters = Mutable<
  ValuesOf<typeof COUNTERS.times> &
    ValuesOf<typeof COUNTERS.cache> &
    ValuesOf<typeof COUNTERS.backend> &
    ValuesOf<typeof COUNTERS.updates> &
    ValuesOf<typeof COUNTERS.mirror> &
    ValuesOf<typeof COUNTERS.spop>
>;

export function newCounters(): Counters {
  const { times, cache, backend, updates, mirror, spop } = COUNTERS;
  const followed = { ...zeros(updates), ...zeros(mirror) };
  return { ...zeros(times), ...zeros(cache), ...zeros(backend), ...followed, ...zeros(spop) };
}
