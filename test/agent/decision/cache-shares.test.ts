import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { VerdictCache } from '../../../agent/decision/cache.ts';
import { LookupSubject } from '../../../agent/decision/lookup-subject.ts';
import { HandClock } from '../../support/clock.ts';

const stale = { ifErrorSeconds: 600, revalidateSeconds: 5 };
const LISTED = { subject: 'ip:0.0.0.0/8', list: 'manual', action: 'deny' } as const;
const TTL_SECONDS = 300;
const MAX_ENTRIES = 4000;
const SHARE = MAX_ENTRIES / 8;

interface Family {
  readonly title: string;
  visitor(number: number): string;
  /** Of one /16, or one /32. */
  stranger(number: number): string;
}
const FAMILIES: readonly Family[] = [
  {
    title: 'IPv4',
    visitor: (number) => `ip:${1 + (number >> 8)}.${number & 255}.7.7`,
    stranger: (number) => `ip:198.51.${number >> 8}.${number & 255}`,
  },
  {
    title: 'IPv6',
    visitor: (number) => `ip:2a00:${(number + 1).toString(16)}::7`,
    stranger: (number) => `ip:2001:db8:${(number + 1).toString(16)}::7`,
  },
];

describe('a cache in a flood from one network', () => {
  for (const { title, visitor, stranger } of FAMILIES) {
    const cacheFor = (maxEntries: number) => {
      const clock = new HandClock();
      const settings = { maxEntries, allowTtlSeconds: TTL_SECONDS, denyTtlSeconds: TTL_SECONDS, policyTtlSeconds: 2 };
      return { clock, cache: new VerdictCache(settings, stale, clock) };
    };
    const visitors = Array.from({ length: MAX_ENTRIES }, (_, number) => visitor(number));
    const denied = (cache: VerdictCache) =>
      visitors.filter((each) => cache.stale(LookupSubject.parse(each))?.action === 'deny').length;
    const flood = (cache: VerdictCache) => {
      for (let number = 0; number < 5 * MAX_ENTRIES; number++)
        for (let time = 0; time < 2; time++)
          cache.keepVerdict(LookupSubject.parse(stranger(number)), null, TTL_SECONDS);
    };
    const fill = (cache: VerdictCache) => {
      for (const each of visitors)
        for (let time = 0; time < 2; time++) cache.keepVerdict(LookupSubject.parse(each), LISTED, TTL_SECONDS);
    };

    it(`keeps all other verdicts but for the share of the network, of ${title}`, () => {
      const { cache } = cacheFor(MAX_ENTRIES);
      fill(cache);
      flood(cache);
      assert.ok(denied(cache) >= MAX_ENTRIES - 1.05 * SHARE, `${denied(cache)} are left`);
      assert.equal(cache.state.entries, MAX_ENTRIES);
    });

    it(`keeps them also after it was restored from a snapshot, of ${title}`, () => {
      const { cache } = cacheFor(MAX_ENTRIES);
      fill(cache);
      flood(cache);
      const before = denied(cache);
      const { cache: after } = cacheFor(MAX_ENTRIES);
      after.restore(cache.snapshot(), 10);
      assert.equal(denied(after), before);
      flood(after);
      assert.ok(denied(after) >= MAX_ENTRIES - 1.1 * SHARE, `${denied(after)} are left`);
    });

    it(`gives a smaller cache to all others first, of ${title}`, () => {
      const { cache } = cacheFor(2 * MAX_ENTRIES);
      flood(cache);
      for (const each of visitors.slice(0, MAX_ENTRIES / 2))
        cache.keepVerdict(LookupSubject.parse(each), LISTED, TTL_SECONDS);
      assert.ok(denied(cache) >= MAX_ENTRIES / 2 - 5, 'a full cache has room for them');
      const { cache: smaller } = cacheFor(MAX_ENTRIES);
      smaller.restore(cache.snapshot(), 0);
      assert.ok(denied(smaller) >= (MAX_ENTRIES / 2) * 0.95, `${denied(smaller)} are left`);
      flood(smaller);
      assert.ok(denied(smaller) >= (MAX_ENTRIES / 2) * 0.95, `${denied(smaller)} are left`);
    });

    it(`gives free room to any address, of ${title}`, () => {
      const { cache, clock } = cacheFor(MAX_ENTRIES);
      fill(cache);
      clock.advance((TTL_SECONDS + stale.ifErrorSeconds) * 1000);
      flood(cache);
      const known = Array.from({ length: 5 * MAX_ENTRIES }, (_, number) =>
        cache.stale(LookupSubject.parse(stranger(number))),
      );
      assert.equal(known.filter((each) => each !== undefined).length, MAX_ENTRIES);
    });
  }
});
