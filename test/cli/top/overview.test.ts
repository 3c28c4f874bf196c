import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { observe } from '../../../agent/state/histogram.ts';
import { newCounters } from '../../../agent/state/metric-definitions.ts';
import type { AgentState } from '../../../agent/state/state.ts';
import { overviewOf } from '../../../cli/top/overview.ts';
import { agentState } from '../../support/agent-state.ts';

const STARTED_MS = 1_790_000_000_000;

/** So many seconds after the start, with so many decisions of each of two kinds and as many slow calls. */
function at(seconds: number, allowed: number, denied: number): AgentState {
  const state = agentState();
  const { decisionTime } = newCounters();
  observe(decisionTime, 0.00002, allowed);
  const { backendTime } = newCounters();
  observe(backendTime, 0.035, denied);
  const other = { message: 'check', reason: '', list: '' };
  return {
    ...state,
    takenAtMs: STARTED_MS + seconds * 1000,
    decisions: [
      { ...other, action: 'allow', source: 'cache', count: allowed },
      { ...other, action: 'deny', source: 'backend', list: 'a', count: denied },
      { ...other, action: 'deny', source: 'backend', list: 'b', count: denied },
    ],
    decisionTime: decisionTime,
    backendTime: backendTime,
    cache: { ...state.cache, hits: allowed, misses: denied },
    backend: { ...state.backend, calls: denied, failures: { unreachable: denied, failing: 0, refused: 0, ours: 0 } },
  };
}

describe('the overview of an agent', () => {
  it('is about what happened between two snapshots', () => {
    const overview = overviewOf(at(12, 1300, 50), at(10, 1000, 0));
    assert.equal(overview.intervalSeconds, 2);
    assert.equal(overview.decisionsPerSecond, 200);
    assert.deepEqual(overview.decisions, [
      { action: 'allow', source: 'cache', perSecond: 150, total: 1300 },
      { action: 'deny', source: 'backend', perSecond: 50, total: 100 },
    ]);
    assert.equal(overview.hitRatio, 300 / 400);
    assert.deepEqual(overview.decisionTime, { p50: 0.000025, p99: 0.000025 });
    assert.deepEqual(overview.backend.time, { p50: 0.04, p99: 0.04 });
    assert.deepEqual([overview.backend.callsPerSecond, overview.backend.failuresPerSecond], [25, 25]);
  });

  it('is about all the time since the start where there is no earlier one of the same run', () => {
    const state = at(10, 1000, 0);
    for (const before of [undefined, { ...at(5, 900, 0), startedAtMs: 1 }, { ...at(5, 900, 0), pid: 1 }, state]) {
      const { intervalSeconds, decisionsPerSecond } = overviewOf(state, before);
      assert.deepEqual([intervalSeconds, decisionsPerSecond], [10, 100]);
    }
  });

  it('has no times and no ratio where nothing happened, and nothing below zero where a worker was replaced', () => {
    const quiet = overviewOf(at(12, 1000, 10), at(10, 1000, 10));
    assert.deepEqual(
      [quiet.hitRatio, quiet.decisionTime, quiet.decisionsPerSecond],
      [null, { p50: null, p99: null }, 0],
    );
    const fewer = overviewOf(at(12, 500, 0), at(10, 1000, 10));
    assert.deepEqual([fewer.decisionsPerSecond, fewer.backend.callsPerSecond, fewer.hitRatio], [0, 0, null]);
  });

  it('says the last bound of what took longer than all of them', () => {
    const { backendTime } = newCounters();
    observe(backendTime, 60);
    assert.deepEqual(overviewOf(agentState({ backendTime: backendTime })).backend.time, { p50: 10, p99: 10 });
  });
});
