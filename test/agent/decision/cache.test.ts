import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { VerdictCache } from '../../../agent/decision/cache.ts';
import { maxHeapBytes } from '../../../agent/decision/cache-memory.ts';
import type { CacheSettings, StaleSettings } from '../../../agent/decision/cache-settings.ts';
import { decisionOf, type SubjectVerdict } from '../../../agent/decision/decision.ts';
import { LookupSubject } from '../../../agent/decision/lookup-subject.ts';
import { TICK_MS } from '../../../agent/decision/ticks.ts';
import type { Entry } from '../../../contract/check.ts';
import { HandClock } from '../../support/clock.ts';

const settings: CacheSettings = { maxEntries: 100, allowTtlSeconds: 60, denyTtlSeconds: 300, policyTtlSeconds: 2 };
const staleSettings: StaleSettings = { ifErrorSeconds: 600, revalidateSeconds: 5 };
const NOW_SECONDS = 1_790_000_000;
/** One subject for each place that the cache has. */
const SUBJECTS = ['ip:203.0.113.7', 'ip:2001:db8::1', 'host:shop.example'] as const;
const [SUBJECT] = SUBJECTS;
const NETWORK = 'ip:203.0.113.0/24';
const deny = (more: Partial<Entry> = {}): Entry => ({ subject: NETWORK, list: 'manual', action: 'deny', ...more });
const allow = (more: Partial<Entry> = {}): Entry => deny({ action: 'allow', ...more });
const DENIED: SubjectVerdict = { action: 'deny', source: 'cache', list: 'manual', entry: NETWORK };
const DENIED_STALE: SubjectVerdict = { ...DENIED, source: 'stale' };

function setUp(changes: Partial<CacheSettings & StaleSettings> = {}) {
  const clock = new HandClock(NOW_SECONDS * 1000);
  const cache = new VerdictCache({ ...settings, ...changes }, { ...staleSettings, ...changes }, clock);
  const hit = (subject: string) => hitOf(cache, subject, clock.nowMs());
  const recall = (subject: string) => hit(subject)?.verdict;
  const msUntil = (isOver: () => boolean) => {
    const startMs = clock.nowMs();
    while (!isOver()) clock.advance(TICK_MS);
    return clock.nowMs() - startMs;
  };
  /** For how many milliseconds what is kept now is told as fresh, and may be told at all. */
  const lifeMs = (subject: string) => msUntil(() => recall(subject) === undefined);
  const keptMs = (subject: string) => msUntil(() => cache.stale(LookupSubject.parse(subject)) === undefined);
  const isDue = (subject: string) => hit(subject)?.isRefreshDue === true;
  return { clock, cache, recall, lifeMs, keptMs, isDue };
}

function hitOf(cache: VerdictCache, subject: string, nowMs: number) {
  const { address, text } = LookupSubject.parse(subject);
  return address === undefined ? cache.lookup(text, nowMs) : cache.lookupAddress(address, nowMs);
}

