import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { DeadlineQueue } from '../../../agent/decision/deadline-queue.ts';
import { HandClock } from '../../support/clock.ts';

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
        const queue = new DeadlineQueue(clock);
        const added: { atMs: number; ranMs: number | undefined; cancelled: boolean; cancel: () => void }[] = [];
        const order: number[] = [];
        let lastMs = 0;
        for (const each of steps) {
          if (each.do === 'wait') clock.advance(each.ms);
          else if (each.do === 'cancel') {
            const one = added[each.which % Math.max(added.length, 1)];
            if (one?.ranMs === undefined) one?.cancel();
            if (one !== undefined && one.ranMs === undefined) one.cancelled = true;
          } else {
            const index = added.length;
            lastMs = Math.max(lastMs, clock.nowMs() + 10) + each.inMs;
            const record: (typeof added)[number] = {
              atMs: lastMs,
              ranMs: undefined,
              cancelled: false,
              cancel: () => {},
            };
            added.push(record);
            record.cancel = queue.add(lastMs, () => {
              assert.equal(record.ranMs, undefined, 'ran twice');
              record.ranMs = clock.nowMs();
              order.push(index);
            });
          }
          for (const { atMs, ranMs, cancelled } of added) {
            assert.equal(ranMs, cancelled || atMs > clock.nowMs() ? undefined : atMs);
          }
          assert.ok(clock.timers <= 1, 'one timer for all');
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
    const queue = new DeadlineQueue(clock);
    const ran: string[] = [];
    const note = (name: string) => ran.push(`${name} ${clock.nowMs()}`);
    queue.add(1010, () => {
      note('first');
      queue.add(1030, () => note('third'));
    });
    queue.add(1015, () => note('second'));
    clock.advance(100);
    assert.deepEqual(ran, ['first 1010', 'second 1015', 'third 1030']);
  });

  it('in the past are met at once, by the clock and not in the middle of the caller', () => {
    const clock = new HandClock();
    const ran: number[] = [];
    new DeadlineQueue(clock).add(10, () => ran.push(clock.nowMs()));
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
    new DeadlineQueue(early).add(1010, () => {
      ranMs = clock.nowMs();
    });
    clock.advance(9);
    assert.equal(ranMs, 0);
    assert.equal(clock.timers, 1, 'it is tried again');
  });
});
