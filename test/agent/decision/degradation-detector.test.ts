import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { Decision } from '../../../agent/decision/decision.ts';
import { DegradationDetector, type Episode } from '../../../agent/decision/degradation-detector.ts';
import { decideByPolicy } from '../../../agent/decision/policy.ts';
import { HandClock } from '../../support/clock.ts';

const WELL: Decision = { action: 'allow', source: 'backend' };
const TIMEOUT = decideByPolicy({ default: 'open' }, 'timeout');
const REFUSED = decideByPolicy({ default: 'closed' }, 'backend_error');

function setUp() {
  const clock = new HandClock();
  const told: ({ what: 'degraded' | 'recovered'; atMs: number } & Record<string, unknown>)[] = [];
  const startMs = clock.nowMs();
  const atMs = () => clock.nowMs() - startMs;
  const degradation = new DegradationDetector(clock, {
    degraded: (episode: Episode) => void told.push({ what: 'degraded', atMs: atMs(), ...episode }),
    recovered: (whole) => void told.push({ what: 'recovered', atMs: atMs(), ...whole }),
  });
  const backend = { isDown: false };
  degradation.watch({ maxPolicyShare: 0.05, isBackendDown: () => backend.isDown });
  /** So many lookups a second, of which so many in a hundred are decided by policy, evenly. */
  const run = (seconds: number, perSecond: number, percent: number, policy = TIMEOUT) => {
    for (let second = 0; second < seconds; second++) {
      for (let index = 0; index < perSecond; index++) {
        degradation.decided((index * percent) % 100 < percent && percent > 0 ? policy : WELL);
        clock.advance(1000 / perSecond);
      }
      if (perSecond === 0) clock.advance(1000);
    }
  };
  const whats = () => told.map(({ what }) => what);
  return { clock, degradation, backend, told, run, whats };
}

