import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { VerdictCache } from '../../../agent/decision/cache.ts';
import { Engine, type Question } from '../../../agent/decision/engine.ts';
import { Loader } from '../../../agent/decision/loader.ts';
import type { Policy } from '../../../agent/decision/policy.ts';
import type { Entry } from '../../../contract/check.ts';
import { HandClock } from '../../support/clock.ts';
import { ScriptedBackend } from '../../support/scripted-backend.ts';
import { settled } from '../../support/spop/conversation.ts';

const OPEN: Policy = { default: 'open' };
const CLOSED: Policy = { default: 'closed' };
const DEADLINE_MS = 40;
const entry = (subject: string, action: 'allow' | 'deny' = 'deny'): Entry => ({ subject, list: 'manual', action });

function setUp() {
  const clock = new HandClock();
  const cache = new VerdictCache(
    { maxEntries: 100, allowTtlSeconds: 60, denyTtlSeconds: 60, policyTtlSeconds: 1 },
    clock,
  );
  const backend = new ScriptedBackend();
  const engine = new Engine({ cache, loader: new Loader(backend, cache, { maxConcurrent: 8 }), clock }, DEADLINE_MS);
  const ask = (policy: Policy, subjects: readonly string[], more: Partial<Question> = {}) =>
    engine.decide({ policy, subjects, ...more }, clock.nowMs());
  return { clock, cache, backend, ask };
}

describe('a question whose answer is known', () => {
  it('is decided at once, without a promise', () => {
    const { cache, ask, backend } = setUp();
    cache.keepVerdict('ip:1', entry('ip:1'), 60);
    cache.keepVerdict('host:a', null, 60);
    for (const subjects of [['ip:1'], ['host:a', 'ip:1'], ['ip:1', 'host:a']])
      assert.deepEqual(ask(OPEN, subjects), { action: 'deny', source: 'cache', entry: entry('ip:1') });
    assert.deepEqual(ask(CLOSED, ['host:a']), { action: 'allow', source: 'cache' });
    assert.equal(backend.calls.length, 0);
  });

  it('is decided by the policy while a failure is remembered', () => {
    const { cache, ask } = setUp();
    cache.keepFailure('ip:1', 'backend_error');
    assert.deepEqual(ask(CLOSED, ['ip:1']), { action: 'deny', source: 'policy', reason: 'backend_error', status: 503 });
    assert.deepEqual(ask(OPEN, ['ip:1']), { action: 'allow', source: 'policy', reason: 'backend_error' });
  });

  it('does not wait for the rest when one is allowed by an entry', () => {
    const { cache, ask, backend } = setUp();
    cache.keepVerdict('ip:1', entry('ip:1', 'allow'), 60);
    assert.deepEqual(ask(CLOSED, ['host:new', 'ip:1']), {
      action: 'allow',
      source: 'cache',
      entry: entry('ip:1', 'allow'),
    });
    assert.equal(backend.calls.length, 0);
  });

  it('waits for the rest when one is denied, as an allow entry may come', async () => {
    const { cache, ask, backend } = setUp();
    cache.keepVerdict('ip:1', entry('ip:1'), 60);
    const decision = ask(OPEN, ['ip:1', 'host:new']);
    assert.ok(decision instanceof Promise);
    await settled();
    assert.deepEqual(backend.call(0).subjects, ['host:new']);
    backend.call(0).answer([{ entry: entry('host:new', 'allow') }]);
    assert.deepEqual(await decision, { action: 'allow', source: 'backend', entry: entry('host:new', 'allow') });
  });
});

describe('a question that asks nothing', () => {
  it('is left to the policy', () => {
    const { ask } = setUp();
    assert.deepEqual(ask(CLOSED, []), { action: 'deny', source: 'policy', reason: 'no_subject', status: 503 });
  });

  it('because of a problem is left to the policy for that', () => {
    const { ask } = setUp();
    assert.deepEqual(ask(CLOSED, [], { problem: 'bad_subject' }), {
      action: 'deny',
      source: 'policy',
      reason: 'bad_subject',
      status: 503,
    });
  });
});

describe('a question with a problem', () => {
  it('is denied by what is known, and else left to the policy', () => {
    const { cache, ask } = setUp();
    cache.keepVerdict('ip:1', entry('ip:1'), 60);
    cache.keepVerdict('ip:2', null, 60);
    assert.deepEqual(ask(OPEN, ['ip:1'], { problem: 'bad_subject' }), {
      action: 'deny',
      source: 'cache',
      entry: entry('ip:1'),
    });
    assert.deepEqual(ask(OPEN, ['ip:2'], { problem: 'bad_subject' }), {
      action: 'allow',
      source: 'policy',
      reason: 'bad_subject',
    });
  });

  it('asks for the others all the same', async () => {
    const { ask, backend } = setUp();
    const decision = ask(OPEN, ['ip:1'], { problem: 'bad_subject' });
    await settled();
    backend.call(0).answer([{ entry: entry('ip:1') }]);
    assert.deepEqual(await decision, { action: 'deny', source: 'backend', entry: entry('ip:1') });
  });
});