describe('a verdict', () => {
  const lives: readonly (readonly [what: string, entry: Entry | null, ttlSeconds: number, lifeMs: number])[] = [
    ['of nothing, as long as an allow', null, 1000, 60_000],
    ['that allows', allow(), 1000, 60_000],
    ['that denies', deny(), 1000, 300_000],
    ['for no longer than the backend allows', deny(), 30, 30_000],
    ['not at all if the backend says so', deny(), 0, 0],
    ['for no longer than its entry lasts', deny({ expiresAt: NOW_SECONDS + 10 }), 1000, 10_000],
    ['for its own time if its entry lasts longer', deny({ expiresAt: NOW_SECONDS + 10_000 }), 1000, 300_000],
    ['for its own time if its entry lasts for ages', deny({ expiresAt: Number.MAX_SAFE_INTEGER }), 1000, 300_000],
    ['not at all if its entry ends now', deny({ expiresAt: NOW_SECONDS }), 1000, 0],
    ['not at all if its entry has ended', deny({ expiresAt: NOW_SECONDS - 1 }), 1000, 0],
    ['not at all if its entry ended in 1970', deny({ expiresAt: 0 }), 1000, 0],
    ['for a short time if the backend and the entry are at odds', deny({ expiresAt: NOW_SECONDS + 5 }), 3, 3000],
  ];
  for (const [what, entry, ttlSeconds, expectedMs] of lives)
    it(`is kept ${what}`, () => {
      for (const subject of SUBJECTS) {
        const { cache, lifeMs } = setUp();
        cache.keepVerdict(LookupSubject.parse(subject), entry, ttlSeconds);
        assert.equal(lifeMs(subject), expectedMs, subject);
      }
    });

  it('ends exactly at its time', () => {
    for (const subject of SUBJECTS) {
      const { cache, clock, recall } = setUp();
      cache.keepVerdict(LookupSubject.parse(subject), deny({ expiresAt: NOW_SECONDS + 10 }), 1000);
      clock.advance(9999);
      assert.ok(recall(subject));
      clock.advance(1);
      assert.equal(recall(subject), undefined);
    }
  });

  it('is not kept longer by being read', () => {
    for (const subject of SUBJECTS) {
      const { cache, clock, recall } = setUp();
      cache.keepVerdict(LookupSubject.parse(subject), null, 60);
      for (let second = 0; second < 59; second++) {
        clock.advance(1000);
        assert.ok(recall(subject));
      }
      clock.advance(1000);
      assert.equal(recall(subject), undefined);
    }
  });

  it('never lives longer for being counted in ticks, and at most one tick shorter', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...SUBJECTS),
        fc.nat(1000),
        fc.nat(1000),
        fc.integer({ min: 1, max: 20 }),
        fc.option(fc.integer({ min: 1, max: 20 }), { nil: undefined }),
        (subject, atMs, epochMs, ttlSeconds, endsInSeconds) => {
          const clock = new HandClock(NOW_SECONDS * 1000 - epochMs);
          clock.advance(atMs);
          const cache = new VerdictCache(settings, { ifErrorSeconds: 7, revalidateSeconds: 0 }, clock);
          const expiresAt = endsInSeconds === undefined ? undefined : NOW_SECONDS + endsInSeconds;
          const isFresh = () => hitOf(cache, subject, clock.nowMs()) !== undefined;
          cache.keepVerdict(
            LookupSubject.parse(subject),
            deny(expiresAt === undefined ? {} : { expiresAt }),
            ttlSeconds,
          );
          const endsInMs = expiresAt === undefined ? Number.POSITIVE_INFINITY : expiresAt * 1000 - clock.epochMs();
          const freshMs = Math.min(ttlSeconds * 1000, endsInMs);
          const usableMs = Math.min(freshMs + 7000, endsInMs);
          const startMs = clock.nowMs();
          const goTo = (ms: number) => clock.advance(Math.max(0, startMs + ms - clock.nowMs()));
          goTo(freshMs - TICK_MS);
          if (freshMs > TICK_MS) assert.ok(isFresh());
          goTo(freshMs);
          assert.ok(!isFresh());
          goTo(usableMs - TICK_MS);
          if (clock.nowMs() === startMs + usableMs - TICK_MS) assert.ok(cache.stale(LookupSubject.parse(subject)));
          goTo(usableMs);
          assert.equal(cache.stale(LookupSubject.parse(subject)), undefined);
        },
      ),
      { numRuns: 1000 },
    );
  });

  it('is the same decision each time, so that its bytes are made once', () => {
    for (const [one, other, third] of [
      ['ip:192.0.2.1', 'ip:192.0.2.2', 'ip:192.0.2.3'],
      ['ip:2001:db8::1', 'ip:2001:db8::2', 'ip:2001:db8::3'],
      ['host:a', 'host:b', 'host:c'],
    ] as const) {
      const { cache, recall } = setUp();
      cache.keepVerdict(LookupSubject.parse(one), deny({ reason: 'abuse', status: 429 }), 60);
      cache.keepVerdict(LookupSubject.parse(other), null, 60);
      cache.keepVerdict(LookupSubject.parse(third), null, 60);
      assert.equal(recall(one), recall(one));
      assert.equal(recall(other), recall(third));
      assert.deepEqual(recall(one), { ...DENIED, reason: 'abuse', status: 429 });
      assert.deepEqual(recall(other), { action: 'allow', source: 'cache' });
    }
    assert.equal(decisionOf(null, 'backend'), decisionOf(null, 'backend'));
  });

  it('is told to whoever waited for it as one of the backend', () => {
    const { cache } = setUp();
    assert.deepEqual(cache.keepVerdict(LookupSubject.parse(SUBJECT), deny({ subject: SUBJECT }), 60), {
      ...DENIED,
      source: 'backend',
      entry: SUBJECT,
    });
    assert.deepEqual(cache.keepVerdict(LookupSubject.parse(SUBJECT), null, 60), { action: 'allow', source: 'backend' });
  });

  it('of an entry that is over by this host’s clock says that nothing is listed', () => {
    for (const entry of [deny({ expiresAt: NOW_SECONDS }), allow({ expiresAt: NOW_SECONDS - 100 })]) {
      const { cache } = setUp();
      assert.deepEqual(cache.keepVerdict(LookupSubject.parse(SUBJECT), entry, 60), {
        action: 'allow',
        source: 'backend',
      });
    }
  });

  it('replaces what was known', () => {
    for (const subject of SUBJECTS) {
      const { cache, recall } = setUp();
      cache.keepFailure(LookupSubject.parse(subject), 'timeout');
      cache.keepVerdict(LookupSubject.parse(subject), deny(), 60);
      assert.deepEqual(recall(subject), DENIED);
      cache.keepVerdict(LookupSubject.parse(subject), null, 60);
      assert.deepEqual(recall(subject), { action: 'allow', source: 'cache' });
    }
  });

  it('replaces what was known also when it may not be kept itself', () => {
    for (const subject of SUBJECTS)
      for (const [entry, ttlSeconds] of [
        [null, 0],
        [deny({ expiresAt: NOW_SECONDS - 1 }), 60],
      ] as const) {
        const { cache, recall } = setUp();
        cache.keepVerdict(LookupSubject.parse(subject), deny(), 60);
        cache.keepVerdict(LookupSubject.parse(subject), entry, ttlSeconds);
        assert.equal(recall(subject), undefined);
        assert.equal(cache.stale(LookupSubject.parse(subject)), undefined, 'what the backend has taken back');
      }
  });
});

