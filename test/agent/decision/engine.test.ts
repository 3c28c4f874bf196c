import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { Address } from '../../../agent/decision/address.ts';
import { VerdictCache } from '../../../agent/decision/cache.ts';
import { combine } from '../../../agent/decision/combine.ts';
import { type Decision, LookupError, type SubjectVerdict } from '../../../agent/decision/decision.ts';
import { Engine, type Question } from '../../../agent/decision/engine.ts';
import { Loader, type LoaderSettings } from '../../../agent/decision/loader.ts';
import { LookupSubject } from '../../../agent/decision/lookup-subject.ts';
import type { Entry } from '../../../contract/check.ts';
import type { Policy } from '../../../contract/policy.ts';
import { HandClock } from '../../support/clock.ts';
import { ScriptedBackend } from '../../support/scripted-backend.ts';
import { settled } from '../../support/spop/conversation.ts';

const OPEN: Policy = { default: 'open' };
const CLOSED: Policy = { default: 'closed' };
const DEADLINE_MS = 40;
const WINDOW_MS = 1;
const IP = 'ip:192.0.2.1';
const OTHER_IP = 'ip:2001:db8::2';
const entry = (subject: string, action: 'allow' | 'deny' = 'deny'): Entry => ({ subject, list: 'manual', action });
/** How an entry is told that stands under this text. */
const told = (subject: string, source: Decision['source'], action: 'allow' | 'deny' = 'deny'): Decision => ({
  action,
  source,
  list: 'manual',
  entry: subject,
});
/** How an entry is told that is about the asked address itself. */
const toldOfAddress = (source: Decision['source'], action: 'allow' | 'deny' = 'deny'): Decision => ({
  action,
  source,
  list: 'manual',
  ofAddress: true,
});

const isIp = (subject: string) => subject.startsWith('ip:');
type Rest = [source: Decision['source'], action?: 'allow' | 'deny'];

function setUp(changes: Partial<LoaderSettings> & { ifErrorSeconds?: number } = {}) {
  const clock = new HandClock();
  const { ifErrorSeconds = 0, ...more } = changes;
  const cache = new VerdictCache(
    { maxEntries: 1_000_000, allowTtlSeconds: 60, denyTtlSeconds: 60, policyTtlSeconds: 1 },
    { ifErrorSeconds, revalidateSeconds: 5 },
    clock,
  );
  const backend = new ScriptedBackend();
  const loader = new Loader(backend, cache, clock, {
    maxConcurrent: 8,
    maxCallsPerSecond: 500,
    deadlineMs: DEADLINE_MS,
    batch: { windowMs: WINDOW_MS, maxSubjects: 100 },
    ...more,
  });
  /** The decisions that were told as those for which the cache alone had no verdict. */
  const lookupDecisions: Decision[] = [];
  const lookups = { decided: (decision: Decision) => void lookupDecisions.push(decision) };
  const engine = new Engine({ cache, loader, clock, lookups }, DEADLINE_MS);
  const address = new Address();
  const question: { -readonly [Key in keyof Question]: Question[Key] } = {
    policy: OPEN,
    address,
    texts: [],
    addressAt: 0,
    oddAt: -1,
    problem: undefined,
  };
  /** Asks as whoever asks does: with the same address and the same question each time. */
  const read = (
    policy: Policy,
    subjects: readonly string[],
    more: { problem?: Question['problem']; odd?: string } = {},
  ) => {
    const at = subjects.findIndex((subject) => subject.startsWith('ip:'));
    address.clear();
    if (at >= 0) assert.ok(address.readText((subjects[at] as string).slice(3))); // just found
    question.policy = policy;
    question.texts = subjects.filter((_subject, index) => index !== at);
    question.addressAt = at < 0 ? subjects.length : at;
    question.oddAt = more.odd === undefined ? -1 : question.texts.indexOf(more.odd);
    question.problem = more.problem;
    return question;
  };
  const ask = (...said: Parameters<typeof read>) => engine.decide(read(...said), clock.nowMs());
  const decideKnown = (...said: Parameters<typeof read>) => engine.decideKnown(read(...said));
  /** Lets the window pass, so that what waits is sent. */
  const sent = async () => {
    clock.advance(WINDOW_MS);
    await settled();
  };
  const asked = () => backend.calls.map(({ subjects }) => subjects);
  return { clock, cache, backend, engine, ask, decideKnown, sent, asked, lookupDecisions };
}

