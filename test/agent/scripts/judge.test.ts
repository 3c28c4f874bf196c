import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Decision } from '../../../agent/decision/decision.ts';
import { Judge } from '../../../agent/scripts/judge.ts';
import type { Outcome } from '../../../agent/scripts/messages.ts';
import type { NewCall, RuleProcess } from '../../../agent/scripts/rule-process.ts';
import type { Policy } from '../../../contract/policy.ts';
import { HandClock } from '../../support/clock.ts';

const DEADLINE_MS = 40;
const ALLOWED: Decision = { action: 'allow', source: 'cache' };
const DENIED: Decision = { action: 'deny', source: 'cache', list: 'manual', ofAddress: true };
const EXEMPT: Decision = { action: 'allow', source: 'cache', list: 'manual', entry: 'host:a' };
const CLOSED: Policy = { default: 'closed', rules_error: 'open' };

function setUp({ policy = CLOSED, messages = ['check'], isThere = true, hasRoom = true } = {}) {
  const clock = new HandClock();
  const calls: (NewCall & { readonly done: (outcome: Outcome | undefined) => void })[] = [];
  const told: string[] = [];
  const fake: Pick<RuleProcess, 'messages' | 'call'> = {
    messages: new Set(messages),
    call(call, done) {
      if (hasRoom) calls.push({ ...call, done });
      return hasRoom;
    },
  };
  const judge = new Judge(
    { deadlineMs: DEADLINE_MS, vars: new Set(['backend']) },
    () => (isThere ? (fake as RuleProcess) : undefined), // all that is asked of it
    clock,
    {
      failed: (message, { problem, place }) => told.push(`${message} failed ${problem} ${place ?? ''}`),
      late: (message) => told.push(`${message} late`),
      full: (message) => told.push(`${message} full`),
      untold: (message, name) => told.push(`${message} untold ${name}`),
    },
  );
  const asked = {
    message: 'check',
    arguments: { path: '/' },
    address: 'ip:192.0.2.1',
    policy,
    receivedAtMs: clock.nowMs(),
  };
  return { clock, calls, told, decide: (listed: Decision | Promise<Decision>) => judge.decide(asked, listed) };
}

describe('the judge', () => {
  it('asks the function with what the lists say, and with the time that is left', async () => {
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

  it('takes what it returns, and tells of what nobody is told', async () => {
    const { calls, told, decide } = setUp();
    const decision = decide(ALLOWED);
    const vars = { backend: 'blue', 'req.set.x-plan': 'gold' };
    calls[0]?.done({ type: 'returned', returned: { action: 'route', reason: undefined, status: undefined, vars } });
    assert.deepEqual(await decision, { action: 'route', source: 'rules', vars });
    assert.deepEqual(told, ['check untold req.set.x-plan']);
  });

  it('has the policy answer where the function cannot', async () => {
    const open: Decision = { action: 'allow', source: 'policy', reason: 'rules_error' };
    for (const [outcome, line] of [
      [{ type: 'failed', problem: 'Error: oops', place: 'rules.mjs:1' }, 'check failed Error: oops rules.mjs:1'],
      [{ type: 'returned', returned: { action: 'dney' } }, 'check failed returned action dney, did you mean deny? '],
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

  it('has it answer at the deadline, and takes no word after', async () => {
    const { clock, calls, told, decide } = setUp();
    const decision = decide(ALLOWED);
    clock.advance(DEADLINE_MS);
    assert.deepEqual(await decision, { action: 'deny', source: 'policy', reason: 'timeout', status: 503 });
    calls[0]?.done({ type: 'failed', problem: 'too late' });
    assert.deepEqual(told, ['check late']);
  });

  it('has it answer at once when too much is running', async () => {
    const { told, decide } = setUp({ hasRoom: false });
    assert.equal((await decide(ALLOWED)).reason, 'overload');
    assert.deepEqual(told, ['check full']);
  });

  it('does not give up what an entry says, nor the first thing that was not known', async () => {
    const unknown: Decision = { action: 'deny', source: 'policy', reason: 'backend_error', status: 503 };
    for (const listed of [DENIED, EXEMPT, unknown])
      assert.equal(await setUp({ isThere: false }).decide(listed), listed);
  });

  it('waits for lookups that are as late as the deadline, and asks nobody then', async () => {
    const { clock, calls, decide } = setUp();
    const { promise, resolve } = Promise.withResolvers<Decision>();
    const decision = decide(promise);
    clock.advance(DEADLINE_MS);
    resolve(DENIED);
    assert.equal(await decision, DENIED);
    assert.deepEqual(calls, []);
  });

  it('leaves a message as it is that the present rules have no function for', async () => {
    const { calls, decide } = setUp({ messages: ['other'] });
    assert.equal(await decide(ALLOWED), ALLOWED);
    assert.deepEqual(calls, []);
  });

  it('rejects only where the lookup does', async () => {
    const bug = new Error('bug');
    await assert.rejects(setUp().decide(Promise.reject(bug)), bug);
  });
});
