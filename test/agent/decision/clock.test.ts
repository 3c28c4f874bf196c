import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { countingSuspends, systemClock } from '../../../agent/decision/clock.ts';

function setUp() {
  const is = { monotonicMs: 5000, epochMs: 1_790_000_000_000 };
  const nowMs = countingSuspends(
    () => is.monotonicMs,
    () => is.epochMs,
  );
  const goOn = (monotonicMs: number, epochMs = monotonicMs) => {
    is.monotonicMs += monotonicMs;
    is.epochMs += epochMs;
    return nowMs();
  };
  return { nowMs, goOn };
}

describe('the clock', () => {
  it('is the monotonic one, however the wall clock is adjusted', () => {
    const { goOn } = setUp();
    assert.deepEqual([goOn(10), goOn(10, 900), goOn(10, -3_600_000), goOn(10)], [5010, 5020, 5030, 5040]);
  });

  it('counts a suspend, also after the wall clock was set back', () => {
    const { goOn } = setUp();
    assert.equal(goOn(10, 60_010), 65_010);
    assert.equal(goOn(10, -3_600_000), 65_020);
    assert.equal(goOn(0, 7000), 72_020);
    assert.equal(goOn(10), 72_030);
  });

  it('never goes back, and never falls behind the monotonic one', () => {
    const step = fc.tuple(fc.nat(5000), fc.integer({ min: -10_000_000, max: 10_000_000 }));
    fc.assert(
      fc.property(fc.array(step), (steps) => {
        const { nowMs, goOn } = setUp();
        let before = nowMs();
        for (const [monotonicMs, epochMs] of steps) {
          const now = goOn(monotonicMs, epochMs);
          assert.ok(now - before >= monotonicMs);
          before = now;
        }
      }),
    );
  });

  it('of the system goes on', () => {
    const [first, second] = [systemClock.nowMs(), systemClock.nowMs()];
    assert.ok(first <= second);
  });
});