describe('a question with fresh verdicts', () => {
  it('is decided at once, without a promise', () => {
    const { cache, ask, backend } = setUp();
    cache.keepVerdict(LookupSubject.parse(IP), entry(IP), 60);
    cache.keepVerdict(LookupSubject.parse('host:a'), null, 60);
    for (const subjects of [[IP], ['host:a', IP], [IP, 'host:a']])
      assert.deepEqual(ask(OPEN, subjects), toldOfAddress('cache'));
    assert.deepEqual(ask(CLOSED, ['host:a']), { action: 'allow', source: 'cache' });
    assert.equal(backend.calls.length, 0);
  });

  it('is decided by policy while a failed lookup is cached', () => {
    const { cache, ask } = setUp();
    cache.keepFailure(LookupSubject.parse(IP), 'backend_error');
    assert.deepEqual(ask(CLOSED, [IP]), { action: 'deny', source: 'policy', reason: 'backend_error', status: 503 });
    assert.deepEqual(ask(OPEN, [IP]), { action: 'allow', source: 'policy', reason: 'backend_error' });
  });

  it('does not wait for the rest when one is allowed by an entry', () => {
    const { cache, ask, backend } = setUp();
    cache.keepVerdict(LookupSubject.parse(IP), entry(IP, 'allow'), 60);
    assert.deepEqual(ask(CLOSED, ['host:new', IP]), toldOfAddress('cache', 'allow'));
    assert.equal(backend.calls.length, 0);
  });

  it('waits for the rest when one is denied, as an allow entry may come', async () => {
    const { cache, ask, backend, sent } = setUp();
    cache.keepVerdict(LookupSubject.parse(IP), entry(IP), 60);
    const decision = ask(OPEN, [IP, 'host:new']);
    assert.ok(decision instanceof Promise);
    await sent();
    assert.deepEqual(backend.call(0).subjects, ['host:new']);
    backend.call(0).answer([{ entry: entry('host:new', 'allow') }]);
    assert.deepEqual(await decision, told('host:new', 'backend', 'allow'));
  });
});

describe('a decision for which the cache alone had no verdict', () => {
  const BACKEND_ERROR: Decision = { action: 'allow', source: 'policy', reason: 'backend_error' };
  const OVERLOAD: Decision = { action: 'allow', source: 'policy', reason: 'overload' };

  it('is reported once, whatever decides in the end', async () => {
    const { ask, sent, backend, clock, lookupDecisions } = setUp();
    const answered = ask(OPEN, [IP]);
    await sent();
    backend.call(0).answer([{ entry: null }]);
    await settled();
    const late = [answered, ask(OPEN, ['host:late'])];
    clock.advance(DEADLINE_MS);
    assert.deepEqual(lookupDecisions, await Promise.all(late));
    assert.deepEqual(
      lookupDecisions.map(({ source, reason }) => [source, reason]),
      [
        ['backend', undefined],
        ['policy', 'timeout'],
      ],
    );
  });

  it('is reported while a failed lookup is cached, of an address and of others', () => {
    const { cache, ask, lookupDecisions } = setUp();
    for (const subject of [IP, 'host:a']) {
      cache.keepFailure(LookupSubject.parse(subject), 'backend_error');
      assert.deepEqual(ask(OPEN, [subject]), BACKEND_ERROR);
    }
    assert.deepEqual(lookupDecisions, [BACKEND_ERROR, BACKEND_ERROR]);
  });

  it('is reported if an allow entry decides despite missing verdicts, and under overload', () => {
    const { cache, ask, decideKnown, lookupDecisions } = setUp();
    cache.keepVerdict(LookupSubject.parse('host:a'), entry('host:a', 'allow'), 60);
    ask(OPEN, ['host:a', IP]);
    decideKnown(OPEN, [IP]);
    assert.deepEqual(lookupDecisions, [told('host:a', 'cache', 'allow'), OVERLOAD]);
  });

  it('is not reported if fresh verdicts or the client alone decided', () => {
    const { cache, ask, decideKnown, lookupDecisions } = setUp();
    cache.keepVerdict(LookupSubject.parse(IP), entry(IP), 60);
    cache.keepVerdict(LookupSubject.parse('host:a'), null, 60);
    for (const decide of [ask, decideKnown]) {
      decide(OPEN, [IP]);
      decide(OPEN, ['host:a', IP]);
      decide(OPEN, []);
      decide(OPEN, ['host:a'], { problem: 'bad_subject' });
    }
    assert.deepEqual(lookupDecisions, []);
  });
});