describe('the entry of an address', () => {
  it('is named as the address itself where it is that, so that all such addresses share one object', () => {
    for (const addresses of [
      ['ip:192.0.2.1', 'ip:192.0.2.2'],
      ['ip:2001:db8::1', 'ip:2001:db8::2'],
    ] as const) {
      const { cache, recall } = setUp();
      for (const subject of addresses) cache.keepVerdict(LookupSubject.parse(subject), deny({ subject }), 60);
      assert.deepEqual(recall(addresses[0]), { action: 'deny', source: 'cache', list: 'manual', ofAddress: true });
      assert.equal(recall(addresses[0]), recall(addresses[1]));
    }
  });

  it('is named by its text where it is a network', () => {
    const { cache, recall } = setUp();
    cache.keepVerdict(LookupSubject.parse('ip:203.0.113.7'), deny(), 60);
    cache.keepVerdict(LookupSubject.parse('ip:203.0.113.8'), deny(), 60);
    assert.deepEqual(recall('ip:203.0.113.7'), DENIED);
    assert.equal(recall('ip:203.0.113.7'), recall('ip:203.0.113.8'));
  });

  it('of another kind is always named by its text', () => {
    const { cache, recall } = setUp();
    cache.keepVerdict(LookupSubject.parse('host:a'), deny({ subject: 'host:a' }), 60);
    assert.deepEqual(recall('host:a'), { ...DENIED, entry: 'host:a' });
  });

  it('is that address also when it is stale', () => {
    const { cache, clock } = setUp();
    cache.keepVerdict(LookupSubject.parse(SUBJECT), deny({ subject: SUBJECT }), 60);
    clock.advance(61_000);
    const { entry: _entry, ...rest } = DENIED_STALE as Exclude<SubjectVerdict, string>;
    assert.deepEqual(cache.stale(LookupSubject.parse(SUBJECT)), { ...rest, ofAddress: true });
  });
});

