import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { CallBudget } from '../../../agent/decision/call-budget.ts';

const A_MICROSECOND = 1e-3;
const rates = fc.oneof(fc.constantFrom(1, 9, 10, 11, 500), fc.integer({ min: 1, max: 5000 }));
const gaps = fc.array(fc.oneof(fc.constant(0), fc.double({ min: 0, max: 3, noNaN: true }), fc.nat(2000)), {
  maxLength: 150,
});

describe('a budget of calls', () => {
  it('never gives more in any stretch of time than its rate and one burst', () => {
    fc.assert(
      fc.property(rates, gaps, fc.integer({ min: 1, max: 20 }), (rate, gapsMs, tries) => {
        const budget = new CallBudget(rate);
        const burst = Math.max(1, rate / 10);
        const takenMs: number[] = [];
        let nowMs = 1000;
        for (const gapMs of gapsMs) {
          nowMs += gapMs;
          for (let attempt = 0; attempt < tries; attempt++) if (budget.take(nowMs)) takenMs.push(nowMs);
        }
        // From every first call to every later one: enough to look at some of the last ones for each.
        takenMs.forEach((fromMs, first) => {
          for (let last = first; last < takenMs.length; last += 1 + ((last - first) >> 3)) {
            const mayBe = ((takenMs[last] as number) - fromMs) * (rate / 1000) + burst; // in bounds
            assert.ok(last - first + 1 <= mayBe + 1e-6, `${last - first + 1} calls where ${mayBe} may be`);
          }
        });
      }),
      { numRuns: 300 },
    );
  });

  it('gives a tenth of a second’s calls at once after a quiet time, however long that was', () => {
    for (const [rate, burst] of [
      [1, 1],
      [10, 1],
      [25, 2],
      [500, 50],
    ] as const)
      for (const nowMs of [0, 1000, 1e9]) {
        const budget = new CallBudget(rate);
        const taken = Array.from({ length: 100 }, () => budget.take(nowMs)).filter(Boolean).length;
        assert.equal(taken, burst);
      }
  });

  it('gives its whole rate to whoever always asks', () => {
    const budget = new CallBudget(500);
    let taken = 0;
    for (let nowMs = 0; nowMs < 10_000; nowMs++) if (budget.take(nowMs)) taken++;
    assert.ok(taken >= 5000 && taken <= 5050, `${taken}`);
  });

  it('says to the millisecond how long until the next one', () => {
    fc.assert(
      fc.property(rates, gaps, (rate, gapsMs) => {
        const one = new CallBudget(rate);
        const other = new CallBudget(rate);
        let nowMs = 1000;
        const both = (atMs: number) => {
          const taken = one.take(atMs);
          assert.equal(other.take(atMs), taken);
          return taken;
        };
        for (const gapMs of gapsMs) {
          nowMs += gapMs;
          const waitMs = one.waitMs(nowMs);
          assert.equal(both(nowMs), waitMs === 0);
        }
        while (both(nowMs));
        const waitMs = one.waitMs(nowMs);
        assert.ok(Number.isInteger(waitMs) && waitMs > 0 && waitMs <= Math.ceil(1000 / rate + A_MICROSECOND));
        assert.equal(one.take(nowMs + waitMs - 1 - A_MICROSECOND), false);
        assert.equal(other.take(nowMs + waitMs + A_MICROSECOND), true);
      }),
      { numRuns: 500 },
    );
  });
});
