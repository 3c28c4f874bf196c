import { BACKEND_BOUNDS, DECISION_BOUNDS, Histogram, MARGIN_BOUNDS } from '../../agent/state/histogram.ts';
import type { AgentState } from '../../agent/state/state.ts';
import { settingsWith } from './settings.ts';

/** What an agent tells that has done nothing yet, with these instead. */
export function agentState(changes: Partial<AgentState> = {}): AgentState {
  const config = settingsWith({});
  return {
    version: '0.1.0',
    pid: 4711,
    workers: 1,
    workersReplaced: 0,
    startedAtMs: 1_790_000_000_000,
    takenAtMs: 1_790_000_010_000,
    decisions: [],
    recent: [],
    top: [],
    decisionTime: new Histogram(DECISION_BOUNDS).state,
    deadlineMargin: new Histogram(MARGIN_BOUNDS).state,
    backendTime: new Histogram(BACKEND_BOUNDS).state,
    eventLoopLag: { p50: 0, p99: 0, max: 0 },
    cache: { entries: 0, bytes: 0, maxEntries: config.cache.maxEntries, hits: 0, misses: 0, stale: 0, evicted: 0 },
    backend: {
      urls: ['http://127.0.0.1:8787'],
      calls: 0,
      subjects: 0,
      notCounted: 0,
      failures: { unreachable: 0, failing: 0, refused: 0, ours: 0 },
      breaker: 'closed',
      queued: 0,
      inFlight: 0,
      budgetWaits: 0,
      throttled: 0,
      callsPerSecond: 500,
      refused: { timeout: 0, breaker_open: 0, overload: 0 },
    },
    degradation: {
      isDegraded: false,
      lookups: 0,
      byPolicy: { timeout: 0, backend_error: 0, breaker_open: 0, overload: 0, internal_error: 0 },
      letThrough: 0,
      denied: 0,
      calls: 0,
      failedCalls: 0,
    },
    spop: { connections: 0, accepted: 0, frames: 0, errors: {}, healthChecks: 0 },
    reloads: { ok: 0, failed: 0 },
    logLinesDropped: 0,
    listening: ['tcp://127.0.0.1:9000'],
    config,
    ...changes,
  };
}
