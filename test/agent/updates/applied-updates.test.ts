import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { VerdictCache } from '../../../agent/decision/cache.ts';
import type { Decision, SubjectVerdict } from '../../../agent/decision/decision.ts';
import { Loader } from '../../../agent/decision/loader.ts';
import { LookupSubject } from '../../../agent/decision/lookup-subject.ts';
import { AppliedUpdates } from '../../../agent/updates/applied-updates.ts';
import type { PageStep } from '../../../agent/updates/updates-step.ts';
import type { Entry } from '../../../contract/check.ts';
import { lookupKeysOf } from '../../../contract/subject.ts';
import { HandClock } from '../../support/clock.ts';
import { ScriptedBackend } from '../../support/scripted-backend.ts';
import { settled } from '../../support/spop/conversation.ts';

const START_MS = 1_790_000_000_000;

/** A page by which these have no entry any more. */
const pageOf = (subjects: readonly string[]): PageStep => ({
  kind: 'page',
  isStart: false,
  changes: subjects.map((subject) => ({ key: { subject, list: 'manual' }, entry: null })),
});

function setUp(maxEntries = 100_000, isMirrored = false) {
  const clock = new HandClock(START_MS);
  const cache = new VerdictCache(
    { maxEntries, allowTtlSeconds: 60, denyTtlSeconds: 300, policyTtlSeconds: 1 },
    { ifErrorSeconds: 600, revalidateSeconds: 0 },
    clock,
  );
  const backend = new ScriptedBackend();
  const batch = { windowMs: 1, maxSubjects: 1 };
  const loader = new Loader(backend, cache, clock, {
    maxConcurrent: 50,
    maxCallsPerSecond: 1e6,
    deadlineMs: 1e6,
    batch,
  });
  const target = { cache, loader };
  const updates = new AppliedUpdates(
    () => target,
    { apply: async () => {}, isAt: () => isMirrored },
    clock,
    () => ({ bootMs: clock.nowMs(), epochMs: clock.epochMs() }),
  );
  /** Applies a step to its end. */
  const apply = async ({ subjects = [], ...step }: Partial<PageStep> & { subjects?: readonly string[] }) => {
    let isDone = false;
    const applied = updates.apply({ ...pageOf(subjects), ...step }).then(() => (isDone = true));
    while (!isDone) {
      clock.advance(0);
      await settled();
    }
    await applied;
  };
  const fresh = (text: string): SubjectVerdict | undefined => {
    const { address } = LookupSubject.parse(text);
    const hit = address ? cache.lookupAddress(address, clock.nowMs()) : cache.lookup(text, clock.nowMs());
    return hit?.verdict;
  };
  const keep = (subject: string, entry: Entry | null) => cache.keepVerdict(LookupSubject.parse(subject), entry, 3600);
  /** What is known of a subject: the action while it is fresh, `stale ACTION`, or nothing. */
  const known = (text: string) => {
    const verdict = fresh(text) ?? cache.stale(LookupSubject.parse(text));
    if (verdict === undefined || typeof verdict === 'string') return verdict;
    return verdict.source === 'stale' ? `stale ${verdict.action}` : verdict.action;
  };
  return { clock, cache, backend, loader, updates, apply, fresh, keep, known };
}

const deny = (subject: string): Entry => ({ subject, list: 'manual', action: 'deny' });

