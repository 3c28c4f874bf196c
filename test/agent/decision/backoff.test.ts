import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Backoff } from '../../../agent/decision/backoff.ts';

describe('a backoff', () => {
  it('doubles each pause up to its limit, and begins anew after a success', () => {
    const backoff = new Backoff(100, 500);
    const taken = Array.from({ length: 5 }, () => [backoff.nextMs, backoff.take()]);
    const pauses = [100, 200, 400, 500, 500];
    assert.deepEqual(
      taken,
      pauses.map((pause) => [pause, pause]),
    );
    backoff.reset();
    assert.equal(backoff.take(), 100);
  });
});