describe('degradation', () => {
  it('is not checked while everything is healthy, not even by a timer', () => {
    const { clock, degradation, run, told } = setUp();
    run(5, 100, 0);
    assert.deepEqual([told, clock.timers, degradation.state.isDegraded], [[], 0, false]);
    assert.equal(degradation.state.lookups, 500);
  });

  it('begins within two seconds of a share above the limit, is reported every ten seconds, and ends once', () => {
    const { clock, degradation, run, told, whats } = setUp();
    for (let call = 0; call < 100; call++) degradation.called(61);
    run(35, 100, 95);
    assert.deepEqual(whats(), ['degraded', 'degraded', 'degraded', 'degraded']);
    const [first, second] = told;
    assert.ok((first?.atMs ?? Infinity) <= 2000);
    assert.equal((second?.atMs ?? 0) - (first?.atMs ?? 0), 10_000);
    assert.deepEqual([first?.p50Ms, first?.isOutage, first?.denied], [61, false, 0]);
    assert.ok(Math.abs((first?.share as number) - 0.95) < 0.02);
    const { isDegraded, sinceMs, ...during } = degradation.state;
    assert.deepEqual([isDegraded, typeof sinceMs, during.recoveredAtMs], [true, 'number', undefined]);
    run(60, 100, 0);
    assert.deepEqual(whats().slice(4), ['degraded', 'recovered'], 'the window still has it for a while');
    const last = told.at(-1);
    assert.ok((last?.lastedMs as number) >= 35_000 && (last?.lastedMs as number) <= 46_000);
    assert.ok((last?.letThrough as number) > 3000);
    assert.deepEqual([degradation.state.isDegraded, clock.timers], [false, 0]);
    const { recoveredAtMs = 0 } = degradation.state;
    assert.equal(Math.round((recoveredAtMs - (sinceMs ?? 0)) / 100), Math.round((last?.lastedMs as number) / 100));
  });

  for (const { share, degraded } of [
    { share: 4, degraded: false },
    { share: 10, degraded: true },
    { share: 50, degraded: true },
  ])
    it(`is ${degraded ? 'one' : 'none'} with ${share} % by policy, however long that lasts`, () => {
      const { run, whats } = setUp();
      run(600, 100, share);
      assert.equal(whats().length, degraded ? 60 : 0);
      assert.ok(!whats().includes('recovered'));
    });

  it('is none with fewer than twenty lookups in ten seconds, unless the backend is down', () => {
    const { run, whats, backend, clock, degradation } = setUp();
    run(60, 1, 100);
    assert.deepEqual(whats(), []);
    backend.isDown = true;
    degradation.callFailed('refused');
    clock.advance(1000);
    assert.deepEqual(whats(), ['degraded']);
  });

  it('is an outage if the backend is down, reported at once within an episode too, and once in it', () => {
    const { run, told, backend } = setUp();
    run(3, 100, 30, REFUSED);
    backend.isDown = true;
    run(2, 100, 100, REFUSED);
    assert.deepEqual(
      told.map(({ isOutage }) => isOutage),
      [false, true],
    );
    for (let second = 0; second < 60; second++) {
      backend.isDown = second % 2 === 0;
      run(1, 100, 50, REFUSED);
    }
    assert.ok(told.length <= 8, `${told.length}`);
    assert.ok(told.slice(1).every(({ isOutage, letThrough }) => isOutage && letThrough === 0));
  });

  it('continues without a report while there are no lookups', () => {
    const { run, backend, clock, degradation, whats } = setUp();
    backend.isDown = true;
    run(5, 100, 100);
    clock.advance(3_600_000);
    assert.ok(whats().length <= 2 && degradation.state.isDegraded);
    backend.isDown = false;
    run(30, 100, 0);
    assert.equal(whats().at(-1), 'recovered');
  });

  it('does not count what clients cause, nor failures of the script', () => {
    const { degradation, clock, whats } = setUp();
    for (const reason of ['no_subject', 'bad_subject', 'script_error'] as const)
      for (let index = 0; index < 100; index++) degradation.decided(decideByPolicy({ default: 'open' }, reason));
    clock.advance(20_000);
    assert.deepEqual(whats(), []);
  });

  it('goes on with the limit of another configuration', () => {
    const { degradation, run, whats } = setUp();
    degradation.watch({ maxPolicyShare: 1, isBackendDown: () => false });
    run(20, 100, 100);
    assert.deepEqual(whats(), []);
    degradation.watch({ maxPolicyShare: 0.5, isBackendDown: () => false });
    run(2, 100, 100);
    assert.deepEqual(whats(), ['degraded']);
  });

  it('leaves no timer behind when it is closed', () => {
    const { degradation, run, clock } = setUp();
    run(3, 100, 100);
    degradation.close();
    degradation.callFailed('late');
    assert.equal(clock.timers, 0);
  });

  it('is reported as by a naive check of all events each second, whatever happens', () => {
    const step = fc.record({
      seconds: fc.integer({ min: 1, max: 15 }),
      perSecond: fc.constantFrom(0, 1, 3, 20, 50),
      percent: fc.constantFrom(0, 2, 4, 6, 10, 50, 100),
      isDown: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 15 }), (steps) => {
        const { run, told, backend, degradation, clock } = setUp();
        for (const { seconds, perSecond, percent, isDown } of steps) {
          backend.isDown = isDown;
          if (isDown) degradation.callFailed('down');
          run(seconds, perSecond, percent);
        }
        backend.isDown = false;
        const busyMs = clock.nowMs();
        clock.advance(60_000);
        assert.deepEqual([degradation.state.isDegraded, clock.timers], [false, 0], 'it comes to an end');
        let openedAtMs: number | undefined;
        let lines = 0;
        for (const { what, atMs, share, lookups, isOutage } of told) {
          if (what === 'recovered') {
            assert.ok(openedAtMs !== undefined && atMs - openedAtMs >= 10_000, 'no episode is shorter');
            assert.ok(lines <= 2 + (atMs - openedAtMs) / 10_000);
            openedAtMs = undefined;
            continue;
          }
          if (openedAtMs === undefined) {
            assert.ok(isOutage || ((share as number) > 0.05 && (lookups as number) >= 20));
            openedAtMs = atMs;
            lines = 0;
          }
          lines++;
        }
        assert.equal(openedAtMs, undefined);
        assert.ok(busyMs <= clock.nowMs());
      }),
      { numRuns: 150 },
    );
  });
});