describe('the order of the kinds', () => {
  it('is that of the texts with the address in its place among them', () => {
    const subjects = ['host:a', 'path:/', 'ua:1'];
    for (let at = 0; at <= subjects.length; at++) {
      const { cache, ask } = setUp();
      const all = [...subjects.slice(0, at), IP, ...subjects.slice(at)];
      for (const subject of all) cache.keepVerdict(LookupSubject.parse(subject), entry(subject), 60);
      for (const first of all) {
        assert.deepEqual(ask(OPEN, all), first === IP ? toldOfAddress('cache') : told(first, 'cache'));
        cache.keepVerdict(LookupSubject.parse(first), null, 60);
      }
      assert.deepEqual(ask(OPEN, all), { action: 'allow', source: 'cache' });
    }
  });

  it('is that also of what the backend is asked', async () => {
    const { ask, sent, backend, asked } = setUp();
    const decision = ask(OPEN, ['host:a', IP, 'ua:1']);
    await sent();
    assert.deepEqual(asked(), [['host:a', IP, 'ua:1']]);
    backend.call(0).answer([{ entry: null }, { entry: entry(IP) }, { entry: entry('ua:1') }]);
    assert.deepEqual(await decision, told(IP, 'backend'));
  });
});

describe('a question without subjects', () => {
  it('is decided by policy', () => {
    const { ask } = setUp();
    assert.deepEqual(ask(CLOSED, []), { action: 'deny', source: 'policy', reason: 'no_subject', status: 503 });
  });

  it('because of a problem is decided by the policy for that', () => {
    const { ask } = setUp();
    assert.deepEqual(ask(CLOSED, [], { problem: 'bad_subject' }), {
      action: 'deny',
      source: 'policy',
      reason: 'bad_subject',
      status: 400,
    });
  });
});

describe('a question with a problem', () => {
  it('is denied by a cached deny, and else decided by policy', () => {
    const { cache, ask } = setUp();
    cache.keepVerdict(LookupSubject.parse(IP), entry(IP), 60);
    cache.keepVerdict(LookupSubject.parse(OTHER_IP), null, 60);
    assert.deepEqual(ask(OPEN, [IP], { problem: 'bad_subject' }), toldOfAddress('cache'));
    const refused: Decision = { action: 'deny', source: 'policy', reason: 'bad_subject', status: 400 };
    assert.deepEqual(ask(OPEN, [OTHER_IP], { problem: 'bad_subject' }), refused);
    assert.deepEqual(ask({ default: 'closed', bad_subject: 'open' }, [OTHER_IP], { problem: 'bad_subject' }), {
      action: 'allow',
      source: 'policy',
      reason: 'bad_subject',
    });
  });

  it('is refused because of it, whatever else is not known in time', async () => {
    const { ask, clock } = setUp();
    const decision = ask(OPEN, [IP], { problem: 'bad_subject' });
    clock.advance(DEADLINE_MS);
    assert.equal((await decision).reason, 'bad_subject');
  });

  it('asks for the others all the same', async () => {
    const { ask, backend, sent } = setUp();
    const decision = ask(OPEN, [IP], { problem: 'bad_subject' });
    await sent();
    backend.call(0).answer([{ entry: entry(IP) }]);
    assert.deepEqual(await decision, told(IP, 'backend'));
  });
});

