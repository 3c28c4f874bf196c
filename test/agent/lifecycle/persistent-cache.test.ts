import assert from 'node:assert/strict';
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { Address } from '../../../agent/decision/address.ts';
import { VerdictCache } from '../../../agent/decision/cache.ts';
import { LookupSubject } from '../../../agent/decision/lookup-subject.ts';
import { writeCacheFile } from '../../../agent/lifecycle/cache-file.ts';
import { CacheSaver, cacheForReload, openCache, verdictsKey } from '../../../agent/lifecycle/persistent-cache.ts';
import type { Entry } from '../../../contract/check.ts';
import { HandClock } from '../../support/clock.ts';
import { temporaryFolder } from '../../support/config-file.ts';
import { type Changes, settingsWith } from '../../support/settings.ts';
import { until } from '../../support/until.ts';

const SUBJECT = 'path:/a';
const LISTS = {
  lists: ['manual', 'feed', 'new'],
  shadowLists: ['new'],
  listActions: { feed: ['deny'], new: ['deny'] },
};
const of = (list: string, action: Entry['action'], more: Partial<Entry> = {}): Entry => ({
  ...{ subject: SUBJECT, list, action },
  ...more,
});

describe('what the file of the cache may bring', () => {
  for (const [what, entry, isTaken] of [
    ['a list that may do everything', of('manual', 'allow'), true],
    ['what a held list may do', of('feed', 'deny'), true],
    ['what a held list may not do', of('feed', 'allow'), false],
    [
      'what a held list may not do, behind an allow',
      of('manual', 'allow', { unlessAllowed: of('feed', 'tarpit') }),
      false,
    ],
    ['a list that is not asked', of('other', 'deny'), false],
    ['a list in shadow mode', of('new', 'log', { shadow: 'deny' }), true],
    ['an enforced entry of a list in shadow mode', of('new', 'deny'), false],
    ['a list in shadow mode with an action that is not permitted', of('new', 'log', { shadow: 'allow' }), false],
  ] as const)
    it(`${isTaken ? 'is' : 'is not'} ${what}`, async (t) => {
      const clock = new HandClock();
      const usual = settingsWith({});
      const file = join(temporaryFolder(t), 'cache');
      const settings = settingsWith({ ...LISTS, cache: { ...usual.cache, file } });
      const written = new VerdictCache(settings.cache, settings.stale, clock);
      written.keepVerdict(LookupSubject.parse(SUBJECT), entry, 60);
      await writeCacheFile(file, verdictsKey(settings), clock.epochMs(), written.snapshot());
      const told: unknown[] = [];
      const log = { info() {}, warn: ({ problem }: { problem?: string }) => void told.push(problem) };
      const cache = openCache(settings, clock, log);
      assert.equal(cache.explain(LookupSubject.parse(SUBJECT)) !== undefined, isTaken);
      assert.deepEqual(told, isTaken ? [] : ['has entries that the backend cannot have returned']);
    });
});

const USUAL = settingsWith({});
const SILENT = { info() {}, warn() {} };

type Look = (cache: VerdictCache, clock: HandClock) => number;

/** Each setting that says how much a cache keeps or for how long, with what is seen of it. */
const SIZES: readonly (readonly [string, Changes, see: Look, is: number])[] = [
  ['cache.maxEntries', { cache: { ...USUAL.cache, maxEntries: 3 } }, keptAddresses, 3],
  [
    'cache.allowTtlSeconds',
    { cache: { ...USUAL.cache, allowTtlSeconds: 17 } },
    (cache) => times(cache, null).freshForSeconds,
    17,
  ],
  [
    'cache.denyTtlSeconds',
    { cache: { ...USUAL.cache, denyTtlSeconds: 18 } },
    (cache) => times(cache).freshForSeconds,
    18,
  ],
  ['cache.policyTtlSeconds', { cache: { ...USUAL.cache, policyTtlSeconds: 19 } }, failureSeconds, 19],
  ['stale.ifErrorSeconds', { stale: { ...USUAL.stale, ifErrorSeconds: 20 } }, staleSeconds, 20],
  ['stale.revalidateSeconds', { stale: { ...USUAL.stale, revalidateSeconds: 30 } }, revalidatedSeconds, 30],
];

describe('a cache has the sizes and lifetimes of the settings', () => {
  for (const [setting, changes, see, is] of SIZES) {
    it(`${setting}, at the start`, () => {
      const clock = new HandClock();
      const seen = see(openCache(settingsWith(changes), clock, SILENT), clock);
      assert.equal(seen, is);
      assert.notEqual(see(openCache(USUAL, clock, SILENT), clock), is, 'and others by default');
    });

    it(`${setting}, after a reload, with the verdicts that there were`, () => {
      const clock = new HandClock();
      const before = { settings: USUAL, cache: openCache(USUAL, clock, SILENT) };
      before.cache.keepVerdict(LookupSubject.parse(SUBJECT), of('manual', 'deny'), 3600);
      const after = cacheForReload(before, settingsWith(changes), clock, SILENT);
      assert.notEqual(after.explain(LookupSubject.parse(SUBJECT)), undefined);
      assert.equal(see(after, clock), is);
    });
  }
});

