import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DecisionStats } from '../../../agent/state/decision-stats.ts';
import { mergeStates } from '../../../agent/state/merge.ts';
import { ProcessMetrics } from '../../../agent/state/process-metrics.ts';
import { processState } from '../../../agent/state/process-state.ts';
import type { AgentState, ProcessState } from '../../../agent/state/state.ts';
import { NO_MIRROR_READING } from '../../support/agent-state.ts';
import { HandClock } from '../../support/clock.ts';
import { settingsWith } from '../../support/settings.ts';

describe('the states of workers', () => {
  it('are added up, and the worst breaker and the slowest loop are shown', () => {
    const merged = mergeStates([stateOf(1, 'closed'), stateOf(2, 'open'), stateOf(3, 'probing')]);
    assert.deepEqual(
      merged.decisions.map(({ count }) => count),
      [6],
    );
    assert.deepEqual([merged.cache.hits, merged.cache.entries], [6, 6]);
    assert.equal(merged.backend.breaker, 'open');
    assert.deepEqual(merged.backend.failures, { unreachable: 0, failing: 3, refused: 0, ours: 0 });
    assert.equal(merged.backend.lastError, 'failure 3');
    assert.deepEqual([merged.updates.lastError, merged.mirror.lastError], ['poll 1', 'load 1'], 'of the first process');
    assert.equal(merged.backend.credentialsExpireAtMs, 1, 'the first to end');
    assert.equal(
      merged.decisionTime.counts.reduce((sum, count) => sum + count, 0),
      6,
    );
    assert.deepEqual(merged.spop.errors, { 10: 3 });
    assert.deepEqual(merged.degradation, {
      isDegraded: true,
      sinceMs: 2,
      lookups: 60,
      byPolicy: { timeout: 6, backend_error: 0, breaker_open: 0, overload: 0, internal_error: 0 },
      letThrough: 6,
      denied: 0,
      calls: 6,
      failedCalls: 0,
      p50Ms: 3,
    });
    assert.equal(merged.backend.callsPerSecond, 600);
  });

  it('have the newest denies of all, the newest first, and no more than one of them shows', () => {
    const [one, other] = [stateOf(1, 'closed'), stateOf(2, 'closed')];
    const recent = (times: readonly number[]) => times.map((atMs) => ({ ...DENY, atMs }));
    const upTo = (from: number) => Array.from({ length: 40 }, (_, index) => from - 2 * index);
    const merged = mergeStates([
      { ...one, recent: recent(upTo(100)) },
      { ...other, recent: recent(upTo(101)) },
    ]);
    const expected = Array.from({ length: 50 }, (_, index) => 101 - index);
    assert.deepEqual(
      merged.recent.map(({ atMs }) => atMs),
      expected,
    );
  });

  it('are the same in one as in any order of several', () => {
    const states = [stateOf(1, 'closed'), stateOf(2, 'open')];
    const [one, other] = [mergeStates(states), mergeStates(states.toReversed())];
    assert.deepEqual(one.decisionTime, other.decisionTime);
    assert.deepEqual(one.recent, other.recent);
    assert.deepEqual(JSON.parse(JSON.stringify(one)), one);
  });
});

const DENY = {
  ref: '',
  message: 'check-request',
  action: 'deny',
  source: 'cache',
  reason: '',
  list: '',
  subject: '',
} as const;

/** A worker that counted so many of everything. */
function stateOf(count: number, breaker: AgentState['backend']['breaker']): ProcessState {
  const metrics = new ProcessMetrics();
  metrics.answered(count, 1);
  metrics.callFailed('failing', `failure ${count}`, count);
  if (count === 1) metrics.pollFailed('poll 1', 1);
  if (count === 1) metrics.mirrorFailed('load 1', 1);
  metrics.spopError(10);
  const stats = new DecisionStats(new HandClock());
  const byPolicy = { timeout: count, backend_error: 0, breaker_open: 0, overload: 0, internal_error: 0 };
  const isDegraded = breaker !== 'closed';
  const degradation = {
    isDegraded,
    ...(isDegraded && { sinceMs: count, p50Ms: count }),
    ...{ lookups: 10 * count, byPolicy, letThrough: count, denied: 0, calls: count, failedCalls: 0 },
  };
  stats.counterOf('check-request', { action: 'allow', source: 'cache' }).count += count;
  const parts = {
    metrics,
    stats,
    settings: settingsWith({}),
    connections: 0,
    degradation,
    updates: { isOff: true, ageMs: 0 },
    mirror: NO_MIRROR_READING,
    credentialsExpireAtMs: count,
  };
  const loader = { breaker, queued: 0, inFlight: 0, callsPerSecond: 100 * count };
  const state = processState({ ...parts, loader, cache: { entries: count, bytes: 0, evicted: 0 } });
  metrics.close();
  return { ...state, logLinesDropped: count, listening: [], startedAtMs: count, takenAtMs: count };
}