describe('an odd path', () => {
  const PATH = 'path:/a/..%2Fb';
  const FREE: Decision = { action: 'allow', source: 'cache' };
  const allowed = (unlessAllowed?: Entry): Entry => ({
    ...entry('path:/a/*', 'allow'),
    ...(unlessAllowed && { unlessAllowed }),
  });
  const denied = entry('path:/*');

  it('is not allowed by an entry for it, wherever the verdict comes from', async () => {
    for (const [found, free] of [
      [allowed(), true],
      [allowed(denied), false],
      [null, true],
      [denied, false],
    ] as const)
      for (const from of ['cache', 'backend', 'stale'] as const) {
        const { ask, cache, backend, clock, sent } = setUp({ ifErrorSeconds: 600 });
        if (from !== 'backend') cache.keepVerdict(LookupSubject.parse(PATH), found, 60);
        if (from === 'stale') clock.advance(61_000);
        const asked = ask(CLOSED, [PATH], { odd: PATH });
        if (from === 'backend') await sent();
        if (from === 'backend') backend.call(0).answer([{ entry: found }]);
        if (from === 'stale') clock.advance(DEADLINE_MS);
        assert.deepEqual(await asked, free ? { ...FREE, source: from } : told('path:/*', from));
      }
  });

  it('leaves a deny of another subject, and an allow of one', () => {
    const { ask, cache } = setUp();
    cache.keepVerdict(LookupSubject.parse(PATH), allowed(), 60);
    cache.keepVerdict(LookupSubject.parse(IP), entry(IP), 60);
    assert.deepEqual(ask(OPEN, [IP, PATH], { odd: PATH }), toldOfAddress('cache'));
    assert.deepEqual(ask(OPEN, [PATH, IP], { odd: PATH }), toldOfAddress('cache'));
    cache.keepVerdict(LookupSubject.parse(OTHER_IP), entry(OTHER_IP, 'allow'), 60);
    cache.keepVerdict(LookupSubject.parse(PATH), denied, 60);
    assert.deepEqual(ask(OPEN, [OTHER_IP, PATH], { odd: PATH }), toldOfAddress('cache', 'allow'));
  });

  it('does not change what the same path means where it is spelled as it should be', () => {
    const { ask, cache } = setUp();
    cache.keepVerdict(LookupSubject.parse(PATH), allowed(denied), 60);
    assert.equal(ask(OPEN, [PATH], { odd: PATH }) instanceof Promise, false);
    const { unlessAllowed: _unlessAllowed, ...decision } = ask(OPEN, [PATH]) as Decision; // known
    assert.deepEqual(decision, told('path:/a/*', 'cache', 'allow'));
  });

  it('waits for what is missing, though an allow for it came first', async () => {
    const { ask, backend, sent } = setUp();
    const decision = ask(OPEN, [PATH, IP], { odd: PATH });
    await sent();
    backend.call(0).answer([{ entry: allowed() }, { entry: entry(IP) }]);
    assert.deepEqual(await decision, told(IP, 'backend'));
  });
});