describe('a cache is of use only for the settings that its verdicts depend on', () => {
  const other = settingsWith(LISTS);
  for (const [setting, changes] of [
    ['lists', { lists: ['feed', 'manual', 'new'] }],
    ['shadowLists', { shadowLists: [] }],
    ['the actions of a list', { listActions: {} }],
    ['ipv6Prefix', { ipv6Prefix: 64 }],
    ['backend.url', { backend: { ...USUAL.backend, targets: [{ url: 'http://127.0.0.1:8788' }] } }],
  ] as const)
    it(`which ${setting} is one of`, () => {
      const changed = settingsWith({ ...LISTS, ...changes });
      assert.notEqual(verdictsKey(changed), verdictsKey(other));
      const clock = new HandClock();
      const before = { settings: other, cache: openCache(other, clock, SILENT) };
      assert.notEqual(cacheForReload(before, changed, clock, SILENT), before.cache);
    });

  it('which deadlineMs is none of', () => {
    const clock = new HandClock();
    const before = { settings: other, cache: openCache(other, clock, SILENT) };
    assert.equal(cacheForReload(before, settingsWith({ ...LISTS, deadlineMs: 77 }), clock, SILENT), before.cache);
  });
});

describe('the file of the cache', () => {
  it('is written when the cache changed in the last minute, and at the end, and read with the age of each verdict', async (t) => {
    const clock = new HandClock();
    const file = join(temporaryFolder(t), 'cache');
    const settings = settingsWith({ cache: { ...USUAL.cache, file } });
    const cache = openCache(settings, clock, SILENT);
    let current = { settings, cache };
    const saver = new CacheSaver(() => current, clock, SILENT);
    const isWritten = async () => {
      rmSync(file, { force: true });
      clock.advance(60_000);
      await until(
        () => clock.timers === 1,
        () => 'it does not wait for the next minute',
      );
      return existsSync(file);
    };
    assert.equal(await isWritten(), true);
    assert.equal(await isWritten(), false, 'nothing changed');
    cache.keepVerdict(LookupSubject.parse(SUBJECT), of('manual', 'deny'), 3600);
    assert.equal(await isWritten(), true);
    current = { settings, cache: openCache(settingsWith({}), clock, SILENT) };
    assert.equal(await isWritten(), true, 'another cache');
    current = { settings, cache };
    await saver.stop();
    assert.equal(clock.timers, 0);
    clock.advance(7000);
    assert.equal(
      openCache(settings, clock, SILENT).explain(LookupSubject.parse(SUBJECT))?.freshForSeconds,
      300 - 60 - 7 - 60,
    );
  });

  it('is not read when it is older than cache.fileMaxAgeSeconds', async (t) => {
    const clock = new HandClock();
    const file = join(temporaryFolder(t), 'cache');
    const settingsOf = (fileMaxAgeSeconds: number) =>
      settingsWith({ cache: { ...USUAL.cache, file, fileMaxAgeSeconds } });
    const written = openCache(USUAL, clock, SILENT);
    written.keepVerdict(LookupSubject.parse(SUBJECT), of('manual', 'deny'), 3600);
    await writeCacheFile(file, verdictsKey(USUAL), clock.epochMs(), written.snapshot());
    clock.advance(50_000);
    const isRead = (maxAge: number) =>
      openCache(settingsOf(maxAge), clock, SILENT).explain(LookupSubject.parse(SUBJECT)) !== undefined;
    assert.deepEqual([40, 49, 50, 3600].map(isRead), [false, false, true, true]);
  });
});

/** How many of so many addresses are still known. */
function keptAddresses(cache: VerdictCache): number {
  const addresses = Array.from({ length: 10 }, (_, host) => `ip:198.51.100.${host}`);
  for (const address of addresses) cache.keepVerdict(LookupSubject.parse(address), null, 3600);
  return addresses.filter((address) => cache.explain(LookupSubject.parse(address)) !== undefined).length;
}

function times(cache: VerdictCache, entry: Entry | null = of('manual', 'deny')) {
  cache.keepVerdict(LookupSubject.parse(SUBJECT), entry, 3600);
  return cache.explain(LookupSubject.parse(SUBJECT)) ?? assert.fail('nothing is known');
}

function staleSeconds(cache: VerdictCache): number {
  const { keptForSeconds, freshForSeconds } = times(cache);
  return keptForSeconds - freshForSeconds;
}

function failureSeconds(cache: VerdictCache): number {
  cache.keepFailure(LookupSubject.parse('path:/other'), 'timeout');
  return cache.explain(LookupSubject.parse('path:/other'))?.freshForSeconds ?? 0;
}

/** How long before its end a verdict is not used any more without being asked for anew. */
function revalidatedSeconds(cache: VerdictCache, clock: HandClock): number {
  const address = new Address();
  address.readText('192.0.2.7');
  cache.keepVerdict(LookupSubject.parse('ip:192.0.2.7'), of('manual', 'deny'), 3600);
  const { freshForSeconds = 0 } = cache.explain(LookupSubject.parse('ip:192.0.2.7')) ?? {};
  for (let left = freshForSeconds; left > 0; left--)
    if (cache.lookupAddress(address, clock.nowMs() + (freshForSeconds - left) * 1000)?.isRefreshDue) return left + 1;
  return 0;
}
