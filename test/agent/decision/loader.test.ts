import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { VerdictCache } from '../../../agent/decision/cache.ts';
import { LookupError, type SubjectVerdict } from '../../../agent/decision/decision.ts';
import { Loader, type LoaderSettings } from '../../../agent/decision/loader.ts';
import { LookupSubject } from '../../../agent/decision/lookup-subject.ts';
import type { Entry } from '../../../contract/check.ts';
import { HandClock } from '../../support/clock.ts';
import { ScriptedBackend } from '../../support/scripted-backend.ts';
import { settled } from '../../support/spop/conversation.ts';

const DENY: Entry = { subject: 'ip:192.0.2.1', list: 'manual', action: 'deny' };
const DENIED: SubjectVerdict = { action: 'deny', source: 'backend', list: 'manual', entry: DENY.subject };
const NOTHING: SubjectVerdict = { action: 'allow', source: 'backend' };
const MAX_QUEUED = 10_000;
const WINDOW_MS = 5;

function setUp(changes: Partial<LoaderSettings> & { ifErrorSeconds?: number; maxSubjects?: number } = {}) {
  const clock = new HandClock();
  const { ifErrorSeconds = 0, maxSubjects = 100, ...more } = changes;
  const cache = new VerdictCache(
    { maxEntries: 100_000, allowTtlSeconds: 60, denyTtlSeconds: 60, policyTtlSeconds: 1 },
    { ifErrorSeconds, revalidateSeconds: 5 },
    clock,
  );
  const backend = new ScriptedBackend();
  const loader = new Loader(backend, cache, clock, {
    maxConcurrent: 8,
    maxCallsPerSecond: 100_000,
    deadlineMs: 1_000_000,
    batch: { windowMs: WINDOW_MS, maxSubjects },
    ...more,
  });
  const known = (subject: string) => cache.lookup(subject, clock.nowMs())?.verdict;
  /** How often each load has settled, and with what. */
  const settlements: { readonly subject: string; readonly with: SubjectVerdict[] }[] = [];
  const load = (subject: string) => {
    const settlement = { subject, with: [] as SubjectVerdict[] };
    settlements.push(settlement);
    return loader.load(LookupSubject.parse(subject), (verdict) => settlement.with.push(verdict));
  };
  const loadAll = (...subjects: string[]) => subjects.map(load);
  const got = (subject: string) => settlements.filter((each) => each.subject === subject).flatMap((each) => each.with);
  const asked = () => backend.calls.map(({ subjects }) => subjects);
  /** Lets time pass, and every promise settle before it and after each timer on the way. */
  const pass = async (ms: number) => {
    await settled();
    const untilMs = clock.nowMs() + ms;
    while (clock.nowMs() + clock.nextInMs <= untilMs) {
      clock.advance(clock.nextInMs);
      await settled();
    }
    clock.advance(untilMs - clock.nowMs());
    await settled();
  };
  return { clock, cache, backend, loader, known, load, loadAll, got, asked, pass, settlements };
}

type World = ReturnType<typeof setUp>;

/** Opens the breaker at once, by calls that fail one after the other. */
async function breakDown({ backend, load, pass }: World): Promise<void> {
  const before = backend.calls.length;
  for (let index = 0; index < 5; index++) {
    assert.equal(load(`broken:${before + index}`), undefined);
    await pass(WINDOW_MS);
    backend.call(before + index).fail(new LookupError('backend_error', 'down'));
    await settled();
  }
}