describe('a failure', () => {
  it('is remembered for the policy’s lifetime', () => {
    for (const subject of SUBJECTS) {
      const { cache, recall, lifeMs } = setUp();
      assert.equal(cache.keepFailure(LookupSubject.parse(subject), 'backend_error'), 'backend_error');
      assert.equal(recall(subject), 'backend_error');
      assert.equal(lifeMs(subject), 2000);
    }
  });

  it('is not remembered when that lifetime is 0', () => {
    for (const subject of SUBJECTS) {
      const { cache, recall } = setUp({ policyTtlSeconds: 0 });
      assert.equal(cache.keepFailure(LookupSubject.parse(subject), 'backend_error'), 'backend_error');
      assert.equal(recall(subject), undefined);
    }
  });

  it('is replaced by the next one', () => {
    const { cache, recall } = setUp();
    cache.keepFailure(LookupSubject.parse(SUBJECT), 'backend_error');
    cache.keepFailure(LookupSubject.parse(SUBJECT), 'timeout');
    assert.equal(recall(SUBJECT), 'timeout');
  });

  it('never is a stale verdict', () => {
    const { cache } = setUp();
    cache.keepFailure(LookupSubject.parse(SUBJECT), 'backend_error');
    assert.equal(cache.stale(LookupSubject.parse(SUBJECT)), undefined);
  });

  it('does not overwrite a verdict that is still fresh, and is answered with that', () => {
    for (const subject of SUBJECTS) {
      const { cache, recall, clock, lifeMs } = setUp();
      cache.keepVerdict(LookupSubject.parse(subject), deny(), 60);
      clock.advance(57_000);
      assert.deepEqual(cache.keepFailure(LookupSubject.parse(subject), 'timeout'), DENIED_STALE);
      assert.deepEqual(recall(subject), DENIED);
      assert.equal(lifeMs(subject), 3000);
    }
  });

  it('after a verdict is answered with that for the policy’s lifetime, before it is asked again', () => {
    for (const subject of SUBJECTS) {
      const { cache, recall, clock, lifeMs } = setUp();
      cache.keepVerdict(LookupSubject.parse(subject), deny(), 60);
      for (let round = 0; round < 3; round++) {
        clock.advance(60_000);
        assert.equal(recall(subject), undefined);
        assert.deepEqual(cache.keepFailure(LookupSubject.parse(subject), 'timeout'), DENIED_STALE);
        assert.deepEqual(recall(subject), DENIED_STALE);
        assert.equal(lifeMs(subject), 2000);
      }
    }
  });

  it('does not let a stale verdict live on past its time, however often it fails', () => {
    for (const subject of SUBJECTS) {
      const { cache, clock, keptMs } = setUp();
      cache.keepVerdict(LookupSubject.parse(subject), deny(), 60);
      const timer = () => {
        cache.keepFailure(LookupSubject.parse(subject), 'timeout');
        clock.after(1700, timer);
      };
      timer();
      assert.equal(keptMs(subject), 660_000);
    }
  });

  it('is told as itself once the verdict before it is too old', () => {
    for (const subject of SUBJECTS) {
      const { cache, recall, clock } = setUp();
      cache.keepVerdict(LookupSubject.parse(subject), deny(), 60);
      clock.advance(660_000);
      assert.equal(cache.keepFailure(LookupSubject.parse(subject), 'timeout'), 'timeout');
      assert.equal(recall(subject), 'timeout');
    }
  });
});