describe('a change', () => {
  const covered: readonly (readonly [change: string, covers: readonly string[], not: readonly string[]])[] = [
    ['ip:198.51.100.7', ['ip:198.51.100.7'], ['ip:198.51.100.8']],
    ['198.51.100.7', ['ip:198.51.100.7'], ['ip:198.51.100.8']],
    ['ip:198.51.100.0/24', ['ip:198.51.100.0', 'ip:198.51.100.255'], ['ip:198.51.101.0', 'ip:2001:db8::1']],
    ['ip:10.0.0.0/8', ['ip:10.0.0.0', 'ip:10.255.255.255'], ['ip:11.0.0.0', 'ip:9.255.255.255']],
    ['ip:2001:db8::1', ['ip:2001:db8::1'], ['ip:2001:db8::2']],
    ['ip:2001:db8::/64', ['ip:2001:db8::1', 'ip:2001:db8::/64', 'ip:2001:db8::ffff:0:0:1'], ['ip:2001:db8:0:1::1']],
    ['ip:2001:db8::/32', ['ip:2001:db8::1', 'ip:2001:db8:ffff::'], ['ip:2001:db9::']],
    ['ip:2001:d80::/28', ['ip:2001:d8f::1'], ['ip:2001:d90::1']],
    ['host:shop.example', ['host:shop.example'], ['host:a.shop.example']],
    ['host:*.shop.example', ['host:a.shop.example', 'host:b.a.shop.example'], ['host:shop.example']],
    ['path:/a', ['path:/a'], ['path:/a/b']],
    ['path:/a/*', ['path:/a/', 'path:/a/b/c', 'path:/a/b/*'], ['path:/a', 'path:/ab']],
    ['country:DE', ['country:DE'], ['country:FR']],
  ];
  for (const [change, covers, not] of covered)
    it(`of ${change} ends what it covers, and nothing else`, async () => {
      const { apply, keep, known } = setUp();
      const every = [...covers, ...not];
      for (const subject of every) keep(subject, null);
      await apply({ subjects: [change] });
      assert.deepEqual(
        every.filter((subject) => known(subject) === undefined),
        covers,
      );
      for (const subject of every) keep(subject, deny(subject));
      await apply({ subjects: [change] });
      assert.deepEqual(
        every.filter((subject) => known(subject) === 'stale deny'),
        covers,
      );
      for (const subject of every) keep(subject, null);
      assert.deepEqual([...new Set(every.map(known))], ['allow'], 'what is kept after it stays');
    });

  it('of what no lookup asks for does nothing', async () => {
    const { apply, keep, known } = setUp();
    keep('ip:198.51.100.7', null);
    await apply({ subjects: ['', 'ip:', 'nonsense', 'ip:198.51.100.7/x', 'ip:198.51.100.7/24', 'ip:0.0.0.0/0', '\0'] });
    assert.equal(known('ip:198.51.100.7'), 'allow');
  });

  it('has a known deny asked about at once', async () => {
    const { clock, apply, keep, known, backend } = setUp();
    for (const subject of ['ip:198.51.100.7', 'host:a.example']) keep(subject, deny(subject));
    keep('ip:198.51.100.8', null);
    await apply({ subjects: ['ip:198.51.100.7', 'host:a.example', 'ip:198.51.100.8'] });
    clock.advance(1);
    assert.deepEqual(
      backend.calls.flatMap(({ subjects }) => subjects),
      ['ip:198.51.100.7', 'host:a.example'],
    );
    backend.call(0).answer([{ entry: null }]);
    backend.call(1).fail(new Error('no'));
    await settled();
    assert.deepEqual(['ip:198.51.100.7', 'host:a.example'].map(known), ['allow', 'stale deny']);
  });

  it('does not keep the answers of lookups under way, and shares them with nobody', async () => {
    const { apply, fresh, backend, loader } = setUp();
    const subject = LookupSubject.parse('ip:198.51.100.7');
    const answers: SubjectVerdict[] = [];
    const ask = async () => {
      loader.load(subject, (verdict) => answers.push(verdict));
      await settled();
    };
    await ask();
    await apply({ subjects: ['ip:198.51.100.0/24'] });
    await ask();
    assert.equal(backend.calls.length, 2);
    backend.call(0).answer([{ entry: null }]);
    await settled();
    assert.deepEqual(
      [answers.map((verdict) => (verdict as Decision).action), fresh('ip:198.51.100.7')],
      [['allow'], undefined],
    );
    backend.call(1).answer([{ entry: deny('ip:198.51.100.7') }]);
    await settled();
    assert.deepEqual((answers[1] as Decision).action, 'deny');
    assert.equal((fresh('ip:198.51.100.7') as Decision).action, 'deny');
    await loader.idle();
  });

  it('leaves nothing of what a mirror knows better, and asks nobody about it', async () => {
    const { backend, apply, keep, known } = setUp(100, true);
    keep('ip:198.51.100.7', deny('ip:198.51.100.7'));
    await apply({ subjects: ['ip:198.51.100.7'] });
    assert.equal(known('ip:198.51.100.7'), undefined);
    assert.equal(backend.calls.length, 0);
  });

  it('ends what an entry in another spelling means', async () => {
    const { apply, keep, known } = setUp();
    keep('ip:198.51.100.7', null);
    await apply({ changes: [{ key: { subject: '198.51.100.7', list: 'manual' }, entry: deny('ip:198.51.100.7') }] });
    assert.equal(known('ip:198.51.100.7'), undefined);
  });

  it('reaches every address of a large table in slices, while it changes', async () => {
    const { clock, updates, keep, known, cache } = setUp();
    const address = (n: number) => `ip:10.${n >> 16}.${(n >> 8) & 255}.${n & 255}`;
    for (let n = 0; n < 100_000; n++) keep(address(n), null);
    let isDone = false;
    const applied = updates.apply(pageOf(['ip:10.0.0.0/8'])).then(() => (isDone = true));
    let slices = 0;
    for (let n = 0; !isDone; slices++) {
      await settled();
      for (let more = 0; more < 20_000; more++) keep(`ip:172.${16 + (n >> 16)}.${(n >> 8) & 255}.${n++ & 255}`, null);
      clock.advance(0);
    }
    await applied;
    assert.ok(slices >= 3, `${slices} slices`);
    for (let n = 0; n < 100_000; n++) assert.equal(known(address(n)), undefined, address(n));
    assert.ok(cache.state.entries > 50_000);
  });
});

