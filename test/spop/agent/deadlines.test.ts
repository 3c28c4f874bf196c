import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { Deadlines } from '../../../spop/agent/deadlines.ts';
import { HandClock } from '../../support/clock.ts';

const LIMIT_MS = 50;

describe('Deadlines', () => {
  it('ends what is not over, when it is due, with one timer for all', () => {
    // what happens next: so many milliseconds pass, one begins, or the oldest is over
    const step = fc.oneof(fc.nat(30), fc.constant('begin' as const), fc.constant('end' as const));
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const clock = new HandClock();
        const deadlines = new Deadlines(clock);
        const waiting: { readonly dueAtMs: number; late(): void }[] = [];
        for (const step of steps) {
          if (step === 'begin') {
            const due = {
              dueAtMs: clock.nowMs() + LIMIT_MS,
              late() {
                assert.equal(clock.nowMs(), due.dueAtMs);
                assert.equal(waiting.shift(), due);
              },
            };
            waiting.push(due);
            deadlines.add(due);
          } else if (step === 'end') {
            const due = waiting.shift();
            if (due !== undefined) deadlines.delete(due);
          } else clock.advance(step);
          assert.ok(clock.timers <= 1);
          assert.equal(deadlines.size, waiting.length);
        }
        clock.advance(LIMIT_MS);
        assert.deepEqual([deadlines.size, waiting.length, clock.timers], [0, 0, 0]);
      }),
    );
  });
});