describe('a verdict past its lifetime', () => {
  it('may be used for as long as the settings say, and says that it is stale', () => {
    for (const subject of SUBJECTS) {
      const { cache, clock, recall, keptMs } = setUp();
      cache.keepVerdict(LookupSubject.parse(subject), deny(), 60);
      clock.advance(60_000);
      assert.equal(recall(subject), undefined);
      assert.deepEqual(cache.stale(LookupSubject.parse(subject)), DENIED_STALE);
      assert.equal(keptMs(subject), 600_000);
    }
  });

  it('may not be used once its entry has ended', () => {
    for (const subject of SUBJECTS) {
      const { cache, keptMs } = setUp();
      cache.keepVerdict(LookupSubject.parse(subject), deny({ expiresAt: NOW_SECONDS + 90 }), 60);
      assert.equal(keptMs(subject), 90_000);
    }
  });

  it('has what wins where an allow does not count, for as long as that lasts', () => {
    const PATH = 'path:/a';
    const next = { subject: 'path:/*', list: 'manual', action: 'deny' } as const;
    const allowed = (expiresAt?: number) => ({
      ...{ subject: PATH, list: 'manual', action: 'allow' as const },
      unlessAllowed: { ...next, ...(expiresAt !== undefined && { expiresAt }) },
    });
    const { cache, clock, keptMs } = setUp();
    const told = (source: 'cache' | 'stale') => ({
      ...{ action: 'allow', source, list: 'manual', entry: PATH },
      unlessAllowed: { action: 'deny', source, list: 'manual', entry: 'path:/*' },
    });
    cache.keepVerdict(LookupSubject.parse(PATH), allowed(), 60);
    assert.deepEqual(cache.lookup(PATH, clock.nowMs())?.verdict, told('cache'));
    assert.deepEqual(cache.stale(LookupSubject.parse(PATH)), told('stale'));
    cache.keepVerdict(LookupSubject.parse(PATH), allowed(NOW_SECONDS + 90), 60);
    assert.equal(keptMs(PATH), 90_000);
    cache.keepVerdict(LookupSubject.parse(PATH), allowed(NOW_SECONDS), 60);
    const { unlessAllowed: _ended, ...alone } = told('cache');
    assert.deepEqual(cache.lookup(PATH, clock.nowMs())?.verdict, alone);
  });

  it('may not be used at all when the settings say so', () => {
    const { cache, clock, keptMs } = setUp({ ifErrorSeconds: 0 });
    cache.keepVerdict(LookupSubject.parse(SUBJECT), deny(), 60);
    assert.deepEqual(cache.stale(LookupSubject.parse(SUBJECT)), DENIED_STALE, 'before its end it may');
    assert.equal(keptMs(SUBJECT), 60_000);
    clock.advance(0);
    assert.equal(cache.keepFailure(LookupSubject.parse(SUBJECT), 'timeout'), 'timeout');
  });

  it('is not there for whoever was never looked up', () => {
    const { cache } = setUp();
    for (const subject of SUBJECTS) assert.equal(cache.stale(LookupSubject.parse(subject)), undefined);
  });
});

describe('a refresh', () => {
  it('is due once, when the verdict is used near its end', () => {
    for (const subject of SUBJECTS) {
      const { cache, clock, isDue } = setUp();
      cache.keepVerdict(LookupSubject.parse(subject), deny(), 60);
      clock.advance(55_000);
      assert.equal(isDue(subject), false, 'five seconds before its end');
      clock.advance(TICK_MS);
      assert.equal(isDue(subject), true);
      clock.advance(1000);
      assert.equal(isDue(subject), false, 'a second time');
    }
  });

  it('is due for each subject of its own', () => {
    const { cache, clock, isDue } = setUp();
    for (const subject of SUBJECTS) cache.keepVerdict(LookupSubject.parse(subject), deny(), 60);
    clock.advance(56_000);
    for (const subject of SUBJECTS) assert.equal(isDue(subject), true, subject);
    for (const subject of SUBJECTS) assert.equal(isDue(subject), false, subject);
  });

  it('is due again after a new verdict', () => {
    for (const subject of SUBJECTS) {
      const { cache, clock, isDue } = setUp();
      for (let round = 0; round < 3; round++) {
        cache.keepVerdict(LookupSubject.parse(subject), deny(), 60);
        assert.equal(isDue(subject), false);
        clock.advance(56_000);
        assert.equal(isDue(subject), true);
      }
    }
  });

  for (const [what, entry, ttlSeconds, expected] of [
    ['whose lifetime is less than twice its time', deny(), 9, false],
    ['whose lifetime is twice its time', deny(), 10, true],
    ['that ends with its entry: there is nothing new to learn', deny({ expiresAt: NOW_SECONDS + 20 }), 60, false],
    ['that ends before its entry', deny({ expiresAt: NOW_SECONDS + 30 }), 20, true],
    ['of nothing', null, 20, true],
  ] as const)
    it(`is ${expected ? '' : 'not '}due for a verdict ${what}`, () => {
      for (const subject of SUBJECTS) {
        const { cache, clock } = setUp();
        cache.keepVerdict(LookupSubject.parse(subject), entry, ttlSeconds);
        let dues = 0;
        for (let hit = hitOf(cache, subject, clock.nowMs()); hit; hit = hitOf(cache, subject, clock.nowMs())) {
          if (hit.isRefreshDue) dues++;
          clock.advance(TICK_MS);
        }
        assert.equal(dues, expected ? 1 : 0);
      }
    });

  it('is not due for a failure, nor for what is stale', () => {
    for (const subject of SUBJECTS) {
      const { cache, clock, isDue } = setUp({ policyTtlSeconds: 20 });
      cache.keepFailure(LookupSubject.parse(subject), 'timeout');
      clock.advance(19_000);
      assert.equal(isDue(subject), false);
      cache.keepVerdict(LookupSubject.parse(subject), deny(), 60);
      clock.advance(61_000);
      cache.keepFailure(LookupSubject.parse(subject), 'timeout');
      clock.advance(19_000);
      assert.equal(isDue(subject), false);
    }
  });
});

