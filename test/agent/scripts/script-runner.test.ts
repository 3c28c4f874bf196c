import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Decision } from '../../../agent/decision/decision.ts';
import type { Outcome } from '../../../agent/scripts/ipc.ts';
import type { NewCall, ScriptProcess } from '../../../agent/scripts/script-process.ts';
import { ScriptRunner } from '../../../agent/scripts/script-runner.ts';
import type { Policy } from '../../../contract/policy.ts';
import { HandClock } from '../../support/clock.ts';

const DEADLINE_MS = 40;
const ALLOWED: Decision = { action: 'allow', source: 'cache' };
const DENIED: Decision = { action: 'deny', source: 'cache', list: 'manual', ofAddress: true };
const EXEMPT: Decision = { action: 'allow', source: 'cache', list: 'manual', entry: 'host:a' };
const CLOSED: Policy = { default: 'closed', script_error: 'open' };

function setUp({ policy = CLOSED, messages = ['check'], isThere = true, hasRoom = true } = {}) {
  const clock = new HandClock();
  const calls: (NewCall & { readonly done: (outcome: Outcome | undefined) => void })[] = [];
  const told: string[] = [];
  const fake: Pick<ScriptProcess, 'messages' | 'call'> = {
    messages: new Set(messages),
    call(call, done) {
      if (hasRoom) calls.push({ ...call, done });
      return hasRoom;
    },
  };
  const runner = new ScriptRunner(
    { deadlineMs: DEADLINE_MS, vars: new Set(['backend']) },
    () => (isThere ? (fake as ScriptProcess) : undefined), // all that is asked of it
    clock,
    {
      failed: (message, { problem, place }) => told.push(`${message} failed ${problem} ${place ?? ''}`),
      timedOut: (message) => told.push(`${message} timed out`),
      overloaded: (message) => told.push(`${message} overloaded`),
      unreadVariable: (message, name) => told.push(`${message} unread variable ${name}`),
    },
  );
  const input = {
    message: 'check',
    arguments: { path: '/' },
    address: 'ip:192.0.2.1',
    policy,
    receivedAtMs: clock.nowMs(),
  };
  return { clock, calls, told, decide: (listed: Decision | Promise<Decision>) => runner.decide(input, listed) };
}

describe('the script runner', () => {
  it('calls the function with the decision of the lists and the remaining time', async () => {
    const { clock, calls, decide } = setUp();
    const { promise, resolve } = Promise.withResolvers<Decision>();
    const decision = decide(promise);
    clock.advance(10);
    resolve(DENIED);
    await promise;
    const { done, ...call } = calls[0] as (typeof calls)[number]; // just asked
    assert.deepEqual(call, {
      message: 'check',
      arguments: { path: '/' },
      decision: { action: 'deny', source: 'cache', list: 'manual', entry: 'ip:192.0.2.1' },
      leftMs: 30,
    });
    done({ type: 'kept' });
    assert.equal(await decision, DENIED);
    assert.equal(clock.timers, 1); // the queue's own, which finds nothing
  });

  it('takes what it returns, and reports variables that HAProxy does not read', async () => {
    const { calls, told, decide } = setUp();
    const decision = decide(ALLOWED);
    const vars = { backend: 'blue', 'req.set.x-plan': 'gold' };
    calls[0]?.done({ type: 'returned', returned: { action: 'route', reason: undefined, status: undefined, vars } });
    assert.deepEqual(await decision, { action: 'route', source: 'script', vars });
    assert.deepEqual(told, ['check unread variable req.set.x-plan']);
  });

  it('falls back to the policy if the function fails', async () => {
    const open: Decision = { action: 'allow', source: 'policy', reason: 'script_error' };
    for (const [outcome, line] of [
      [{ type: 'failed', problem: 'Error: oops', place: 'script.mjs:1' }, 'check failed Error: oops script.mjs:1'],
      [
        { type: 'returned', returned: { action: 'dney' } },
        'check failed returned unknown action dney, did you mean deny? ',
      ],
      [undefined, undefined],
    ] as readonly (readonly [Outcome | undefined, string | undefined])[]) {
      const { calls, told, decide } = setUp();
      const decision = decide(ALLOWED);
      calls[0]?.done(outcome);
      assert.deepEqual(await decision, open);
      assert.deepEqual(told, line === undefined ? [] : [line]);
    }
    assert.deepEqual(await setUp({ isThere: false }).decide(ALLOWED), open);
  });

  it('falls back at the deadline, and ignores what comes later', async () => {
    const { clock, calls, told, decide } = setUp();
    const decision = decide(ALLOWED);
    clock.advance(DEADLINE_MS);
    assert.deepEqual(await decision, { action: 'deny', source: 'policy', reason: 'timeout', status: 503 });
    calls[0]?.done({ type: 'failed', problem: 'too late' });
    assert.deepEqual(told, ['check timed out']);
  });

  it('falls back at once if too many calls are in progress', async () => {
    const { told, decide } = setUp({ hasRoom: false });
    assert.equal((await decide(ALLOWED)).reason, 'overload');
    assert.deepEqual(told, ['check overloaded']);
  });

  it('keeps the decision of an entry, and the reason of a failed lookup', async () => {
    const unknown: Decision = { action: 'deny', source: 'policy', reason: 'backend_error', status: 503 };
    for (const listed of [DENIED, EXEMPT, unknown])
      assert.equal(await setUp({ isThere: false }).decide(listed), listed);
  });

  it('waits for lookups until the deadline, and does not call the function then', async () => {
    const { clock, calls, decide } = setUp();
    const { promise, resolve } = Promise.withResolvers<Decision>();
    const decision = decide(promise);
    clock.advance(DEADLINE_MS);
    resolve(DENIED);
    assert.equal(await decision, DENIED);
    assert.deepEqual(calls, []);
  });

  it('keeps the decision of the lists if the loaded script has no function for the message', async () => {
    const { calls, decide } = setUp({ messages: ['other'] });
    assert.equal(await decide(ALLOWED), ALLOWED);
    assert.deepEqual(calls, []);
  });

  it('rejects only if the lookup does', async () => {
    const bug = new Error('bug');
    await assert.rejects(setUp().decide(Promise.reject(bug)), bug);
  });
});
