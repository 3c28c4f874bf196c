import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { VerdictCache } from '../../../agent/decision/cache.ts';
import { LookupError, type SubjectVerdict } from '../../../agent/decision/decision.ts';
import { Loader, type LoaderSettings } from '../../../agent/decision/loader.ts';
import { LookupSubject } from '../../../agent/decision/lookup-subject.ts';
import { isClientChosen, isKind, KINDS, lookupKeys, parseSubject } from '../../../contract/subject.ts';
import { HandClock } from '../../support/clock.ts';
import { ScriptedBackend } from '../../support/scripted-backend.ts';
import { settled } from '../../support/spop/conversation.ts';

const MAX_KEYS = 2000;
const LISTS = 5;
const NOTHING: SubjectVerdict = { action: 'allow', source: 'backend' };
/** Nine texts in five lists. */
const deep = (of: number) => `path:/${of}${'/a'.repeat(40)}`;
const address = (of: number) => `ip:10.0.${of >> 8}.${of & 255}`;

function setUp(changes: Partial<LoaderSettings> = {}) {
  const clock = new HandClock();
  const cache = new VerdictCache(
    { maxEntries: 100_000, allowTtlSeconds: 60, denyTtlSeconds: 60, policyTtlSeconds: 0 },
    { ifErrorSeconds: 0, revalidateSeconds: 5 },
    clock,
  );
  const backend = new ScriptedBackend();
  const loader = new Loader(backend, cache, clock, {
    maxConcurrent: 8,
    maxCallsPerSecond: 500,
    deadlineMs: 40,
    batch: { windowMs: 1, maxSubjects: 100 },
    chosen: { maxKeysPerSecond: MAX_KEYS, lists: LISTS },
    ...changes,
  });
  const got = new Map<string, SubjectVerdict>();
  const load = (subject: string) =>
    loader.load(LookupSubject.parse(subject), (verdict) => void got.set(subject, verdict));
  const pass = async (ms: number) => {
    for (let left = ms; left > 0; left--) {
      clock.advance(1);
      await settled();
    }
  };
  const asked = (kind: string) => backend.calls.flatMap(({ subjects }) => subjects.filter((of) => of.startsWith(kind)));
  /** Answers what was asked and not answered yet. */
  let answered = 0;
  const answerAll = async (
    lookup: (subject: string) => Parameters<ReturnType<typeof backend.call>['answer']>[0][0],
  ) => {
    for (; answered < backend.calls.length; answered++) {
      const call = backend.call(answered);
      call.answer(call.subjects.map(lookup));
    }
    await settled();
  };
  return { clock, backend, loader, load, got, pass, asked, answerAll };
}

describe('the kinds that clients choose', () => {
  it('are all but address, network and country', () => {
    const chosen = [...KINDS, 'header.x', 'cookie.x'].filter((kind) => isClientChosen(`${kind}:x`));
    assert.deepEqual(
      KINDS.filter((kind) => !chosen.includes(kind)),
      ['ip', 'country', 'asn'],
    );
    assert.ok(chosen.includes('header.x') && chosen.includes('cookie.x') && !isKind('x') && !isClientChosen('x:y'));
  });
});

describe('an address', () => {
  it('waits for no call about subjects that clients choose, however many are in flight or fail', async () => {
    for (const fails of [false, true]) {
      const { backend, load, got, pass, asked, answerAll } = setUp({ maxConcurrent: 8 });
      for (let of = 0; of < 3000; of++) {
        load(`ua:${of}`);
        load(deep(of));
        if (of % 100 === 0) await pass(1);
        if (fails && of % 500 === 499)
          for (const call of backend.calls) call.fail(new LookupError('backend_error', 'down'));
      }
      assert.equal(load(address(1)), undefined);
      await pass(1);
      assert.deepEqual(backend.calls.at(-1)?.subjects, [address(1)]);
      assert.ok(asked('').length > 1);
      await answerAll(() => ({ entry: null }));
      assert.deepEqual(got.get(address(1)), NOTHING);
    }
  });

  it('is never refused because of subjects that clients choose, and these stay within their budget, whatever comes', async () => {
    const step = fc.record({
      kind: fc.constantFrom(
        deep,
        (of: number) => `ua:${of}`,
        (of: number) => `host:h${of}.a.b.example`,
        address,
      ),
      count: fc.nat(60),
      ms: fc.nat(30),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), fc.integer({ min: 1, max: 32 }), async (steps, lists) => {
        const chosen = { maxKeysPerSecond: MAX_KEYS, lists };
        const { clock, load, pass, asked, answerAll } = setUp({ maxCallsPerSecond: 100_000, chosen });
        let next = 0;
        const startedMs = clock.nowMs();
        for (const { kind, count, ms } of steps) {
          for (let times = 0; times < count; times++) {
            const subject = kind(next++);
            const refused = load(subject);
            assert.ok(refused === undefined || (refused === 'overload' && isClientChosen(subject)), subject);
          }
          await pass(ms);
          await answerAll(() => ({ entry: null }));
        }
        await pass(10);
        const keys = asked('')
          .filter(isClientChosen)
          .reduce((sum, text) => sum + lookupKeys(parseSubject(text)).length * lists, 0);
        const seconds = (clock.nowMs() - startedMs) / 1000;
        assert.ok(keys <= MAX_KEYS * (seconds + 1) + 9 * lists, `${keys} keys in ${seconds} s`);
      }),
      { numRuns: 100 },
    );
  });

  it('that was throttled is retried in time, and subjects that clients choose are not, and are asked less from then on', async () => {
    const { load, got, pass, asked, answerAll } = setUp();
    load(address(1));
    load('ua:1');
    await pass(1);
    await answerAll(() => ({ error: 'could not be looked up', isOverload: true }));
    await pass(2);
    assert.deepEqual([asked('ip:'), asked('ua:')], [[address(1), address(1)], ['ua:1']]);
    assert.equal(got.get('ua:1'), 'overload');
    await answerAll(() => ({ entry: null }));
    assert.deepEqual(got.get(address(1)), NOTHING);
    for (let of = 2; of < 2000; of++) load(`ua:${of}`);
    await pass(1000);
    const before = asked('ua:').length;
    for (let of = 2000; of < 4000; of++) load(`ua:${of}`);
    await pass(10);
    assert.ok(asked('ua:').length - before <= MAX_KEYS / LISTS / 2, `${asked('ua:').length - before}`);
  });
});

describe('subjects that clients choose', () => {
  it('share the limits of calls with the addresses', async () => {
    const { backend, loader, load, pass } = setUp({
      maxConcurrent: 8,
      maxCallsPerSecond: 100,
      batch: { windowMs: 0, maxSubjects: 1 },
    });
    for (let of = 0; of < 100; of++) {
      load(`ua:${of}`);
      load(address(of));
    }
    await pass(1);
    assert.equal(loader.state.inFlight, 8);
    assert.equal(loader.state.callsPerSecond, 100);
    const kinds = backend.calls.map(({ subjects }) => subjects[0]?.split(':')[0]);
    assert.deepEqual([kinds.filter((kind) => kind === 'ua').length, kinds.length], [2, 8]);
  });

  it('have a breaker of their own, which is in the state', async () => {
    const { backend, loader, load, pass } = setUp();
    for (let of = 0; of < 5; of++) {
      load(`ua:${of}`);
      await pass(1);
      backend.call(of).fail(new LookupError('backend_error', 'down'));
      await settled();
    }
    assert.deepEqual([load('ua:9'), load(address(1)), loader.state.breaker], ['breaker_open', undefined, 'open']);
  });
});
