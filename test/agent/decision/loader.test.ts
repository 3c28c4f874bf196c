import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { VerdictCache } from '../../../agent/decision/cache.ts';
import type { Contribution } from '../../../agent/decision/combine.ts';
import { LookupError } from '../../../agent/decision/decision.ts';
import { Loader } from '../../../agent/decision/loader.ts';
import type { Entry } from '../../../contract/check.ts';
import { HandClock } from '../../support/clock.ts';
import { ScriptedBackend } from '../../support/scripted-backend.ts';
import { settled } from '../../support/spop/conversation.ts';

const DENY: Entry = { subject: 'ip:1', list: 'manual', action: 'deny' };

function setUp(maxConcurrent = 8) {
  const clock = new HandClock();
  const cache = new VerdictCache(
    { maxEntries: 100, allowTtlSeconds: 60, denyTtlSeconds: 60, policyTtlSeconds: 1 },
    clock,
  );
  const backend = new ScriptedBackend();
  const loader = new Loader(backend, cache, { maxConcurrent });
  const known = (subject: string) => cache.get(subject, clock.nowMs());
  return { clock, backend, loader, known };
}

const all = (loads: Promise<Contribution>[]) => Promise.all(loads);

describe('a lookup', () => {
  it('is shared by all who ask for the same subject while it is under way', async () => {
    const { backend, loader } = setUp();
    const first = all(loader.load(['ip:1', 'ip:2']));
    const second = all(loader.load(['ip:2', 'ip:3', 'ip:1']));
    const third = all(loader.load(['ip:1', 'ip:1']));
    await settled();
    assert.deepEqual(
      backend.calls.map(({ subjects }) => subjects),
      [['ip:1', 'ip:2'], ['ip:3']],
    );
    backend.call(1).answer([{ entry: null }]);
    backend.call(0).answer([{ entry: DENY }, { entry: null }]);
    const denied = { action: 'deny', source: 'backend', entry: DENY };
    const nothing = { action: 'allow', source: 'backend' };
    assert.deepEqual(await first, [denied, nothing]);
    assert.deepEqual(await second, [nothing, nothing, denied]);
    assert.deepEqual(await third, [denied, denied]);
  });

  it('is made again once the last one has been answered', async () => {
    const { backend, loader } = setUp();
    for (const index of [0, 1]) {
      const load = all(loader.load(['ip:1']));
      await settled();
      backend.call(index).answer([{ entry: null }]);
      await load;
    }
    assert.equal(backend.calls.length, 2);
  });

  it('of more than 100 subjects is made in several calls', async () => {
    const { backend, loader } = setUp();
    const subjects = Array.from({ length: 250 }, (_, index) => `ip:${index}`);
    const load = all(loader.load(subjects));
    await settled();
    assert.deepEqual(
      backend.calls.map((call) => call.subjects.length),
      [100, 100, 50],
    );
    for (const call of backend.calls) call.answer(call.subjects.map((subject) => ({ entry: { ...DENY, subject } })));
    assert.deepEqual(
      (await load).map((each) => typeof each !== 'string' && each.entry?.subject),
      subjects,
    );
  });

  it('waits while as many as allowed are under way', async () => {
    const { backend, loader } = setUp(2);
    const loads = ['a', 'b', 'c', 'd'].map((subject) => all(loader.load([subject])));
    await settled();
    assert.equal(backend.calls.length, 2);
    backend.call(1).fail(new Error('broken'));
    await settled();
    assert.deepEqual(
      backend.calls.map(({ subjects }) => subjects[0]),
      ['a', 'b', 'c'],
    );
    backend.call(0).answer([{ entry: null }]);
    backend.call(2).answer([{ entry: null }]);
    await settled();
    backend.call(3).answer([{ entry: null }]);
    assert.equal((await Promise.all(loads)).length, 4);
  });

  it('is not even queued behind a thousand others: that is an overload, at once', async () => {
    const { backend, loader, known } = setUp(1);
    const loads = Array.from({ length: 1001 }, (_, index) => loader.load([`ip:${index}`]));
    const [early] = await all(loader.load(['ip:too-many']));
    assert.equal(early, 'overload');
    assert.equal(known('ip:too-many'), undefined, 'it may be asked again as soon as there is room');
    assert.ok(loads.length > 1000);
    await settled();
    assert.equal(backend.calls.length, 1);
    const shared = loader.load(['ip:7', 'ip:also-too-many']);
    assert.equal(await shared[1], 'overload');
    for (let index = 0; index <= 7; index++) {
      backend.call(index).answer([{ entry: null }]);
      await settled();
    }
    assert.deepEqual(
      await shared[0],
      { action: 'allow', source: 'backend' },
      'one that is queued already can be shared',
    );
  });
});

describe('an answer', () => {
  it('fills the cache before anyone hears of it', async () => {
    const { backend, loader, known } = setUp();
    const load = loader.load(['ip:1'])[0]?.then(() => known('ip:1')?.type);
    await settled();
    assert.equal(known('ip:1'), undefined);
    backend.call(0).answer([{ entry: DENY }], 30);
    assert.equal(await load, 'verdict');
  });

  it('that failed for one subject does not fail its neighbours', async () => {
    const { backend, loader, known } = setUp();
    const load = all(loader.load(['a', 'b', 'c']));
    await settled();
    backend.call(0).answer([{ entry: null }, { error: 'throttled' }, { entry: DENY }]);
    assert.deepEqual(
      (await load).map((each) => (typeof each === 'string' ? each : each.action)),
      ['allow', 'backend_error', 'deny'],
    );
    assert.deepEqual(
      ['a', 'b', 'c'].map((subject) => known(subject)?.type),
      ['verdict', 'failure', 'verdict'],
    );
  });

  it('with too few lookups is an error for those it lacks', async () => {
    const { backend, loader } = setUp();
    const load = all(loader.load(['a', 'b']));
    await settled();
    backend.call(0).answer([{ entry: null }]);
    assert.deepEqual((await load)[1], 'backend_error');
  });
});

describe('a failed call', () => {
  for (const [what, error, reason] of [
    ['LookupError', new LookupError('timeout', 'too slow'), 'timeout'],
    ['other error', new TypeError('a bug'), 'internal_error'],
    ['thing thrown', 'text', 'internal_error'],
  ] as const) {
    it(`by a ${what} contributes its reason, and is remembered for the policy’s lifetime`, async () => {
      const { backend, loader, known, clock } = setUp();
      const load = all(loader.load(['a', 'b']));
      await settled();
      backend.call(0).fail(error);
      assert.deepEqual(await load, [reason, reason]);
      assert.equal(known('a')?.type, 'failure');
      clock.advance(999);
      assert.equal(known('b')?.type, 'failure');
      clock.advance(1);
      assert.equal(known('a'), undefined);
    });
  }

  it('by a backend that throws at once is no different', async () => {
    const { clock } = setUp();
    const cache = new VerdictCache(
      { maxEntries: 10, allowTtlSeconds: 1, denyTtlSeconds: 1, policyTtlSeconds: 1 },
      clock,
    );
    const backend = { check: () => assert.fail('at once') as never };
    assert.deepEqual(await all(new Loader(backend, cache, { maxConcurrent: 1 }).load(['a'])), ['internal_error']);
  });
});