describe('a question that the backend is asked', () => {
  it('is decided as soon as the last answer comes, in the order of its subjects', async () => {
    const { ask, backend, clock, sent, asked } = setUp();
    const first = ask(OPEN, ['a', 'b']);
    await sent();
    const second = ask(OPEN, ['c', 'a']);
    await sent();
    assert.deepEqual(asked(), [['a', 'b'], ['c']]);
    backend.call(1).answer([{ entry: entry('c') }]);
    backend.call(0).answer([{ entry: entry('a') }, { entry: entry('b') }]);
    assert.deepEqual(await first, told('a', 'backend'));
    assert.deepEqual(await second, told('c', 'backend'));
    clock.advance(1000);
    assert.equal(clock.timers, 0);
  });

  it('is an overload at the deadline if no call was made for it, and a timeout if the call hangs', async () => {
    const { ask, sent, clock, backend } = setUp({ maxCallsPerSecond: 10 });
    const throttled = ask(OPEN, ['ua:throttled']);
    await sent();
    backend.call(0).fail(new LookupError('overload', 'too many'));
    await settled();
    clock.advance(DEADLINE_MS - WINDOW_MS);
    assert.equal((await throttled).reason, 'overload');
    clock.advance(5000);
    const hanging = ask(OPEN, ['ua:hanging']);
    await sent();
    clock.advance(DEADLINE_MS);
    assert.equal((await hanging).reason, 'timeout');
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
    const { clock, engine } = setUp();
    const receivedAtMs = clock.nowMs();
    clock.advance(DEADLINE_MS - 10);
    const question = {
      policy: OPEN,
      address: new Address(),
      texts: ['a'],
      addressAt: 1,
      oddAt: -1,
      problem: undefined,
    };
    const decision = engine.decide(question, receivedAtMs);
    clock.advance(10);
    assert.deepEqual(await decision, { action: 'allow', source: 'policy', reason: 'timeout' });
  });

  it('is one whose verdict has ended', async () => {
    const { ask, backend, clock, cache, sent } = setUp();
    cache.keepVerdict(LookupSubject.parse(IP), entry(IP), 9); // too short to be renewed
    clock.advance(8_999);
    assert.ok(!(ask(OPEN, [IP]) instanceof Promise));
    clock.advance(1);
    const decision = ask(OPEN, [IP]);
    await sent();
    backend.call(0).answer([{ entry: null }]);
    assert.deepEqual(await decision, { action: 'allow', source: 'backend' });
  });

  it('stays denied at the deadline by what was known in time', async () => {
    const { ask, backend, clock, cache, sent } = setUp();
    cache.keepVerdict(LookupSubject.parse(IP), entry(IP), 60);
    const decision = ask(OPEN, [IP, 'a']);
    await sent();
    const other = ask(OPEN, ['b', 'c']);
    await sent();
    backend.call(1).answer([{ entry: entry('b') }, { error: 'throttled' }]);
    assert.deepEqual(await other, told('b', 'backend'));
    clock.advance(DEADLINE_MS);
    assert.deepEqual(await decision, toldOfAddress('cache'));
  });

  it('fills the cache with an answer that comes after the deadline', async () => {
    const { ask, backend, clock } = setUp();
    const decision = ask(OPEN, ['a']);
    clock.advance(DEADLINE_MS);
    assert.deepEqual(await decision, { action: 'allow', source: 'policy', reason: 'timeout' });
    assert.deepEqual(ask(OPEN, ['a']), { action: 'allow', source: 'policy', reason: 'timeout' }, 'nor again, at once');
    backend.call(0).answer([{ entry: entry('a') }]);
    await settled();
    assert.deepEqual(ask(OPEN, ['a']), told('a', 'cache'));
  });

  it('is one of many that meet their deadlines with one timer', async () => {
    const { ask, clock } = setUp();
    const decisions = Array.from({ length: 100 }, (_, index) => {
      if (index % 10 === 0) clock.advance(3);
      return ask(OPEN, [`s:${index}`]);
    });
    clock.advance(WINDOW_MS);
    assert.equal(clock.timers, 1);
    clock.advance(DEADLINE_MS);
    for (const decision of await Promise.all(decisions)) assert.equal(decision.reason, 'timeout');
    assert.equal(clock.timers, 0);
  });
});

