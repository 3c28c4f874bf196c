import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Watchdog } from '../../../agent/scripts/watchdog.ts';
import { HandClock } from '../../support/clock.ts';

function setUp({ responds = true, isFull = false, oldest = () => 0 as number | undefined } = {}) {
  const clock = new HandClock();
  const problems: string[] = [];
  const watchdog = new Watchdog(clock, 1000, {
    ping: () => responds && watchdog.onPong(),
    isFull: () => isFull,
    oldestCall: oldest,
    onStuck: (problem) => problems.push(problem),
  });
  watchdog.start();
  return { clock, problems, watchdog };
}

describe('the watchdog', () => {
  it('reports nothing while the process responds', () => {
    const { clock, problems, watchdog } = setUp();
    clock.advance(60_000);
    assert.deepEqual(problems, []);
    watchdog.stop();
    assert.equal(clock.timers, 0);
  });

  it('reports once a process that has not responded for the time limit', () => {
    const { clock, problems } = setUp({ responds: false });
    clock.advance(999);
    assert.deepEqual(problems, []);
    clock.advance(60_000);
    assert.deepEqual(problems, ['has not responded for 1 s: endless loop?']);
    assert.equal(clock.timers, 0);
  });

  it('reports a process that is full of the same calls, not one that is only busy', () => {
    const stuck = setUp({ isFull: true });
    stuck.clock.advance(1250);
    assert.deepEqual(stuck.problems, ['has too many calls that never finish']);
    let oldest = 0;
    const busy = setUp({ isFull: true, oldest: () => oldest++ });
    busy.clock.advance(60_000);
    assert.deepEqual(busy.problems, []);
    const quiet = setUp({ oldest: () => 7 });
    quiet.clock.advance(60_000);
    assert.deepEqual(quiet.problems, []);
  });
});
