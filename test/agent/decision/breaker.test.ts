import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { Breaker } from '../../../agent/decision/breaker.ts';

/** A breaker that opened at 0 ms, by the fifth failure. */
function opened(): Breaker {
  const breaker = new Breaker();
  for (let call = 0; call < 5; call++) breaker.failed(0);
  assert.equal(breaker.state, 'open');
  return breaker;
}

/** Starts a call if the breaker does not block it. */
function tryCall(breaker: Breaker, nowMs: number): boolean {
  if (breaker.isBlocked(nowMs)) return false;
  breaker.callStarted();
  return true;
}

/** The calls that a breaker lets through at this time, of three. */
const letThrough = (breaker: Breaker, nowMs: number) => [1, 2, 3].filter(() => tryCall(breaker, nowMs)).length;

describe('a breaker', () => {
  it('lets everything through while calls succeed, and after four failures in a row', () => {
    const breaker = new Breaker();
    for (let round = 0; round < 10; round++) {
      for (let call = 0; call < 4; call++) {
        breaker.failed(round);
        assert.equal(letThrough(breaker, round), 3);
      }
      breaker.succeeded();
      assert.equal(breaker.state, 'closed');
    }
  });

  it('opens with the fifth failure in a row, for half a second', () => {
    const breaker = opened();
    assert.equal(letThrough(breaker, 0), 0);
    assert.equal(letThrough(breaker, 499.9), 0);
    assert.equal(letThrough(breaker, 500), 1);
  });

  it('lets one probe through when its wait is over, and no other call until that ends', () => {
    const breaker = opened();
    assert.equal(letThrough(breaker, 500), 1);
    assert.equal(breaker.state, 'probing');
    assert.equal(letThrough(breaker, 1_000_000), 0);
  });

  it('is neither opened nor kept open by a call that was throttled, which does not make up for failures either', () => {
    const breaker = new Breaker();
    for (let call = 0; call < 4; call++) breaker.failed(0);
    for (let call = 0; call < 100; call++) breaker.throttled();
    assert.equal(breaker.state, 'closed');
    breaker.failed(0);
    assert.equal(breaker.state, 'open');
    breaker.throttled();
    assert.equal(breaker.state, 'open', 'a call from before it opened says nothing');
    assert.equal(letThrough(breaker, 500), 1);
    breaker.throttled();
    assert.equal(letThrough(breaker, 500), 3);
  });

  it('doubles its wait with each probe that fails, up to ten seconds', () => {
    const breaker = opened();
    let nowMs = 500;
    for (const waitMs of [1000, 2000, 4000, 8000, 10_000, 10_000]) {
      assert.equal(letThrough(breaker, nowMs), 1);
      nowMs += 7; // how long the probe took
      breaker.failed(nowMs);
      assert.equal(letThrough(breaker, nowMs + waitMs - 1), 0);
      nowMs += waitMs;
    }
  });

  it('closes when the probe succeeds, and starts over: five failures, half a second', () => {
    const breaker = opened();
    breaker.callStarted();
    breaker.failed(500);
    breaker.callStarted();
    breaker.succeeded();
    assert.equal(breaker.state, 'closed');
    for (let call = 0; call < 4; call++) breaker.failed(2000);
    assert.equal(letThrough(breaker, 2000), 3);
    breaker.failed(2000);
    assert.equal(letThrough(breaker, 2499), 0);
    assert.equal(letThrough(breaker, 2500), 1);
  });

  it('closes too when a call that began before it opened succeeds', () => {
    const breaker = opened();
    breaker.succeeded();
    assert.equal(letThrough(breaker, 0), 3);
  });

  it('does not wait longer for calls that began before it opened and fail afterwards', () => {
    const breaker = opened();
    for (const nowMs of [10, 20, 490]) breaker.failed(nowMs);
    assert.equal(letThrough(breaker, 500), 1);
  });

  it('is not changed by the question whether it blocks', () => {
    const breaker = opened();
    for (let times = 0; times < 3; times++) assert.equal(breaker.isBlocked(500), false);
    assert.equal(breaker.state, 'open');
  });

  it('has at most one call in flight while it is not closed, whatever happens', () => {
    const step = fc.record({ afterMs: fc.nat(700), do: fc.constantFrom('ask', 'ask', 'fail', 'fail', 'succeed') });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 100 }), (steps) => {
        const breaker = opened();
        let nowMs = 0;
        let probes = 0;
        for (const { afterMs, do: what } of steps) {
          nowMs += afterMs;
          if (what === 'ask' && tryCall(breaker, nowMs)) probes++;
          if (what !== 'ask' && probes === 0) continue;
          if (what === 'fail') {
            breaker.failed(nowMs);
            probes--;
          }
          if (what === 'succeed') {
            breaker.succeeded();
            assert.equal(breaker.state, 'closed');
            return;
          }
          assert.ok(probes <= 1);
          assert.equal(breaker.state, probes === 1 ? 'probing' : 'open');
        }
      }),
      { numRuns: 500 },
    );
  });
});