describe('a lookup', () => {
  it('is shared by all who ask for the same subject while it is under way, or waits', async () => {
    const { backend, loadAll, got, asked, pass } = setUp();
    loadAll('a', 'b', 'a');
    await pass(WINDOW_MS);
    loadAll('b', 'c', 'a');
    await pass(WINDOW_MS);
    assert.deepEqual(asked(), [['a', 'b'], ['c']]);
    backend.call(1).answer([{ entry: null }]);
    await settled();
    assert.deepEqual([got('a'), got('b'), got('c')], [[], [], [NOTHING]]);
    backend.call(0).answer([{ entry: DENY }, { entry: null }]);
    await settled();
    assert.deepEqual([got('a'), got('b'), got('c')], [[DENIED, DENIED, DENIED], [NOTHING, NOTHING], [NOTHING]]);
  });

  it('is made again once the last one has been answered', async () => {
    const { backend, load, got, pass } = setUp();
    for (const index of [0, 1]) {
      load('a');
      await pass(WINDOW_MS);
      backend.call(index).answer([{ entry: null }]);
      await settled();
    }
    assert.equal(backend.calls.length, 2);
    assert.equal(got('a').length, 2);
  });

  it('shares a call with all that come within the window, which opens with the first', async () => {
    const { load, asked, pass } = setUp();
    load('a');
    await pass(WINDOW_MS - 1);
    load('b');
    assert.deepEqual(asked(), []);
    await pass(1);
    assert.deepEqual(asked(), [['a', 'b']]);
    load('c');
    await pass(WINDOW_MS - 1);
    assert.equal(asked().length, 1);
    await pass(1);
    assert.deepEqual(asked(), [['a', 'b'], ['c']]);
  });

  it('does not wait for the window when the call is full', async () => {
    const { loadAll, asked, pass, clock } = setUp({ maxSubjects: 3 });
    loadAll('a', 'b', 'c', 'd', 'e', 'f', 'g');
    await settled();
    assert.deepEqual(asked(), [
      ['a', 'b', 'c'],
      ['d', 'e', 'f'],
    ]);
    await pass(WINDOW_MS);
    assert.deepEqual(asked()[2], ['g']);
    assert.equal(clock.timers, 0);
  });

  it('of more than 100 subjects is made in several calls, each told the answer to its own', async () => {
    const { backend, loadAll, got, pass } = setUp();
    const subjects = Array.from({ length: 250 }, (_, index) => `s:${index}`);
    loadAll(...subjects);
    await pass(WINDOW_MS);
    assert.deepEqual(
      backend.calls.map((call) => call.subjects.length),
      [100, 100, 50],
    );
    for (const call of backend.calls) call.answer(call.subjects.map((subject) => ({ entry: { ...DENY, subject } })));
    await settled();
    for (const subject of subjects) assert.deepEqual(got(subject), [{ ...DENIED, entry: subject }]);
  });

  it('waits while as many as allowed are under way, and is sent by the end of one of them', async () => {
    const { backend, loadAll, asked, got, pass, clock } = setUp({ maxConcurrent: 2, maxSubjects: 1 });
    loadAll('a', 'b', 'c', 'd');
    await pass(1000);
    assert.deepEqual(asked(), [['a'], ['b']]);
    backend.call(1).fail(new Error('broken'));
    await settled();
    assert.deepEqual(asked(), [['a'], ['b'], ['c']]);
    backend.call(0).answer([{ entry: null }]);
    backend.call(2).answer([{ entry: null }]);
    await settled();
    backend.call(3).answer([{ entry: null }]);
    await settled();
    assert.deepEqual([got('a'), got('b'), got('c'), got('d')].flat(), [NOTHING, 'internal_error', NOTHING, NOTHING]);
    assert.equal(clock.timers, 0);
  });

  it('of what gathered meanwhile goes out in as few calls as it can', async () => {
    const { backend, loadAll, asked, pass } = setUp({ maxConcurrent: 1 });
    loadAll('a');
    await pass(WINDOW_MS);
    for (let index = 0; index < 150; index++) {
      loadAll(`s:${index}`);
      await pass(1);
    }
    assert.equal(asked().length, 1);
    backend.call(0).answer([{ entry: null }]);
    await settled();
    assert.equal(asked()[1]?.length, 100);
    backend.call(1).answer([]);
    await settled();
    assert.equal(asked()[2]?.length, 50);
  });

  it('is not even queued behind ten thousand others: that is an overload, at once', async () => {
    const { backend, load, got, known, pass, asked } = setUp({ maxConcurrent: 1 });
    // One call is under way with the first hundred.
    for (let index = 0; index < MAX_QUEUED + 100; index++) assert.equal(load(`s:${index}`), undefined);
    assert.equal(load('too:many'), 'overload');
    assert.deepEqual([got('too:many'), known('too:many')], [[], undefined], 'it may be asked as soon as there is room');
    assert.equal(load('s:7'), undefined, 'one under way can be shared');
    assert.equal(load('s:777'), undefined, 'and one that is queued');
    await pass(WINDOW_MS);
    assert.equal(asked().length, 1);
    backend.call(0).answer(backend.call(0).subjects.map(() => ({ entry: null })));
    await settled();
    assert.equal(load('too:many'), undefined, 'there is room');
    assert.deepEqual(got('s:7'), [NOTHING, NOTHING]);
  });
});