describe('a question under overload', () => {
  const states = ['unknown', 'unlisted', 'deny', 'allow', 'stale', 'failed'] as const;
  const subject = fc.constantFrom(IP, OTHER_IP, 'host:a', 'host:b', 'ua:c');
  const questions = fc.record({
    subjects: fc.uniqueArray(subject, { minLength: 1 }).filter((all) => all.filter(isIp).length <= 1),
    states: fc.array(fc.constantFrom(...states), { minLength: 5, maxLength: 5 }),
    policy: fc.constantFrom(OPEN, CLOSED),
    problem: fc.constantFrom(undefined, 'bad_subject' as const),
  });

  it('is decided by the cached verdicts of all subjects, without a lookup, then or later', () => {
    fc.assert(
      fc.property(questions, ({ subjects, states, policy, problem }) => {
        const { cache, clock, backend, decideKnown } = setUp({ ifErrorSeconds: 600 });
        for (const [index, subject] of subjects.entries())
          if (states[index] === 'stale') cache.keepVerdict(LookupSubject.parse(subject), entry(subject), 60);
        clock.advance(61_000);
        const verdicts = subjects.map((subject, index): SubjectVerdict => {
          const plain = isIp(subject) ? toldOfAddress : (...more: Rest) => told(subject, ...more);
          switch (states[index]) {
            case 'unlisted':
              cache.keepVerdict(LookupSubject.parse(subject), null, 60);
              return { action: 'allow', source: 'cache' };
            case 'deny':
              cache.keepVerdict(LookupSubject.parse(subject), entry(subject), 60);
              return plain('cache');
            case 'allow':
              cache.keepVerdict(LookupSubject.parse(subject), entry(subject, 'allow'), 60);
              return plain('cache', 'allow');
            case 'stale':
              return plain('stale');
            case 'failed':
              return cache.keepFailure(LookupSubject.parse(subject), 'backend_error');
            default:
              return 'overload';
          }
        });
        const all = problem === undefined ? verdicts : [problem, ...verdicts];
        assert.deepEqual(decideKnown(policy, subjects, { problem }), combine(all, policy));
        assert.deepEqual([backend.calls.length, clock.timers], [0, 0]);
      }),
      { numRuns: 500 },
    );
  });

  it('leaves a verdict that is about to expire to be refreshed by the next question that may', async () => {
    const { cache, clock, ask, decideKnown, sent, asked } = setUp();
    cache.keepVerdict(LookupSubject.parse(IP), entry(IP), 60);
    clock.advance(57_000);
    assert.deepEqual(decideKnown(OPEN, [IP]), toldOfAddress('cache'));
    assert.deepEqual(ask(OPEN, [IP]), toldOfAddress('cache'));
    await sent();
    assert.deepEqual(asked(), [[IP]]);
  });
});

