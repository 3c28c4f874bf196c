import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Watchdog } from '../../../agent/scripts/watchdog.ts';
import { HandClock } from '../../support/clock.ts';

function setUp({ responds = true, isFull = false, oldest = () => 0 as number | undefined } = {}) {
  const clock = new HandClock();
  const barks: string[] = [];
  const watchdog = new Watchdog(clock, 1000, {
    ping: () => responds && watchdog.onPong(),
    isFull: () => isFull,
    oldestCall: oldest,
    bark: (problem) => barks.push(problem),
  });
  watchdog.start();
  return { clock, barks, watchdog };
}

describe('the watchdog', () => {
  it('lets a process be that responds', () => {
    const { clock, barks, watchdog } = setUp();
    clock.advance(60_000);
    assert.deepEqual(barks, []);
    watchdog.stop();
    assert.equal(clock.timers, 0);
  });

  it('barks once at one that has not responded for as long as it has patience', () => {
    const { clock, barks } = setUp({ responds: false });
    clock.advance(999);
    assert.deepEqual(barks, []);
    clock.advance(60_000);
    assert.deepEqual(barks, ['has not responded for 1 s: it loops']);
    assert.equal(clock.timers, 0);
  });

  it('barks at one that is full of the same calls, not at one that is only busy', () => {
    const stuck = setUp({ isFull: true });
    stuck.clock.advance(1250);
    assert.deepEqual(stuck.barks, ['is full of calls that do not come to an end']);
    let oldest = 0;
    const busy = setUp({ isFull: true, oldest: () => oldest++ });
    busy.clock.advance(60_000);
    assert.deepEqual(busy.barks, []);
    const quiet = setUp({ oldest: () => 7 });
    quiet.clock.advance(60_000);
    assert.deepEqual(quiet.barks, []);
  });
});
