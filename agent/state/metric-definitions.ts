import { ACTIONS } from '../../contract/actions.ts';
import {
  counter,
  counterBy,
  gauge,
  greatestBy,
  histogram,
  type Mutable,
  stateOf,
  type ValuesOf,
  zeros,
} from './metric-types.ts';

/** From a frame to its ACK: mostly microseconds when everything is known, at most the deadline when it is not. */
const DECISION_BOUNDS = [
  0.00001, 0.000025, 0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.02, 0.03, 0.04, 0.05, 0.1, 0.25, 1,
  10,
];
const BACKEND_BOUNDS = [0.001, 0.0025, 0.005, 0.01, 0.02, 0.03, 0.04, 0.06, 0.1, 0.25, 0.5, 1, 2.5, 10];
/** The first bucket is the answers that were late. */
const MARGIN_BOUNDS = [0, 0.001, 0.0025, 0.005, 0.01, 0.02, 0.03, 0.04, 0.1, 1, 10];

/** Why a backend call failed; the words are those of `BackendError`. */
export const FAULTS = ['unreachable', 'failing', 'refused', 'ours'] as const;
export type FaultName = (typeof FAULTS)[number];

/**
 * Everything that a process counts where it happens, by the section of the state that shows it. State, merge of the
 * workers and metrics follow from this; no name is there twice.
 */
export const COUNTERS = {
  times: {
    decisionTime: histogram('haverdict_decision_seconds', 'From a frame of HAProxy to its answer.', DECISION_BOUNDS),
    deadlineMargin: histogram(
      'haverdict_deadline_margin_seconds',
      'What was left of the deadline when an answer came that had to wait; those at most 0 were late.',
      MARGIN_BOUNDS,
    ),
    backendTime: histogram('haverdict_backend_seconds', 'How long a call took.', BACKEND_BOUNDS),
  },
  cache: {
    misses: counter('haverdict_cache_misses_total', 'Subjects that had to be asked for.'),
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
      'How often a lookup found an entry that does what its list may not (lists[].actions), and that does not count.',
    ),
    throttled: counter(
      'haverdict_backend_throttled_total',
      'Calls that the backend refused as too many (429): they are no failures.',
    ),
    budgetWaits: counter(
      'haverdict_backend_budget_waits_total',
      'How often a call had to wait for backend.maxCallsPerSecond.',
    ),
    refused: counterBy(
      'haverdict_backend_refused_total',
      'Subjects that were not asked for, by the reason that the policy was asked for instead.',
      'reason',
      ['timeout', 'breaker_open', 'overload'],
    ),
  },
  spop: {
    accepted: counter('haverdict_spop_accepted_total', 'Connections that HAProxy opened.'),
    frames: counter('haverdict_spop_frames_total', 'NOTIFY frames that were answered.'),
    /** By status, or `other` for what SPOP does not assign. */
    errors: counterBy<string>(
      'haverdict_spop_errors_total',
      'Connections that ended with an error, by its SPOP status.',
      'status',
      [],
    ),
    unobeyed: counterBy(
      'haverdict_unobeyed_total',
      'Decisions of which HAProxy has no rule for a part (haproxy.actions, denyStatuses, backends and headers), by action.',
      'action',
      ACTIONS,
    ),
    healthChecks: counter('haverdict_spop_health_checks_total', "HAProxy's health checks."),
  },
};

/** Everything that is read from the parts whenever a snapshot is taken. */
export const READINGS = {
  process: {
    eventLoopLag: greatestBy(
      'haverdict_event_loop_lag_seconds',
      'Event loop lag since the state was read last; of several workers, the greatest.',
      'stat',
      ['p50', 'p99', 'max'],
    ),
    logLinesDropped: counter(
      'haverdict_log_lines_dropped_total',
      'Lines of the log that standard output did not take in time: its reader was too slow or gone, or the disk full.',
    ),
  },
  cache: {
    hits: counter('haverdict_cache_hits_total', 'Decisions made of what was known.'),
    stale: counter(
      'haverdict_cache_stale_total',
      'Decisions made of what was past its lifetime, because the backend could not be asked.',
    ),
    evicted: counter('haverdict_cache_evictions_total', 'Subjects that were forgotten before their time to make room.'),
    entries: gauge('haverdict_cache_entries', 'Subjects in the cache.'),
    maxEntries: gauge('haverdict_cache_max_entries', 'Subjects that the cache has room for.'),
    bytes: gauge('haverdict_cache_bytes', 'Memory set aside for the cache; an estimate.'),
  },
  backend: {
    breaker: stateOf(
      'haverdict_breaker_state',
      '1 for the state of the circuit breaker before the backend, 0 for the others; of several workers, the worst.',
      ['closed', 'probing', 'open'],
    ),
    queued: gauge('haverdict_backend_queued_subjects', 'Subjects that wait for a call.'),
    inFlight: gauge('haverdict_backend_in_flight_calls', 'Calls in flight.'),
    callsPerSecond: gauge(
      'haverdict_backend_calls_per_second_limit',
      'Calls that may be made a second now: backend.maxCallsPerSecond, or fewer after the backend throttled.',
    ),
  },
  spop: {
    connections: gauge('haverdict_spop_connections', 'Connections of HAProxy that are open.'),
  },
};

/** The state's own sections of measures. */
export const SECTIONS = {
  cache: { ...COUNTERS.cache, ...READINGS.cache },
  backend: { ...COUNTERS.backend, ...READINGS.backend },
  spop: { ...COUNTERS.spop, ...READINGS.spop },
};
/** The measures that are in no section of it. */
export const PROCESS = { ...COUNTERS.times, ...READINGS.process };

/** All counters of a process, to be added to where something happens. */
export type Counters = Mutable<
  ValuesOf<typeof COUNTERS.times> &
    ValuesOf<typeof COUNTERS.cache> &
    ValuesOf<typeof COUNTERS.backend> &
    ValuesOf<typeof COUNTERS.spop>
>;

export function newCounters(): Counters {
  const { times, cache, backend, spop } = COUNTERS;
  return { ...zeros(times), ...zeros(cache), ...zeros(backend), ...zeros(spop) };
}