describe('a lookup that takes longer than its deadline', () => {
  it('lets nobody join who comes later: that is a timeout, at once', async () => {
    const { backend, load, got, pass } = setUp({ deadlineMs: 40 });
    load('a');
    await pass(39);
    assert.equal(load('a'), undefined);
    await pass(1);
    for (let times = 0; times < 3; times++) assert.equal(load('a'), 'timeout');
    await pass(10_000);
    assert.equal(load('a'), 'timeout');
    assert.equal(backend.calls.length, 1);
    backend.call(0).answer([{ entry: null }], 0);
    await settled();
    assert.deepEqual(got('a'), [NOTHING, NOTHING]);
    assert.equal(load('a'), undefined, 'and is asked again once that is over');
  });

  it('is one also while it waits in the queue', async () => {
    const { load, pass } = setUp({ deadlineMs: 40, maxConcurrent: 1, maxSubjects: 1 });
    load('a');
    load('b');
    await pass(40);
    assert.deepEqual([load('b'), load('c')], ['timeout', undefined]);
  });
});

describe('an answer', () => {
  it('fills the cache before it settles', async () => {
    const { backend, loader, known, pass } = setUp();
    let heard: SubjectVerdict | undefined;
    loader.load(LookupSubject.parse('a'), () => {
      heard = known('a');
    });
    await pass(WINDOW_MS);
    assert.equal(known('a'), undefined);
    backend.call(0).answer([{ entry: DENY }], 30);
    await settled();
    assert.deepEqual(heard, { ...DENIED, source: 'cache' });
  });

  it('is cached for as long as the backend says', async () => {
    const { backend, load, known, pass } = setUp();
    load('a');
    await pass(WINDOW_MS);
    backend.call(0).answer([{ entry: DENY }], 30);
    await settled();
    await pass(29_000);
    assert.ok(known('a'));
    await pass(1000);
    assert.equal(known('a'), undefined);
  });

  it('that failed for one subject does not fail its neighbours', async () => {
    const { backend, loadAll, got, known, pass } = setUp();
    loadAll('a', 'b', 'c');
    await pass(WINDOW_MS);
    backend.call(0).answer([{ entry: null }, { error: 'throttled' }, { entry: DENY }]);
    await settled();
    assert.deepEqual([got('a'), got('b'), got('c')], [[NOTHING], ['backend_error'], [DENIED]]);
    assert.deepEqual(
      ['a', 'b', 'c'].map((subject) => typeof known(subject)),
      ['object', 'string', 'object'],
    );
  });

  it('with too few lookups is an error for those it lacks', async () => {
    const { backend, loadAll, got, pass } = setUp();
    loadAll('a', 'b');
    await pass(WINDOW_MS);
    backend.call(0).answer([{ entry: null }]);
    await settled();
    assert.deepEqual([got('a'), got('b')], [[NOTHING], ['backend_error']]);
  });

  it('that is malformed is an error for all its subjects, and not an exception', async () => {
    const { backend, loadAll, got, pass } = setUp();
    loadAll('a', 'b');
    await pass(WINDOW_MS);
    backend.call(0).answer(undefined as never);
    await settled();
    assert.deepEqual([got('a'), got('b')], [['internal_error'], ['internal_error']]);
  });
});

