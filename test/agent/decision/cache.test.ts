import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type CacheSettings, decisionOf, VerdictCache } from '../../../agent/decision/cache.ts';
import type { Entry } from '../../../contract/check.ts';
import { HandClock } from '../../support/clock.ts';

const settings: CacheSettings = { maxEntries: 100, allowTtlSeconds: 60, denyTtlSeconds: 300, policyTtlSeconds: 2 };
const NOW_SECONDS = 1_790_000_000;
const deny = (more: Partial<Entry> = {}): Entry => ({
  subject: 'ip:203.0.113.7',
  list: 'manual',
  action: 'deny',
  ...more,
});

function setUp(changes: Partial<CacheSettings> = {}) {
  const clock = new HandClock(NOW_SECONDS * 1000);
  const cache = new VerdictCache({ ...settings, ...changes }, clock);
  /** For how many milliseconds what is kept now is told. */
  const lifeMs = (subject: string) => {
    const startMs = clock.nowMs();
    while (cache.get(subject, clock.nowMs()) !== undefined) clock.advance(500);
    return clock.nowMs() - startMs;
  };
  return { clock, cache, lifeMs };
}

describe('a verdict', () => {
  const lives: readonly (readonly [what: string, entry: Entry | null, ttlSeconds: number, lifeMs: number])[] = [
    ['of nothing, as long as an allow', null, 1000, 60_000],
    ['that allows', deny({ action: 'allow' }), 1000, 60_000],
    ['that denies', deny(), 1000, 300_000],
    ['for no longer than the backend allows', deny(), 30, 30_000],
    ['not at all if the backend says so', deny(), 0, 0],
    ['for no longer than its entry lasts', deny({ expiresAt: NOW_SECONDS + 10 }), 1000, 10_000],
    ['for its own time if its entry lasts longer', deny({ expiresAt: NOW_SECONDS + 10_000 }), 1000, 300_000],
    ['not at all if its entry ends now', deny({ expiresAt: NOW_SECONDS }), 1000, 0],
    ['not at all if its entry has ended', deny({ expiresAt: NOW_SECONDS - 1 }), 1000, 0],
    ['for a short time if the backend and the entry are at odds', deny({ expiresAt: NOW_SECONDS + 5 }), 3, 3000],
  ];
  for (const [what, entry, ttlSeconds, expectedMs] of lives)
    it(`is kept ${what}`, () => {
      const { cache, lifeMs } = setUp();
      cache.keepVerdict('ip:1', entry, ttlSeconds);
      assert.equal(lifeMs('ip:1'), expectedMs);
    });

  it('ends exactly at its time', () => {
    const { cache, clock } = setUp();
    cache.keepVerdict('ip:1', deny({ expiresAt: NOW_SECONDS + 10 }), 1000);
    clock.advance(9999);
    assert.ok(cache.get('ip:1', clock.nowMs()));
    clock.advance(1);
    assert.equal(cache.get('ip:1', clock.nowMs()), undefined);
  });

  it('is not kept longer by being read', () => {
    const { cache, clock } = setUp();
    cache.keepVerdict('ip:1', null, 60);
    for (let second = 0; second < 59; second++) {
      clock.advance(1000);
      assert.ok(cache.get('ip:1', clock.nowMs()));
    }
    clock.advance(1000);
    assert.equal(cache.get('ip:1', clock.nowMs()), undefined);
  });

  it('is the same decision each time, so that its bytes are made once', () => {
    const { cache, clock } = setUp();
    cache.keepVerdict('ip:1', deny({ reason: 'abuse', status: 429 }), 60);
    cache.keepVerdict('ip:2', null, 60);
    cache.keepVerdict('ip:3', null, 60);
    const decisions = ['ip:1', 'ip:1', 'ip:2', 'ip:3'].map((subject) => {
      const known = cache.get(subject, clock.nowMs());
      return known?.type === 'verdict' ? known.decision : undefined;
    });
    assert.equal(decisions[0], decisions[1]);
    assert.equal(decisions[2], decisions[3]);
    assert.deepEqual(decisions[0], {
      action: 'deny',
      source: 'cache',
      entry: deny({ reason: 'abuse', status: 429 }),
      reason: 'abuse',
      status: 429,
    });
    assert.deepEqual(decisionOf(null, 'backend'), { action: 'allow', source: 'backend' });
  });

  it('replaces what was known', () => {
    const { cache, clock } = setUp();
    cache.keepFailure('ip:1', 'timeout');
    cache.keepVerdict('ip:1', deny(), 60);
    assert.equal(cache.get('ip:1', clock.nowMs())?.type, 'verdict');
  });
});

describe('a failure', () => {
  it('is remembered for the policy’s lifetime', () => {
    const { cache, clock, lifeMs } = setUp();
    cache.keepFailure('ip:1', 'backend_error');
    assert.deepEqual(cache.get('ip:1', clock.nowMs()), {
      type: 'failure',
      reason: 'backend_error',
      freshUntilMs: 3000,
    });
    assert.equal(lifeMs('ip:1'), 2000);
  });

  it('is not remembered when that lifetime is 0', () => {
    const { cache, clock } = setUp({ policyTtlSeconds: 0 });
    cache.keepFailure('ip:1', 'backend_error');
    assert.equal(cache.get('ip:1', clock.nowMs()), undefined);
  });
});

describe('the bounds', () => {
  it('let the least recently used go first, and never hold more than so many', () => {
    const { cache, clock } = setUp({ maxEntries: 3 });
    const known = () =>
      ['a', 'b', 'c', 'd', 'e'].filter((name) => cache.get(name, clock.nowMs()) !== undefined).join('');
    for (const name of ['a', 'b', 'c']) cache.keepVerdict(name, null, 60);
    cache.get('a', clock.nowMs());
    cache.keepVerdict('d', null, 60);
    assert.equal(known(), 'acd');
    cache.keepVerdict('e', null, 60);
    assert.equal(known(), 'cde');
  });

  it('hold in bytes too, so that long subjects take the room of several', () => {
    const { cache, clock } = setUp({ maxEntries: 100 });
    for (let index = 0; index < 100; index++) cache.keepVerdict(`path:${'x'.repeat(1000)}${index}`, null, 60);
    const kept = Array.from({ length: 100 }, (_, index) =>
      cache.get(`path:${'x'.repeat(1000)}${index}`, clock.nowMs()),
    ).filter(Boolean);
    assert.equal(kept.length, Math.floor((100 * 256) / (128 + 1006.9)));
  });

  it('leave room for the longest subject in the smallest cache', () => {
    const { cache, clock } = setUp({ maxEntries: 1 });
    cache.keepVerdict('x'.repeat(1024), null, 60);
    assert.ok(cache.get('x'.repeat(1024), clock.nowMs()));
  });
});