describe('the bounds', () => {
  it('let the least recently used text go first, and never hold more than so many', () => {
    const { cache, recall } = setUp({ maxEntries: 3 });
    const known = () =>
      ['a', 'b', 'c', 'd', 'e'].filter((name) => cache.stale(LookupSubject.parse(name)) !== undefined).join('');
    for (const name of ['a', 'b', 'c']) cache.keepVerdict(LookupSubject.parse(name), null, 60);
    recall('a');
    cache.keepVerdict(LookupSubject.parse('d'), null, 60);
    assert.equal(known(), 'acd');
    recall('c');
    recall('d');
    cache.keepVerdict(LookupSubject.parse('e'), null, 60);
    assert.equal(known(), 'cde');
  });

  it('hold in bytes too, so that long texts take the room of several', () => {
    const { cache, recall } = setUp({ maxEntries: 100 });
    const subjects = Array.from({ length: 100 }, (_, index) => `path:/${'x'.repeat(1000)}${100 + index}`);
    for (const subject of subjects) cache.keepVerdict(LookupSubject.parse(subject), null, 60);
    const kept = subjects.filter((subject) => recall(subject) !== undefined);
    assert.equal(kept.length, Math.floor((100 * 256) / (192 + 1009)));
    assert.deepEqual(kept, subjects.slice(-kept.length));
  });

  it('hold in bytes for what entries say too, of addresses and of other subjects', () => {
    const maxEntries = 10_000;
    const TABLES_BYTES = 2 * 16_384 * 32;
    const longest = (index: number) => ({
      reason: `Ж${index}${'x'.repeat(190)}`,
      vars: { body: `${index}${'y'.repeat(480)}` },
    });
    for (const prefix of ['ip:10.', 'ip:2001:db8::', 'host:h']) {
      const { cache, recall } = setUp({ maxEntries, denyTtlSeconds: 3600 });
      const subjects = Array.from({ length: maxEntries }, (_, index) =>
        prefix === 'ip:10.' ? `ip:10.0.${index >> 8}.${index & 255}` : `${prefix}${index.toString(16)}`,
      );
      subjects.forEach((subject, index) => {
        const told = cache.keepVerdict(LookupSubject.parse(subject), deny({ subject, ...longest(index) }), 3600);
        assert.equal(told.reason, longest(index).reason);
        assert.ok(cache.state.bytes <= TABLES_BYTES + maxHeapBytes(maxEntries) / 2, `${cache.state.bytes} bytes`);
      });
      const kept = subjects.filter((subject) => recall(subject) !== undefined);
      assert.ok(kept.length > 500 && kept.length < 5000, `${prefix}: ${kept.length} are kept`);
      assert.ok(recall(subjects.at(-1) ?? ''), 'the newest is among them');
    }
  });

  it('hold for texts among many addresses that share one, and after a restore', () => {
    const maxEntries = 10_000;
    const TABLES_BYTES = 600_000;
    const { cache, recall } = setUp({ maxEntries });
    const text = (index: number) => `${index}${'x'.repeat(195)}`;
    for (let index = 0; index < 3000; index++)
      cache.keepVerdict(LookupSubject.parse(`ip:10.0.${index >> 8}.${index & 255}`), deny(), 300);
    for (let index = 0; index < 3000; index++)
      cache.keepVerdict(LookupSubject.parse(`ip:2001:db8::${index.toString(16)}`), deny({ reason: text(index) }), 300);
    const smaller = setUp({ maxEntries: 3500 });
    smaller.cache.restore(cache.snapshot(), 0);
    for (const [one, poolBytes] of [
      [cache, maxEntries * 256],
      [smaller.cache, 1024 * 1024],
    ] as const)
      assert.ok(one.state.bytes <= poolBytes + TABLES_BYTES, `${one.state.bytes} bytes`);
    const shared = Array.from({ length: 3000 }, (_, index) => recall(`ip:10.0.${index >> 8}.${index & 255}`));
    assert.equal(shared.filter((each) => each !== undefined).length, 3000, 'they took nothing');
  });

  it('leave room for the longest subject in the smallest cache', () => {
    const { cache, recall } = setUp({ maxEntries: 1 });
    cache.keepVerdict(LookupSubject.parse('x'.repeat(1024)), null, 60);
    assert.ok(recall('x'.repeat(1024)));
  });

  it('keep addresses and texts apart: a flood of one does not touch the other', () => {
    const { cache, recall } = setUp();
    cache.keepVerdict(LookupSubject.parse('host:a'), deny(), 60);
    cache.keepVerdict(LookupSubject.parse('ip:2001:db8::1'), deny(), 60);
    for (let count = 0; count < 20_000; count++)
      cache.keepVerdict(LookupSubject.parse(`ip:10.0.${count >> 8}.${count & 255}`), null, 60);
    assert.ok(recall('host:a'));
    assert.ok(recall('ip:2001:db8::1'));
    for (let count = 0; count < 20_000; count++) cache.keepVerdict(LookupSubject.parse(`host:${count}`), null, 60);
    assert.ok(recall('ip:2001:db8::1'));
  });

  it('mix up no verdicts, whatever comes and goes', () => {
    const step = fc.record({
      subject: fc.oneof(
        fc.nat(40).map((number) => `ip:192.0.2.${number}`),
        fc.nat(40).map((number) => `ip:2001:db8::${(number + 1).toString(16)}`),
        fc.nat(10).map((number) => `host:${number}`),
      ),
      do: fc.constantFrom('deny', 'deny network', 'nothing', 'fail', 'wait'),
      number: fc.nat(6),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const { cache, recall, clock } = setUp({ ifErrorSeconds: 0 });
        const expected = new Map<string, { known: SubjectVerdict; untilMs: number }>();
        for (const { subject, do: what, number } of steps) {
          if (what === 'wait') {
            clock.advance(number * 1000);
            continue;
          }
          const own = deny({ subject: what === 'deny' ? subject : NETWORK, reason: `r${number}` });
          const isKnown = (expected.get(subject)?.untilMs ?? 0) > clock.nowMs();
          if (what !== 'fail')
            cache.keepVerdict(LookupSubject.parse(subject), what === 'nothing' ? null : own, number + 1);
          else {
            cache.keepFailure(LookupSubject.parse(subject), 'timeout');
            if (isKnown && typeof expected.get(subject)?.known !== 'string') continue;
          }
          const decision = { ...DENIED_STALE, source: 'cache', reason: `r${number}` } as const;
          const { entry: _entry, ...bare } = decision as typeof decision & { entry: string };
          const known: SubjectVerdict =
            what === 'fail'
              ? 'timeout'
              : what === 'nothing'
                ? { action: 'allow', source: 'cache' }
                : subject.startsWith('ip:') && what === 'deny'
                  ? { ...bare, ofAddress: true }
                  : { ...bare, entry: own.subject };
          expected.set(subject, { known, untilMs: clock.nowMs() + (what === 'fail' ? 2000 : (number + 1) * 1000) });
        }
        for (const [subject, { known, untilMs }] of expected)
          assert.deepEqual(recall(subject), untilMs > clock.nowMs() ? known : undefined, subject);
      }),
      { numRuns: 300 },
    );
  });
});