describe('a failed call', () => {
  for (const [what, error, reason] of [
    ['LookupError', new LookupError('timeout', 'too slow'), 'timeout'],
    ['other error', new TypeError('a bug'), 'internal_error'],
    ['thing thrown', 'text', 'internal_error'],
  ] as const) {
    it(`by a ${what} has that reason, and is cached for policyTtlSeconds`, async () => {
      const { backend, loadAll, known, pass, got } = setUp();
      loadAll('a', 'b');
      await pass(WINDOW_MS);
      backend.call(0).fail(error);
      await settled();
      assert.deepEqual([got('a'), got('b')], [[reason], [reason]]);
      assert.equal(known('a'), reason);
      await pass(990);
      assert.equal(known('b'), reason);
      await pass(10);
      assert.equal(known('a'), undefined);
    });
  }

  it('by a backend that throws at once is no different', async () => {
    const { clock, cache } = setUp();
    const backend = { check: () => assert.fail('at once') as never };
    const loader = new Loader(backend, cache, clock, {
      maxConcurrent: 1,
      maxCallsPerSecond: 10,
      deadlineMs: 40,
      batch: { windowMs: 0, maxSubjects: 1 },
    });
    const got: SubjectVerdict[] = [];
    loader.load(LookupSubject.parse('a'), (verdict) => got.push(verdict));
    await settled();
    assert.deepEqual(got, ['internal_error']);
  });

  it('is answered with the stale verdict, if there is one', async () => {
    const { cache, backend, loadAll, got, pass, clock } = setUp({ ifErrorSeconds: 600 });
    cache.keepVerdict(LookupSubject.parse('ip:192.0.2.1'), DENY, 60);
    cache.keepVerdict(LookupSubject.parse('host:a'), null, 60);
    clock.advance(60_000);
    loadAll('ip:192.0.2.1', 'host:a', 'host:b');
    await pass(WINDOW_MS);
    backend.call(0).fail(new LookupError('timeout', 'too slow'));
    await settled();
    assert.deepEqual(
      [got('ip:192.0.2.1'), got('host:a'), got('host:b')],
      [
        [{ action: 'deny', source: 'stale', list: 'manual', ofAddress: true }],
        [{ action: 'allow', source: 'stale' }],
        ['timeout'],
      ],
    );
  });
});