describe('a question with stale verdicts', () => {
  const world = () => {
    const all = setUp({ ifErrorSeconds: 600 });
    all.cache.keepVerdict(LookupSubject.parse(IP), entry(IP), 60);
    all.cache.keepVerdict(LookupSubject.parse('host:a'), entry('host:a', 'allow'), 60);
    all.clock.advance(61_000);
    return all;
  };

  it('is decided by that at the deadline', async () => {
    const { ask, clock, backend } = world();
    const decision = ask(OPEN, [IP]);
    const allowed = ask(CLOSED, ['host:a', 'ua:new']);
    assert.ok(decision instanceof Promise && allowed instanceof Promise);
    clock.advance(DEADLINE_MS);
    assert.deepEqual(await decision, toldOfAddress('stale'));
    assert.deepEqual(await allowed, told('host:a', 'stale', 'allow'));
    await settled();
    assert.equal(backend.calls.length, 1);
  });

  it('is decided by that when the call fails, and at once for as long as a failure is remembered', async () => {
    const { ask, sent, backend } = world();
    const decision = ask(OPEN, [IP]);
    await sent();
    backend.call(0).fail(new LookupError('backend_error', 'down'));
    assert.deepEqual(await decision, toldOfAddress('stale'));
    assert.deepEqual(ask(CLOSED, [IP]), toldOfAddress('stale'));
  });

  it('is decided by that at once when the breaker is open', async () => {
    const { ask, sent, backend } = world();
    for (let index = 0; index < 5; index++) {
      const decision = ask(OPEN, [`broken:${index}`]);
      await sent();
      backend.call(index).fail(new LookupError('backend_error', 'down'));
      await decision;
    }
    assert.deepEqual(ask(OPEN, [IP]), toldOfAddress('stale'));
    assert.deepEqual(ask(CLOSED, ['ua:new', 'host:a']), told('host:a', 'stale', 'allow'));
    assert.deepEqual(ask(OPEN, ['ua:new']), { action: 'allow', source: 'policy', reason: 'breaker_open' });
    assert.equal(backend.calls.length, 5);
  });

  it('is decided by the backend again as soon as that answers', async () => {
    const { ask, sent, backend } = world();
    const decision = ask(OPEN, [IP]);
    await sent();
    backend.call(0).answer([{ entry: null }]);
    assert.deepEqual(await decision, { action: 'allow', source: 'backend' });
  });
});

describe('a verdict that is used shortly before it expires', () => {
  it('is used at once, and refreshed once', async () => {
    for (const subject of [IP, OTHER_IP, 'host:a']) {
      const { ask, cache, clock, sent, backend, asked } = setUp();
      cache.keepVerdict(LookupSubject.parse(subject), null, 60);
      clock.advance(58_000);
      for (let times = 0; times < 3; times++) {
        assert.deepEqual(ask(OPEN, [subject]), { action: 'allow', source: 'cache' });
        await sent();
      }
      assert.deepEqual(asked(), [[subject]]);
      backend.call(0).answer([{ entry: entry(subject) }]);
      await settled();
      const expected = subject === 'host:a' ? told(subject, 'cache') : toldOfAddress('cache');
      assert.deepEqual(ask(OPEN, [subject]), expected);
      clock.advance(10_000);
      assert.deepEqual(ask(OPEN, [subject]), expected, 'it lives on');
    }
  });

  it('is used until it expires if the refresh fails', async () => {
    const { ask, cache, clock, sent, backend } = setUp();
    cache.keepVerdict(LookupSubject.parse(IP), entry(IP), 60);
    clock.advance(58_000);
    ask(OPEN, [IP]);
    await sent();
    backend.call(0).fail(new LookupError('timeout', 'slow'));
    await settled();
    assert.deepEqual(ask(OPEN, [IP]), toldOfAddress('cache'));
  });
});

describe('an allow entry', () => {
  it('decides as soon as it comes, whatever is still asked', async () => {
    const { ask, sent, backend, clock, asked } = setUp();
    ask(OPEN, ['slow']);
    await sent();
    const decision = ask(CLOSED, ['slow', 'fast']);
    await sent();
    assert.deepEqual(asked(), [['slow'], ['fast']]);
    backend.call(1).answer([{ entry: entry('fast', 'allow') }]);
    assert.deepEqual(await decision, told('fast', 'backend', 'allow'));
    clock.advance(1000);
    backend.call(0).answer([{ entry: entry('slow') }]);
    await settled();
    assert.equal(clock.timers, 0);
  });

  it('decides also where the rest is refused', () => {
    const { ask, cache } = setUp();
    cache.keepVerdict(LookupSubject.parse(IP), entry(IP, 'allow'), 60);
    assert.deepEqual(ask(CLOSED, ['host:a', IP], { problem: 'bad_subject' }), toldOfAddress('cache', 'allow'));
  });
});

