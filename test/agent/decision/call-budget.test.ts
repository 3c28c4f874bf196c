import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { CallBudget } from '../../../agent/decision/call-budget.ts';

const A_MICROSECOND = 1e-3;
const rates = fc.oneof(fc.constantFrom(1, 9, 10, 11, 500), fc.integer({ min: 1, max: 5000 }));
const gaps = fc.array(fc.oneof(fc.constant(0), fc.double({ min: 0, max: 3, noNaN: true }), fc.nat(2000)), {
  maxLength: 150,
});

const near = (actual: number, expected: number, tolerance = 0.02) =>
  Math.abs(actual - expected) <= expected * tolerance;

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
          for (let attempt = 0; attempt < tries; attempt++) if (budget.tryTake(nowMs)) takenMs.push(nowMs);
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
        const taken = Array.from({ length: 100 }, () => budget.tryTake(nowMs)).filter(Boolean).length;
        assert.equal(taken, burst);
      }
  });

  it('gives its whole rate to whoever always asks', () => {
    const budget = new CallBudget(500);
    let taken = 0;
    for (let nowMs = 0; nowMs < 10_000; nowMs++) if (budget.tryTake(nowMs)) taken++;
    assert.ok(taken >= 5000 && taken <= 5050, `${taken}`);
  });

  for (const { share, left } of [
    { share: 0.01, left: 0.9 },
    { share: 0.2, left: 0.8 },
    { share: 0.4, left: 0.6 },
    { share: 1, left: 0.5 },
  ])
    it(`drops to ${left} of its rate when ${share} of the calls are too many, and comes back`, () => {
      const budget = new CallBudget(500);
      let nowMs = 0;
      for (let calls = 0; nowMs < 30_000; nowMs++) {
        // Calls from before the rate dropped do not make it drop again: the first one does, and it comes back.
        if (budget.tryTake(nowMs) && ++calls % 100 < share * 100) budget.throttled(nowMs, -1);
      }
      const before = budget.perSecond(nowMs);
      assert.equal(before, 500);
      budget.throttled(nowMs, nowMs);
      const after = budget.perSecond(nowMs);
      assert.ok(near(after, left * 500, 0.1), `${after}`);
      assert.ok(near(budget.perSecond(nowMs + 2000), after + 50));
      assert.equal(budget.perSecond(nowMs + 20_000), 500);
      assert.equal(budget.perSecond(nowMs + 1e9), 500);
    });

  it('drops below what was used, not below what was allowed', () => {
    const budget = new CallBudget(500);
    let nowMs = 0;
    for (; nowMs < 10_000; nowMs += 4) budget.tryTake(nowMs);
    budget.throttled(nowMs, nowMs);
    assert.ok(near(budget.perSecond(nowMs), 225), `${budget.perSecond(nowMs)}`);
  });

  it('takes a fifth of the whole for used where fewer calls were made', () => {
    const budget = new CallBudget(500);
    budget.tryTake(0);
    budget.throttled(100, 0);
    assert.ok(near(budget.perSecond(100), 50));
  });

  it('drops once a second, and for no call that was made before it dropped', () => {
    const budget = new CallBudget(500);
    for (let nowMs = 0; nowMs < 2000; nowMs++) budget.tryTake(nowMs);
    budget.throttled(2000, 1990);
    const dropped = budget.perSecond(2000);
    budget.throttled(2000, 1990);
    budget.throttled(2900, 2500);
    assert.ok(budget.perSecond(2900) > dropped);
    budget.throttled(3500, 1999);
    const [before] = [budget.perSecond(3500), budget.tryTake(3500)];
    assert.ok(before > dropped);
    budget.throttled(3600, 3500);
    assert.ok(budget.perSecond(3600) < before);
  });

  it('never drops to nothing: one call a second is left, or all where that is less', () => {
    for (const rate of [0.25, 1, 10, 500]) {
      const budget = new CallBudget(rate);
      for (let nowMs = 0; nowMs < 60_000; nowMs += 1000) budget.throttled(nowMs, nowMs);
      const left = budget.perSecond(59_000);
      assert.ok(left >= Math.min(rate, 1) && left <= Math.max(1, rate * 0.1), `${left} of ${rate}`);
    }
  });

  it('ends up with what a backend takes that refuses all beyond that', () => {
    for (const capacity of [10, 100, 250]) {
      const budget = new CallBudget(500);
      const answered: number[] = [];
      let refused = 0;
      for (let nowMs = 0; nowMs < 60_000; nowMs++) {
        if (!budget.tryTake(nowMs)) continue;
        const isOver = answered.filter((atMs) => atMs > nowMs - 1000).length >= capacity;
        if (isOver) budget.throttled(nowMs, nowMs);
        else answered.push(nowMs);
        if (isOver && nowMs > 30_000) refused++;
      }
      const usual = answered.filter((atMs) => atMs > 30_000).length / 30;
      assert.ok(usual > capacity * 0.8, `${usual} of ${capacity} are answered`);
      assert.ok(refused / 30 < 30, `${refused / 30} of ${capacity} are refused`);
    }
  });

  it('never gives more than it says that it may, whenever the backend throttles', () => {
    const step = fc.record({
      gapMs: fc.double({ min: 0, max: 400, noNaN: true }),
      throttled: fc.boolean(),
      tries: fc.nat(9),
    });
    fc.assert(
      fc.property(rates, fc.array(step, { maxLength: 100 }), (rate, steps) => {
        const budget = new CallBudget(rate);
        let nowMs = 0;
        let mayBe = Math.max(1, rate / 10);
        for (const { gapMs, throttled, tries } of steps) {
          const before = budget.perSecond(nowMs);
          nowMs += gapMs;
          const after = budget.perSecond(nowMs);
          assert.ok(after >= before && after <= Math.min(rate, before + (rate * 0.05 * gapMs) / 1000) + 1e-6);
          mayBe += (after * gapMs) / 1000;
          const waitMs = budget.waitMs(nowMs);
          for (let attempt = 0; attempt < tries; attempt++) {
            const taken = budget.tryTake(nowMs);
            assert.ok(attempt > 0 || taken === (waitMs === 0));
            if (taken) mayBe--;
          }
          assert.ok(mayBe >= -1e-6);
          if (throttled) budget.throttled(nowMs, nowMs);
          assert.ok(budget.perSecond(nowMs) <= after);
        }
        while (budget.tryTake(nowMs));
        const waits = [1, 2, 7].map((calls) => budget.waitMs(nowMs, calls));
        assert.deepEqual(
          waits,
          waits.toSorted((a, b) => a - b),
        );
        const waitMs = budget.waitMs(nowMs);
        assert.equal(budget.tryTake(nowMs + Math.max(0, waitMs - 1 - A_MICROSECOND)), false);
        assert.equal(budget.tryTake(nowMs + waitMs + A_MICROSECOND), true);
      }),
      { numRuns: 500 },
    );
  });

  it('says that there is nothing to wait for only if there is not', () => {
    const budget = new CallBudget(500);
    budget.throttled(0, 0);
    const nowMs = 399.99999999999665; // leaves 5 calls less a rounding error after the first 5
    for (let call = 0; call < 5; call++) assert.equal(budget.tryTake(nowMs), true);
    assert.deepEqual([budget.waitMs(nowMs), budget.tryTake(nowMs)], [1, false]);
  });

  it('says to the millisecond how long until the next one', () => {
    fc.assert(
      fc.property(rates, gaps, (rate, gapsMs) => {
        const one = new CallBudget(rate);
        const other = new CallBudget(rate);
        let nowMs = 1000;
        const both = (atMs: number) => {
          const taken = one.tryTake(atMs);
          assert.equal(other.tryTake(atMs), taken);
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
        assert.equal(one.tryTake(nowMs + waitMs - 1 - A_MICROSECOND), false);
        assert.equal(other.tryTake(nowMs + waitMs + A_MICROSECOND), true);
      }),
      { numRuns: 500 },
    );
  });
});