describe('a start at the end of the log', () => {
  it('changes nothing the first time, and ends everything as fresh when it is not the first', async () => {
    const { apply, keep, known } = setUp();
    const subjects = ['ip:198.51.100.7', 'ip:2001:db8::1', 'host:a.example'];
    for (const subject of subjects) keep(subject, null);
    await apply({ isStart: true });
    assert.deepEqual(subjects.map(known), ['allow', 'allow', 'allow']);
    keep('ip:198.51.100.7', deny('ip:198.51.100.7'));
    await apply({ isStart: true });
    assert.deepEqual(subjects.map(known), ['stale deny', 'stale allow', 'stale allow']);
    for (const subject of subjects) keep(subject, null);
    assert.deepEqual(subjects.map(known), ['allow', 'allow', 'allow']);
  });
});

describe('a start of a process that replaces another one', () => {
  it('ends everything as fresh also where nothing came before: a change may have been told to others alone', async () => {
    const { apply, keep, known } = setUp();
    keep('ip:198.51.100.7', null);
    await apply({ isStart: true, isAgain: true });
    assert.equal(known('ip:198.51.100.7'), 'stale allow');
  });
});

describe('the age', () => {
  it('is that of the proof when it was asked for, and the time since; without a proof there is none', async () => {
    const { clock, apply, updates } = setUp();
    assert.equal(updates.ageMs, Number.POSITIVE_INFINITY);
    const askedAt = { bootMs: clock.nowMs(), epochMs: clock.epochMs() };
    clock.advance(200);
    await apply({ proof: { askedAt, ageMs: 700 } });
    assert.equal(updates.ageMs, 900);
    clock.advance(5000);
    assert.equal(updates.ageMs, 5900);
    await apply({});
    assert.equal(updates.ageMs, Number.POSITIVE_INFINITY);
  });
});

const KEYS = [
  ...['ip:10.0.0.1', 'ip:10.0.0.0/24', 'ip:10.0.0.0/8', 'ip:2001:db8::1', 'ip:2001:db8::/32', 'host:a.example'],
  ...['host:*.example', 'path:/a', 'path:/a/*', 'country:DE'],
];
const ASKED = [
  ...['ip:10.0.0.1', 'ip:10.0.0.2', 'ip:10.1.0.1', 'ip:2001:db8::1', 'ip:2001:db8:1::', 'host:a.example'],
  ...['host:b.a.example', 'path:/a', 'path:/a/b', 'country:DE'],
];