describe('a question that the backend is asked', () => {
  it('is decided as soon as the last answer comes, in the order of its subjects', async () => {
    const { ask, backend, clock } = setUp();
    const first = ask(OPEN, ['a', 'b']);
    await settled();
    const second = ask(OPEN, ['c', 'a']);
    await settled();
    assert.deepEqual(
      backend.calls.map(({ subjects }) => subjects),
      [['a', 'b'], ['c']],
    );
    backend.call(1).answer([{ entry: entry('c') }]);
    backend.call(0).answer([{ entry: entry('a') }, { entry: entry('b') }]);
    assert.deepEqual(await first, { action: 'deny', source: 'backend', entry: entry('a') });
    assert.deepEqual(await second, { action: 'deny', source: 'backend', entry: entry('c') });
    clock.advance(1000);
    assert.equal(clock.timers, 0);
  });

  it('is decided by the policy exactly at the deadline, which counts from when it was received', async () => {
    const { ask, clock } = setUp();
    let decided: unknown;
    (ask(CLOSED, ['a']) as Promise<unknown>).then((decision) => {
      decided = decision;
    });
    clock.advance(DEADLINE_MS - 1);
    await settled();
    assert.equal(decided, undefined);
    clock.advance(1);
    await settled();
    assert.deepEqual(decided, { action: 'deny', source: 'policy', reason: 'timeout', status: 503 });
  });

  it('has had part of its time already when the chunk it came in was long to read', async () => {
    const { clock, backend } = setUp();
    const cache = new VerdictCache(
      { maxEntries: 1, allowTtlSeconds: 1, denyTtlSeconds: 1, policyTtlSeconds: 1 },
      clock,
    );
    const engine = new Engine({ cache, loader: new Loader(backend, cache, { maxConcurrent: 1 }), clock }, DEADLINE_MS);
    const receivedAtMs = clock.nowMs();
    clock.advance(DEADLINE_MS - 10);
    const decision = engine.decide({ policy: OPEN, subjects: ['a'] }, receivedAtMs);
    clock.advance(10);
    assert.deepEqual(await decision, { action: 'allow', source: 'policy', reason: 'timeout' });
  });

  it('is one whose verdict has ended', async () => {
    const { ask, backend, clock, cache } = setUp();
    cache.keepVerdict('ip:1', entry('ip:1'), 60);
    clock.advance(59_999);
    assert.ok(!(ask(OPEN, ['ip:1']) instanceof Promise));
    clock.advance(1);
    const decision = ask(OPEN, ['ip:1']);
    await settled();
    backend.call(0).answer([{ entry: null }]);
    assert.deepEqual(await decision, { action: 'allow', source: 'backend' });
  });

  it('stays denied at the deadline by what was known in time', async () => {
    const { ask, backend, clock, cache } = setUp();
    cache.keepVerdict('ip:1', entry('ip:1'), 60);
    const decision = ask(OPEN, ['ip:1', 'a']);
    const other = ask(OPEN, ['b', 'c']);
    await settled();
    backend.call(1).answer([{ entry: entry('b') }, { error: 'throttled' }]);
    assert.deepEqual(await other, { action: 'deny', source: 'backend', entry: entry('b') });
    clock.advance(DEADLINE_MS);
    assert.deepEqual(await decision, { action: 'deny', source: 'cache', entry: entry('ip:1') });
  });

  it('fills the cache with an answer that comes after the deadline', async () => {
    const { ask, backend, clock } = setUp();
    const decision = ask(OPEN, ['a']);
    clock.advance(DEADLINE_MS);
    assert.deepEqual(await decision, { action: 'allow', source: 'policy', reason: 'timeout' });
    backend.call(0).answer([{ entry: entry('a') }]);
    await settled();
    assert.deepEqual(ask(OPEN, ['a']), { action: 'deny', source: 'cache', entry: entry('a') });
  });

  it('is one of many that meet their deadlines with one timer', async () => {
    const { ask, clock } = setUp();
    const decisions = Array.from({ length: 100 }, (_, index) => {
      clock.advance(index % 3);
      return ask(OPEN, [`s:${index}`]);
    });
    assert.equal(clock.timers, 1);
    clock.advance(DEADLINE_MS);
    for (const decision of await Promise.all(decisions)) assert.equal(decision.reason, 'timeout');
    assert.equal(clock.timers, 0);
  });
});