describe('the budget of calls', () => {
  it('makes subjects wait for the next call that it has, and gather meanwhile', async () => {
    const { backend, loadAll, asked, pass } = setUp({ maxCallsPerSecond: 10, maxSubjects: 2 });
    loadAll('a', 'b', 'c', 'd', 'e');
    await pass(99);
    assert.deepEqual(asked(), [['a', 'b']]);
    await pass(1);
    assert.deepEqual(asked(), [
      ['a', 'b'],
      ['c', 'd'],
    ]);
    await pass(99);
    loadAll('f');
    await pass(1);
    assert.deepEqual(asked()[2], ['e', 'f']);
    assert.equal(backend.calls.length, 3);
  });

  it('is never exceeded, whatever comes and however the backend answers', async () => {
    const step = fc.record({ subjects: fc.nat(12), ms: fc.nat(60), fails: fc.boolean() });
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 1, maxLength: 40 }),
        fc.integer({ min: 1, max: 200 }),
        async (steps, maxCallsPerSecond) => {
          const { backend, load, pass, clock, settlements } = setUp({ maxCallsPerSecond, maxSubjects: 2 });
          const madeMs: number[] = [];
          const check = backend.check.bind(backend);
          backend.check = (subjects) => {
            madeMs.push(clock.nowMs());
            return check(subjects);
          };
          let answered = 0;
          let loaded = 0;
          const answerAll = (fails: boolean) => {
            for (; answered < backend.calls.length; answered++) {
              const call = backend.call(answered);
              if (fails) call.fail(new LookupError('timeout', 'slow'));
              else call.answer(call.subjects.map(() => ({ entry: null })));
            }
          };
          let refused = 0;
          for (const { subjects, ms, fails } of steps) {
            for (let count = 0; count < subjects; count++) if (load(`s:${loaded++}`) !== undefined) refused++;
            await pass(ms);
            answerAll(fails);
            await settled();
          }
          for (let round = 0; answered < backend.calls.length || clock.timers > 0; round++) {
            await pass(1000);
            answerAll(false);
            await settled();
            assert.ok(round < 1000, 'it comes to an end');
          }
          const burst = Math.max(1, maxCallsPerSecond / 10);
          for (let first = 0; first < madeMs.length; first++)
            for (let last = first; last < madeMs.length; last++) {
              const elapsedMs = (madeMs[last] as number) - (madeMs[first] as number); // in bounds
              assert.ok(last - first + 1 <= (elapsedMs * maxCallsPerSecond) / 1000 + burst + 1e-6);
            }
          assert.equal(settlements.filter((each) => each.with.length === 1).length, loaded - refused);
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe('a backend that throttles', () => {
  const THROTTLED = new LookupError('overload', 'answered status 429');

  it('gets lookups again that can still be answered in time, before all others', async () => {
    const { backend, loadAll, got, asked, pass } = setUp({ deadlineMs: 4000, maxSubjects: 2, maxConcurrent: 1 });
    loadAll('a', 'b', 'c', 'd');
    await settled();
    backend.call(0).fail(THROTTLED);
    await pass(20);
    assert.deepEqual(asked(), [
      ['a', 'b'],
      ['a', 'b'],
    ]);
    backend.call(1).answer([{ entry: null }, { entry: DENY }]);
    await pass(20);
    assert.deepEqual([got('a'), got('b'), asked()[2]], [[NOTHING], [DENIED], ['c', 'd']]);
  });

  it('does not get a lookup again past its deadline: that is an overload', async () => {
    const { backend, load, got, known, pass } = setUp({ deadlineMs: 40 });
    load('host:a');
    await pass(40);
    backend.call(0).fail(THROTTLED);
    await pass(10_000);
    assert.deepEqual(got('host:a'), ['overload']);
    assert.equal(backend.calls.length, 1);
    assert.equal(known('host:a'), undefined, 'for a second it was known');
  });

  it('is asked three times for a subject, and no more', async () => {
    const { backend, load, got, pass } = setUp({ deadlineMs: 1000, maxCallsPerSecond: 10_000 });
    load('host:a');
    await pass(WINDOW_MS);
    for (let call = 0; call < 3; call++) {
      assert.deepEqual(got('host:a'), []);
      backend.call(call).fail(THROTTLED);
      await pass(1);
    }
    assert.deepEqual([got('host:a'), backend.calls.length], [['overload'], 3]);
  });

  it('is replaced by stale verdicts', async () => {
    const { backend, cache, clock, load, got, pass } = setUp({ deadlineMs: 40, ifErrorSeconds: 600 });
    cache.keepVerdict(LookupSubject.parse('host:a'), null, 60);
    clock.advance(61_000);
    load('host:a');
    await pass(40);
    backend.call(0).fail(THROTTLED);
    await settled();
    assert.deepEqual(got('host:a'), [{ action: 'allow', source: 'stale' }]);
  });

  it('never opens the breaker, closes one that probes, and is asked ever less, but never not at all', async () => {
    const world = setUp({ deadlineMs: 40, maxCallsPerSecond: 100 });
    await breakDown(world);
    await world.pass(500);
    for (let second = 0, done = 5; second < 30; second++) {
      for (let subject = 0; subject < 10; subject++) world.load(`${second}:${subject}`);
      await world.pass(1000);
      for (; done < world.backend.calls.length; done++) {
        world.backend.call(done).fail(THROTTLED);
        await settled();
      }
      assert.equal(world.loader.state.breaker, 'closed');
    }
    const { callsPerSecond } = world.loader.state;
    assert.ok(callsPerSecond >= 1 && callsPerSecond < 12, `${callsPerSecond}`);
    const before = world.backend.calls.length;
    world.load('last');
    await world.pass(1000);
    assert.ok(world.backend.calls.length > before);
  });

  it('gets the full rate of calls again once it throttles no more', async () => {
    const { backend, load, loader, pass } = setUp({ deadlineMs: 40, maxCallsPerSecond: 100 });
    load('a');
    await pass(WINDOW_MS);
    backend.call(0).fail(THROTTLED);
    await settled();
    assert.ok(loader.state.callsPerSecond < 15);
    await pass(20_000);
    assert.equal(loader.state.callsPerSecond, 100);
  });

  it('is an overload at once for lookups without a call in time, and still fills the cache', async () => {
    const { backend, load, got, known, pass } = setUp({ deadlineMs: 40, maxCallsPerSecond: 10 });
    load('host:a');
    await pass(WINDOW_MS);
    assert.equal(load('host:b'), 'overload');
    for (const ms of [0, 50, 49]) {
      await pass(ms);
      assert.equal(load('host:b'), 'overload');
    }
    await pass(1);
    backend.call(1).answer([{ entry: null }]);
    await settled();
    assert.deepEqual(got('host:b'), [], 'who was told at once is not told again');
    assert.notEqual(known('host:b'), undefined);
  });
});

describe('a backend that is down', () => {
  it('gets no call for half a second after five calls failed in a row: lookups are refused at once', async () => {
    const world = setUp();
    await breakDown(world);
    assert.equal(world.load('a'), 'breaker_open');
    await world.pass(499);
    assert.equal(world.load('a'), 'breaker_open');
    assert.deepEqual(world.got('a'), []);
    assert.equal(world.backend.calls.length, 5);
    assert.equal(world.clock.timers, 0);
  });

  it('gets one probe then, and all other lookups in the queue are refused', async () => {
    const world = setUp({ maxSubjects: 2 });
    await breakDown(world);
    await world.pass(500);
    assert.deepEqual(world.loadAll('a', 'b', 'c'), [undefined, undefined, 'breaker_open']);
    await world.pass(WINDOW_MS);
    assert.deepEqual(world.asked()[5], ['a', 'b']);
    assert.equal(world.load('d'), 'breaker_open');
    assert.equal(world.load('a'), undefined, 'what is being asked can be shared');
    world.backend.call(5).answer([{ entry: null }, { entry: DENY }]);
    await settled();
    assert.deepEqual([world.got('a'), world.got('b')], [[NOTHING, NOTHING], [DENIED]]);
    assert.equal(world.load('d'), undefined);
    await world.pass(WINDOW_MS);
    assert.deepEqual(world.asked()[6], ['d']);
  });

  it('gets the next probe after twice the time if that fails', async () => {
    const world = setUp();
    await breakDown(world);
    await world.pass(500);
    world.load('a');
    await world.pass(WINDOW_MS);
    world.backend.call(5).fail(new LookupError('timeout', 'slow'));
    await settled();
    assert.deepEqual(world.got('a'), ['timeout']);
    await world.pass(999);
    assert.equal(world.load('b'), 'breaker_open');
    await world.pass(1);
    assert.equal(world.load('b'), undefined);
  });

  it('leaves queued lookups refused, or with their stale verdicts', async () => {
    const world = setUp({ maxConcurrent: 1, maxSubjects: 1, ifErrorSeconds: 600 });
    world.cache.keepVerdict(LookupSubject.parse('host:known'), null, 60);
    world.clock.advance(61_000);
    for (let index = 0; index < 5; index++) world.load(`s:${index}`);
    world.loadAll('host:known', 'host:new', 'host:new');
    for (let index = 0; index < 5; index++) {
      await settled();
      assert.deepEqual([world.got('host:known'), world.got('host:new')], [[], []]);
      world.backend.call(index).fail(new LookupError('backend_error', 'down'));
    }
    await settled();
    assert.deepEqual(world.got('host:known'), [{ action: 'allow', source: 'stale' }]);
    assert.deepEqual(world.got('host:new'), ['breaker_open', 'breaker_open']);
    assert.equal(world.known('host:new'), undefined, 'it may be asked as soon as the breaker lets it');
    assert.equal(world.backend.calls.length, 5);
  });

  it('does not count one bad subject as a failed call', async () => {
    const { backend, load, pass } = setUp();
    for (let index = 0; index < 20; index++) {
      assert.equal(load(`s:${index}`), undefined);
      await pass(WINDOW_MS);
      backend.call(index).answer([{ error: 'throttled' }]);
      await settled();
    }
  });
});

describe('a refresh', () => {
  it('is a lookup for which no decision waits', async () => {
    const { loader, backend, known, pass } = setUp();
    loader.refresh(LookupSubject.parse('a'));
    await pass(WINDOW_MS);
    backend.call(0).answer([{ entry: DENY }]);
    await settled();
    assert.deepEqual(known('a'), { ...DENIED, source: 'cache' });
  });

  it('is never made beside another lookup of the same subject', async () => {
    const { loader, backend, load, got, asked, pass } = setUp();
    loader.refresh(LookupSubject.parse('a'));
    loader.refresh(LookupSubject.parse('a'));
    load('a');
    await pass(WINDOW_MS);
    loader.refresh(LookupSubject.parse('a'));
    await pass(WINDOW_MS);
    assert.deepEqual(asked(), [['a']]);
    backend.call(0).answer([{ entry: null }]);
    await settled();
    assert.deepEqual(got('a'), [NOTHING]);
    loader.refresh(LookupSubject.parse('a'));
    await pass(WINDOW_MS);
    assert.deepEqual(asked(), [['a'], ['a']]);
  });

  it('that is refused changes nothing', async () => {
    const world = setUp();
    await breakDown(world);
    world.loader.refresh(LookupSubject.parse('a'));
    await world.pass(WINDOW_MS);
    assert.equal(world.backend.calls.length, 5);
  });
});

describe('each caller', () => {
  it('is refused or settled, and that once, whatever happens', async () => {
    const step = fc.oneof(
      fc.record({ do: fc.constant('load' as const), subject: fc.nat(15), ms: fc.nat(8) }),
      fc.record({
        do: fc.constantFrom('answer' as const, 'fail' as const, 'throttle' as const),
        call: fc.nat(20),
        ms: fc.nat(300),
      }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 80 }), fc.integer({ min: 1, max: 3 }), async (steps, limit) => {
        const { backend, load, pass, settlements, clock } = setUp({
          maxConcurrent: limit,
          maxSubjects: limit,
          maxCallsPerSecond: 50 * limit,
          ifErrorSeconds: 10,
        });
        const open = new Set<number>();
        let refused = 0;
        let most = 0;
        const end = (index: number, fails: boolean, throttles = false) => {
          const call = backend.call(index);
          if (throttles) call.fail(new LookupError('overload', 'too many'));
          else if (fails) call.fail(new LookupError('backend_error', 'down'));
          else call.answer(call.subjects.map(() => ({ entry: null })));
          open.delete(index);
        };
        let seen = 0;
        const look = () => {
          for (; seen < backend.calls.length; seen++) open.add(seen);
          most = Math.max(most, open.size);
          const underWay = [...open].flatMap((index) => backend.call(index).subjects);
          assert.equal(new Set(underWay).size, underWay.length, 'no subject is asked twice at a time');
        };
        for (const each of steps) {
          if (each.do === 'load') {
            if (load(`s:${each.subject}`) !== undefined) refused++;
          } else if (open.has(each.call)) end(each.call, each.do === 'fail', each.do === 'throttle');
          await pass(each.ms);
          look();
        }
        for (let round = 0; open.size > 0 || clock.timers > 0; round++) {
          for (const index of [...open]) end(index, false);
          await pass(1000);
          look();
          assert.ok(round < 500, 'it comes to an end');
        }
        assert.ok(most <= limit, `${most} calls at a time`);
        assert.equal(settlements.filter((each) => each.with.length === 1).length, settlements.length - refused);
        assert.equal(settlements.filter((each) => each.with.length === 0).length, refused);
      }),
      { numRuns: 60 },
    );
  });
});
