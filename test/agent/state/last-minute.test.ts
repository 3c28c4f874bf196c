import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { observe } from '../../../agent/state/histogram.ts';
import { LastMinute, mergeSeconds, type Second } from '../../../agent/state/last-minute.ts';
import { newCounters } from '../../../agent/state/metric-definitions.ts';
import { HandClock } from '../../support/clock.ts';

const START_MS = 1_790_000_000_000;

function setUp(epochMs = START_MS) {
  const clock = new HandClock(epochMs);
  const { decisionTime } = newCounters();
  const totals = { decisions: 0, denied: 0, byPolicy: 0 };
  const minute = new LastMinute(clock, () => ({ ...totals, decisionTime }));
  const decide = (times: number, seconds = 0.00002) => {
    totals.decisions += times;
    observe(decisionTime, seconds, times);
  };
  return { clock, totals, minute, decide };
}

describe('the last minute', () => {
  it('has what happened in each second, from one whole second to the next', () => {
    const { clock, totals, minute, decide } = setUp(START_MS + 400);
    decide(3);
    clock.advance(600);
    decide(200);
    decide(4, 0.004);
    totals.denied += 2;
    totals.byPolicy += 1;
    clock.advance(1000);
    clock.advance(1000);
    assert.deepEqual(minute.state, [
      { atMs: START_MS, decisions: 3, denied: 0, byPolicy: 0, p99Seconds: 0.000025 },
      { atMs: START_MS + 1000, decisions: 204, denied: 2, byPolicy: 1, p99Seconds: 0.005 },
      { atMs: START_MS + 2000, decisions: 0, denied: 0, byPolicy: 0, p99Seconds: null },
    ]);
    minute.close();
    assert.equal(clock.timers, 0);
  });

  it('is a minute, however long the agent runs', () => {
    const { clock, minute } = setUp();
    clock.advance(3_600_000);
    assert.equal(minute.state.length, 60);
    assert.equal(minute.state.at(-1)?.atMs, START_MS + 3_599_000);
  });
});

describe('the seconds of several processes', () => {
  const second = (at: number, decisions: number, p99Seconds: number | null = null): Second => ({
    ...{ atMs: at * 1000, decisions, denied: 1, byPolicy: 0, p99Seconds },
  });

  it('are added up as far as all have them, with the greatest p99', () => {
    const one = [second(1, 10, 0.001), second(2, 20, 0.001), second(3, 30)];
    const other = [second(2, 1, 0.04), second(4, 5)];
    const sum = { ...second(2, 21, 0.04), denied: 2 };
    assert.deepEqual(mergeSeconds([one, other, []]), [second(1, 10, 0.001), sum, second(3, 30)]);
    assert.deepEqual(mergeSeconds([one, [second(2, 1, 0.04)]]), [second(1, 10, 0.001), sum]);
    assert.deepEqual(mergeSeconds([[], []]), []);
  });

  it('are at most sixty, in order, and none is lost or doubled', () => {
    const seconds = fc.uniqueArray(fc.integer({ min: 0, max: 200 }), { maxLength: 60 });
    fc.assert(
      fc.property(fc.array(seconds, { minLength: 1, maxLength: 4 }), (workers) => {
        const several = workers.map((times) => times.toSorted((a, b) => a - b).map((at) => second(at, 1)));
        const merged = mergeSeconds(several);
        const untilMs = Math.min(...several.flatMap((one) => one.at(-1)?.atMs ?? []));
        const all = several.flat().filter(({ atMs }) => atMs <= untilMs);
        const expected = [...new Set(all.map(({ atMs }) => atMs))].sort((a, b) => a - b).slice(-60);
        assert.deepEqual(
          merged.map(({ atMs, decisions }) => [atMs, decisions]),
          expected.map((at) => [at, all.filter(({ atMs }) => atMs === at).length]),
        );
      }),
    );
  });
});
