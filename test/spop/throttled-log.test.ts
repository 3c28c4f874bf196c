import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ThrottledLog } from '../../spop/throttled-log.ts';
import { HandClock } from '../support/clock.ts';

const MINUTE_MS = 60_000;

function setUp() {
  const clock = new HandClock();
  const told: (readonly [string, number | undefined])[] = [];
  const repeated = new ThrottledLog(clock);
  return {
    clock,
    told,
    repeated,
    about: (kind: string) => repeated.about(kind, ({ times }) => told.push([kind, times])),
  };
}

describe('a complaint', () => {
  it('is told at once, and at the end of each minute with how often it was since', () => {
    const { clock, told, about } = setUp();
    for (let count = 0; count < 5; count++) about('a');
    about('b');
    assert.deepEqual(told, [
      ['a', undefined],
      ['b', undefined],
    ]);
    clock.advance(MINUTE_MS);
    assert.deepEqual(told.slice(2), [['a', 4]]);
    about('a');
    about('b');
    assert.deepEqual(told.slice(3), [['b', undefined]]);
    clock.advance(MINUTE_MS);
    assert.deepEqual(told.slice(4), [['a', 1]]);
    clock.advance(MINUTE_MS);
    assert.equal(clock.timers, 0);
  });

  it('shares its line with others where there are many', () => {
    const { clock, told, repeated, about } = setUp();
    for (let count = 0; count < 1000; count++) about(`kind ${count}`);
    assert.equal(told.length, 51);
    clock.advance(MINUTE_MS);
    assert.deepEqual(told.slice(51), [['kind 999', 949]]);
    repeated.close();
    assert.equal(clock.timers, 0);
  });
});
