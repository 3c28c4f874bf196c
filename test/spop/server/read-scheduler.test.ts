import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ReadScheduler } from '../../../spop/server/read-scheduler.ts';
import { HandClock } from '../../support/clock.ts';
import { settled } from '../../support/spop/conversation.ts';

describe('the read scheduler', () => {
  it('resumes two sockets in a turn, first in, first out, and the others later', async () => {
    const clock = new HandClock();
    const turns = new ReadScheduler(clock);
    const went: number[] = [];
    for (let index = 0; index < 5; index++) turns.schedule(() => went.push(index));
    assert.deepEqual(went, []);
    await settled();
    assert.deepEqual(went, [0, 1]);
    clock.advance(1);
    assert.deepEqual(went, [0, 1, 2, 3]);
    clock.advance(1);
    assert.deepEqual([went, clock.timers], [[0, 1, 2, 3, 4], 0]);
  });

  it('resumes a single socket in the next turn of the event loop, again and again', async () => {
    const clock = new HandClock();
    const turns = new ReadScheduler(clock);
    let went = 0;
    const goOn = () => void (++went < 10 && turns.schedule(goOn));
    turns.schedule(goOn);
    while (went < 10) await settled();
    assert.equal(clock.timers, 0);
  });
});