describe('the promise of a decision', () => {
  it('is kept by the deadline and never broken, whatever the backend does', async () => {
    const answers: readonly ((world: ReturnType<typeof setUp>) => void)[] = [
      ({ backend }) => backend.call(0).fail(new Error('broken')),
      ({ backend }) => backend.call(0).fail(undefined),
      ({ backend }) => backend.call(0).answer(undefined as never),
      ({ backend }) => backend.call(0).answer([null as never]),
      ({ backend }) => backend.call(0).answer([{ entry: { action: 'deny' } as Entry }], Number.NaN),
      () => {},
    ];
    for (const answer of answers) {
      const world = setUp();
      const decision = world.ask(CLOSED, ['a', IP]);
      await world.sent();
      answer(world);
      await settled();
      world.clock.advance(DEADLINE_MS);
      assert.ok(['deny', 'allow'].includes((await decision).action));
    }
  });
});

describe('a flood of 100000 addresses', () => {
  const TOTAL = 100_000;
  const MAX_QUEUED = 10_000;
  const MAX_CALLED = 8 * 100;
  /** What 500 calls a second can ask within the deadline: 50 at once and 20 more. */
  const IN_TIME = 70 * 100;
  const address = (index: number) =>
    index % 2 === 0
      ? `ip:10.${index >> 16}.${(index >> 8) & 255}.${index & 255}`
      : `ip:2001:db8:${index >> 8}::${index & 255}`;

  it('leaves no more waiting than the bounds say when the backend hangs, and everybody is answered in time', async () => {
    const { ask, backend, clock } = setUp();
    const waiting: Promise<Decision>[] = [];
    const atOnce: Decision[] = [];
    for (let index = 0; index < TOTAL; index++) {
      const decision = ask(OPEN, [address(index)]);
      if (decision instanceof Promise) waiting.push(decision);
      else atOnce.push(decision);
      if (index === MAX_CALLED) await settled();
    }
    assert.equal(waiting.length, IN_TIME, 'whoever cannot be asked in time need not wait for that');
    assert.ok(atOnce.every(({ source, reason }) => source === 'policy' && reason === 'overload'));
    clock.advance(DEADLINE_MS);
    for (const decision of await Promise.all(waiting)) assert.equal(decision.reason, 'timeout');
    assert.equal(clock.timers, 0);
    assert.equal(backend.calls.length, 8);
    // The backend is up again: what it is asked is what was kept of the flood.
    let answered = 0;
    for (let done = 0; done < backend.calls.length; done++) {
      const call = backend.call(done);
      answered += call.subjects.length;
      call.answer(call.subjects.map(() => ({ entry: null })));
      await settled();
      clock.advance(100);
      await settled();
    }
    assert.equal(answered, MAX_CALLED + MAX_QUEUED);
    assert.equal(clock.timers, 0);
    assert.deepEqual(ask(OPEN, [address(0)]), { action: 'allow', source: 'cache' });
  });

  it('costs a failing backend five calls and then one in a while', async () => {
    const { ask, backend, clock } = setUp();
    const reasons = new Map<string | undefined, number>();
    const count = ({ reason }: Decision) => void reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
    let failed = 0;
    const startMs = clock.nowMs();
    for (let index = 0; index < TOTAL; index++) {
      const decision = ask(OPEN, [address(index)]);
      if (decision instanceof Promise) decision.then(count);
      else count(decision);
      if (index % 100 > 0) continue;
      clock.advance(10);
      await settled();
      for (; failed < backend.calls.length; failed++)
        backend.call(failed).fail(new LookupError('backend_error', 'down'));
    }
    clock.advance(DEADLINE_MS);
    await settled();
    // Ten seconds: eight at most at first, and after 0.5, 1.5, 3.5 and 7.5 seconds one.
    assert.equal(clock.nowMs() - startMs, 10_000 + DEADLINE_MS);
    assert.ok(backend.calls.length <= 8 + 4, `${backend.calls.length} calls`);
    assert.equal(
      [...reasons.values()].reduce((sum, each) => sum + each, 0),
      TOTAL,
    );
    assert.ok((reasons.get('breaker_open') ?? 0) > TOTAL * 0.95);
  });
});
