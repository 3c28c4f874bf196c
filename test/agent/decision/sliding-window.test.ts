import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { SlidingCounts, SlidingDurations } from '../../../agent/decision/sliding-window.ts';

const NAMES = ['a', 'b'] as const;
const gap = fc.oneof(fc.constantFrom(0, 1, 999, 1000, 9999, 10_000), fc.double({ min: 0, max: 4000, noNaN: true }));
const steps = fc.array(fc.record({ gapMs: gap, name: fc.constantFrom(...NAMES) }), { maxLength: 200 });

describe('the counts of a sliding window', () => {
  it('are of the second that has begun and the nine before it, as in a list of all events', () => {
    fc.assert(
      fc.property(steps, gap, fc.integer({ min: 0, max: 1e9 }), (steps, thenMs, startMs) => {
        const counts = new SlidingCounts(NAMES);
        const all: { name: string; atMs: number }[] = [];
        let nowMs = startMs;
        const look = () => {
          const sums = counts.sums(nowMs);
          for (const name of NAMES) {
            const own = all.filter((event) => event.name === name);
            const first = Math.floor(nowMs / 1000) - 9;
            assert.equal(sums[name], own.filter(({ atMs }) => Math.floor(atMs / 1000) >= first).length);
            assert.ok(sums[name] >= own.filter(({ atMs }) => atMs > nowMs - 9000).length);
            assert.ok(sums[name] <= own.filter(({ atMs }) => atMs > nowMs - 10_000).length);
          }
        };
        for (const { gapMs, name } of steps) {
          nowMs += gapMs;
          counts.add(name, nowMs);
          all.push({ name, atMs: nowMs });
          look();
        }
        nowMs += thenMs;
        look();
      }),
      { numRuns: 200 },
    );
  });
});

describe('the durations of a sliding window', () => {
  it('have the median of those that ended in the last ten seconds, of the newest thousand', () => {
    const step = fc.record({ gapMs: fc.nat(3000), times: fc.nat(400), tookMs: fc.integer({ min: 0, max: 2000 }) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 20 }), fc.nat(12_000), (steps, thenMs) => {
        const durations = new SlidingDurations();
        const all: { tookMs: number; atMs: number }[] = [];
        let nowMs = 1000;
        for (const { gapMs, times, tookMs } of steps) {
          nowMs += gapMs;
          for (let time = 0; time < times; time++) {
            durations.add(tookMs + time, nowMs);
            all.push({ tookMs: tookMs + time, atMs: nowMs });
          }
        }
        nowMs += thenMs;
        const recent = all.slice(-1000).filter(({ atMs }) => atMs > nowMs - 10_000);
        const sorted = recent.map(({ tookMs }) => tookMs).sort((a, b) => a - b);
        assert.equal(durations.median(nowMs), sorted[Math.ceil(sorted.length / 2) - 1]);
      }),
      { numRuns: 100 },
    );
  });
});