const act = fc.oneof(
  { weight: 3, arbitrary: fc.record({ put: fc.constantFrom(...KEYS), allow: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ remove: fc.constantFrom(...KEYS) }) },
  { weight: 8, arbitrary: fc.record({ ask: fc.constantFrom(...ASKED) }) },
  { weight: 6, arbitrary: fc.record({ answer: fc.nat(10), fails: fc.boolean() }) },
  { weight: 3, arbitrary: fc.constant({ poll: true } as const) },
  { weight: 1, arbitrary: fc.constant({ restart: true } as const) },
  { weight: 2, arbitrary: fc.record({ wait: fc.constantFrom(1, 100, 30_000, 61_000) }) },
);

describe('an answer', () => {
  it('that is asked for after a page was applied is never older than the changes in it', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(act, { minLength: 20, maxLength: 80 }), async (acts) => {
        const { clock, apply, fresh, backend, loader } = setUp();
        const table = new Map<string, Entry>();
        /** The winner of each subject, before and after each change. */
        const winners: Record<string, string>[] = [];
        const changed: string[] = [];
        let applied = 0;
        let answered = 0;
        const read: Record<string, Entry | null>[] = [];
        const winner = (subject: string) =>
          lookupKeysOf(subject)
            .map((key) => table.get(key))
            .find((entry) => entry !== undefined) ?? null;
        const told = (reason: string | undefined, action: string) => `${action} ${reason ?? ''}`;
        const note = () =>
          winners.push(
            Object.fromEntries(
              ASKED.map((subject) => [subject, told(winner(subject)?.reason, winner(subject)?.action ?? 'allow')]),
            ),
          );
        note();
        const check = (subject: string, since: number, verdict: SubjectVerdict) => {
          if (typeof verdict === 'string' || verdict.source === 'stale') return; // failed, and told so
          const allowed = winners.slice(since).map((each) => each[subject]);
          const is = told(verdict.reason, verdict.action);
          assert.ok(allowed.includes(is), `${subject}: ${is} is none of ${allowed.join(' | ')}`);
        };
        /** Each call reads the table as it is when it is sent, and answers later. */
        const sent = async () => {
          await settled();
          for (let call = read.length; call < backend.calls.length; call++)
            read.push(Object.fromEntries(backend.call(call).subjects.map((one) => [one, winner(one)])));
        };
        const ask = async (subject: string) => {
          const since = applied;
          const hit = fresh(subject);
          if (hit !== undefined) return check(subject, since, hit);
          loader.load(LookupSubject.parse(subject), (verdict) => check(subject, since, verdict));
          await sent();
        };
        const answer = async (fails: boolean) => {
          const call = backend.calls[answered];
          if (call === undefined) return;
          const found = read[answered++] ?? {};
          if (fails) call.fail(new Error('no'));
          else
            call.answer(
              call.subjects.map((subject) => ({ entry: found[subject] ?? null })),
              3600,
            );
          await settled();
        };
        const poll = async () => {
          const subjects = changed.slice(applied);
          await apply({ subjects });
          applied = changed.length;
          await sent();
        };
        await apply({ isStart: true });
        for (const [index, one] of acts.entries()) {
          if ('put' in one || 'remove' in one) {
            const key = 'put' in one ? one.put : one.remove;
            if ('remove' in one) table.delete(key);
            else table.set(key, { ...deny(key), action: one.allow ? 'allow' : 'deny', reason: `${index}` });
            changed.push(key);
            note();
          } else if ('ask' in one) await ask(one.ask);
          else if ('answer' in one) await answer(one.fails);
          else if ('poll' in one) await poll();
          else if ('restart' in one) {
            applied = changed.length; // the changes before are not told
            await apply({ isStart: true });
          } else clock.advance(one.wait);
        }
        await poll();
        while (answered < backend.calls.length) await answer(false);
        clock.advance(60_000); // no failed lookup is remembered any more, and the breaker lets a call through
        for (const subject of ASKED) {
          await ask(subject);
          while (answered < backend.calls.length) await answer(false);
          const hit = fresh(subject) as Decision;
          assert.equal(told(hit.reason, hit.action), winners.at(-1)?.[subject], `${subject} when all is quiet`);
        }
      }),
      { numRuns: 60 },
    );
  });
});
