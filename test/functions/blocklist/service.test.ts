import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import fc from 'fast-check';
import { answered } from '../../../functions/blocklist/entry.ts';
import { type CheckDeps, check } from '../../../functions/blocklist/service.ts';
import { type Store, StoreError } from '../../../functions/blocklist/store.ts';
import { localTable, storeAt } from '../../support/local-table.ts';
import { MemoryStore } from '../../support/memory-store.ts';
import { naiveWinner } from '../../support/naive-winner.ts';
import { askedLists, askedSubject, NOW_SECONDS, worldEntries } from '../../support/small-world.ts';

const asked = fc.array(askedSubject, { minLength: 1, maxLength: 5 });

describe('check', () => {
  it('agrees with a naive comparison of every entry, over memory', async () => {
    const world = fc.asyncProperty(worldEntries, asked, askedLists, async (entries, subjects, lists) => {
      const store = new MemoryStore();
      for (const entry of entries) store.type(entry);
      await assertSameAsNaive(store, entries, subjects, lists);
    });
    await fc.assert(world, { numRuns: 10_000 });
  });

  it('agrees with a naive comparison of every entry, over DynamoDB', async () => {
    const store = storeAt((await localTable({ after })).endpoint);
    const world = fc.asyncProperty(worldEntries, asked, askedLists, async (entries, subjects, lists) => {
      await Promise.all(entries.map((entry) => store.put(entry)));
      await assertSameAsNaive(store, entries, subjects, lists);
      await Promise.all(entries.map((entry) => store.remove(entry)));
    });
    await fc.assert(world, { numRuns: 150 });
  });

  it('answers as many verdicts as subjects were asked, in their order, repeated ones too', async () => {
    const store = new MemoryStore();
    store.type({ subject: 'ip:10.0.0.0/8', list: 'manual', action: 'deny' });
    const subjects = ['host:a', 'ip:10.1.1.1', 'host:a', 'ip:10.1.1.1'];
    const { verdicts } = await check({ lists: ['manual'], subjects }, deps(store));
    assert.deepEqual(
      verdicts.map(({ subject, entry }) => [subject, entry?.subject]),
      [
        ['host:a', undefined],
        ['ip:10.1.1.1', 'ip:10.0.0.0/8'],
        ['host:a', undefined],
        ['ip:10.1.1.1', 'ip:10.0.0.0/8'],
      ],
    );
  });

  it('tells the agent nothing that is only for people', async () => {
    const store = new MemoryStore();
    store.type({ subject: 'host:a', list: 'manual', reason: 'abuse', note: 'n', createdBy: 'me', createdAt: 'now' });
    const { verdicts, ttl } = await check({ lists: ['manual'], subjects: ['host:a'] }, deps(store));
    assert.deepEqual(verdicts[0]?.entry, { subject: 'host:a', list: 'manual', action: 'deny', reason: 'abuse' });
    assert.equal(ttl, 60);
  });

  it('ignores a bad entry, says so, and lets the next best win', async () => {
    const store = new MemoryStore();
    store.type({ subject: 'ip:10.1.1.1', list: 'manual', action: 'allow', reason: 'a\r\nset-cookie: x' });
    store.type({ subject: 'ip:10.1.1.1', list: 'feed', action: 'ban' });
    store.type({ subject: 'ip:10.0.0.0/8', list: 'feed' });
    const lines: unknown[] = [];
    const log: CheckDeps['log'] = (level, message, fields) => lines.push([level, message, fields]);
    const request = { lists: ['manual', 'feed'], subjects: ['ip:10.1.1.1'] };
    const { verdicts } = await check(request, { ...deps(store), log });
    assert.equal(verdicts[0]?.entry?.subject, 'ip:10.0.0.0/8');
    const problem = 'reason must be one line of at most 200 printable characters';
    assert.deepEqual(lines[0], ['warn', 'bad entry ignored', { subject: 'ip:10.1.1.1', list: 'manual', problem }]);
    assert.equal(lines.length, 2);
  });

  it('gives the subject whose keys were not read an error, and its neighbours their verdicts', async () => {
    const store = new MemoryStore();
    store.type({ subject: 'ip:10.1.1.1', list: 'manual', action: 'deny' });
    store.type({ subject: 'ip:192.0.2.1', list: 'manual', action: 'deny' });
    store.lookup = throttled(store, 'ip:10.0.0.0/8');
    const request = { lists: ['manual'], subjects: ['ip:10.1.1.1', 'ip:192.0.2.1', 'host:a'] };
    const { verdicts } = await check(request, deps(store));
    assert.deepEqual(verdicts[0], { subject: 'ip:10.1.1.1', error: 'could not be looked up' });
    assert.equal(verdicts[1]?.entry?.subject, 'ip:192.0.2.1');
    assert.equal(verdicts[2]?.entry, null);
  });
});

async function assertSameAsNaive(
  store: Store,
  entries: Parameters<typeof naiveWinner>[1],
  subjects: string[],
  lists: string[],
): Promise<void> {
  const { verdicts } = await check({ subjects, lists }, deps(store));
  const expected = subjects.map((subject) => {
    const won = naiveWinner(subject, entries, lists, NOW_SECONDS);
    return { subject, entry: won === undefined ? null : answered(won) };
  });
  assert.deepEqual(verdicts, expected);
}

function deps(store: Store): CheckDeps {
  return { store, log: () => {}, clock: () => NOW_SECONDS * 1000, ttlSeconds: 60 };
}

/** As a lookup behaves when DynamoDB never gives this one subject. */
function throttled(store: Store, subject: string): Store['lookup'] {
  const lookup = store.lookup.bind(store);
  return async (keys) => {
    const unread = keys.filter((key) => key.subject === subject);
    const found = await lookup(keys.filter((key) => key.subject !== subject));
    return { ...found, unread, failure: new StoreError('throttled') };
  };
}
