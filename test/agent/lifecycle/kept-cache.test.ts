import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { VerdictCache } from '../../../agent/decision/cache.ts';
import { LookupSubject } from '../../../agent/decision/lookup-subject.ts';
import { writeCacheFile } from '../../../agent/lifecycle/cache-file.ts';
import { openCache, verdictsKey } from '../../../agent/lifecycle/kept-cache.ts';
import type { Entry } from '../../../contract/check.ts';
import { HandClock } from '../../support/clock.ts';
import { temporaryFolder } from '../../support/config-file.ts';
import { settingsWith } from '../../support/settings.ts';

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
    ['a list on trial', of('new', 'log', { shadow: 'deny' }), true],
    ['a list on trial that is enforced', of('new', 'deny'), false],
    ['a list on trial that would do what it may not', of('new', 'log', { shadow: 'allow' }), false],
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
      assert.deepEqual(told, isTaken ? [] : ['has what no backend can have said']);
    });
});
