import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { Deadlines, type Due } from '../../spop/deadlines.ts';
import { HandClock } from '../support/clock.ts';

describe('deadlines', () => {
  it('are kept on time and in order, and run once, unless they are cancelled', () => {
    const step = fc.oneof(
      fc.record({ do: fc.constant('add' as const), inMs: fc.nat(3) }),
      fc.record({ do: fc.constant('cancel' as const), which: fc.nat(50) }),
      fc.record({ do: fc.constant('wait' as const), ms: fc.nat(30) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const clock = new HandClock();
        const deadlines = new Deadlines(clock);
        const added: (Due & { ranMs: number | undefined; cancelled: boolean })[] = [];
        const order: number[] = [];
        let lastMs = 0;
        for (const each of steps) {
          if (each.do === 'wait') clock.advance(each.ms);
          else if (each.do === 'cancel') {
            const one = added[each.which % Math.max(added.length, 1)];
            if (one !== undefined && one.ranMs === undefined) {
              deadlines.delete(one);
              one.cancelled = true;
            }
          } else {
            const index = added.length;
            lastMs = Math.max(lastMs, clock.nowMs() + 10) + each.inMs;
            const due: (typeof added)[number] = {
              dueAtMs: lastMs,
              ranMs: undefined,
              cancelled: false,
              late() {
                assert.equal(due.ranMs, undefined, 'ran twice');
                due.ranMs = clock.nowMs();
                order.push(index);
              },
            };
            added.push(due);
            deadlines.add(due);
          }
          for (const { dueAtMs, ranMs, cancelled } of added) {
            assert.equal(ranMs, cancelled || dueAtMs > clock.nowMs() ? undefined : dueAtMs);
          }
          assert.ok(clock.timers <= 1, 'one timer for all');
          assert.equal(deadlines.size, added.filter((due) => due.ranMs === undefined && !due.cancelled).length);
        }
        clock.advance(1000);
        assert.deepEqual(
          order,
          order.toSorted((left, right) => left - right),
        );
        assert.equal(order.length, added.filter(({ cancelled }) => !cancelled).length);
        assert.equal(clock.timers, 0);
      }),
      { numRuns: 500 },
    );
  });

  it('are kept on time also when one that is met sets another', () => {
    const clock = new HandClock();
    const deadlines = new Deadlines(clock);
    const ran: string[] = [];
    const note = (name: string) => ran.push(`${name} ${clock.nowMs()}`);
    deadlines.add({
      dueAtMs: 1010,
      late() {
        note('first');
        deadlines.add({ dueAtMs: 1030, late: () => note('third') });
        assert.equal(clock.timers, 0, 'not before that of the second');
      },
    });
    deadlines.add({ dueAtMs: 1015, late: () => note('second') });
    clock.advance(100);
    assert.deepEqual(ran, ['first 1010', 'second 1015', 'third 1030']);
  });

  it('in the past are met at once, by the clock and not in the middle of the caller', () => {
    const clock = new HandClock();
    const ran: number[] = [];
    new Deadlines(clock).add({ dueAtMs: 10, late: () => ran.push(clock.nowMs()) });
    assert.deepEqual(ran, []);
    clock.advance(0);
    assert.deepEqual(ran, [1000]);
  });

  it('survive a timer that comes a little early', () => {
    const clock = new HandClock();
    const early = {
      nowMs: () => clock.nowMs(),
      epochMs: () => clock.epochMs(),
      after: (ms: number, task: () => void) => clock.after(Math.max(1, ms - 1), task),
    };
    let ranMs = 0;
    new Deadlines(early).add({
      dueAtMs: 1010,
      late() {
        ranMs = clock.nowMs();
      },
    });
    clock.advance(9);
    assert.equal(ranMs, 0);
    assert.equal(clock.timers, 1, 'it is tried again');
  });
});
