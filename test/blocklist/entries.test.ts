import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DynamoEntries } from '../../blocklist/dynamodb/entries.ts';
import type { StoredEntry } from '../../blocklist/entry.ts';
import type { EntryStore, Key } from '../../blocklist/store.ts';
import { describeOnEveryEngine } from '../support/engines.ts';
import { MemoryStore } from '../support/memory-store.ts';

/** What every EntryStore does; each test has subjects of its own, since the table is shared. */
function storeContract(store: EntryStore): void {
  it('finds what was put, and only under its own list', async () => {
    await store.put(entry('host:found.example', 'manual'));
    const { items, unread } = await store.lookup([
      { subject: 'host:found.example', list: 'manual' },
      { subject: 'host:found.example', list: 'other' },
    ]);
    assert.deepEqual(items, [entry('host:found.example', 'manual')]);
    assert.deepEqual(unread, []);
  });

  it('keeps every attribute', async () => {
    const full: StoredEntry = {
      ...entry('host:full.example', 'manual'),
      ...{ reason: 'ä', status: 403, expiresAt: 1_800_000_000, note: 'n', createdBy: 'me', createdAt: 'now' },
      vars: { location: 'https://shop.example/', query: '', 'req.set.x-plan': 'gold' },
    };
    await store.put(full);
    assert.deepEqual(await Array.fromAsync(store.ofSubject('host:full.example')), [full]);
    const { items } = await store.lookup([{ subject: 'host:full.example', list: 'manual' }]);
    assert.deepEqual(items[0]?.vars, full.vars);
  });

  it('says whether put replaced something', async () => {
    assert.equal(await store.put(entry('host:twice.example', 'manual')), false);
    assert.equal(await store.put({ ...entry('host:twice.example', 'manual'), action: 'allow' }), true);
    assert.equal((await Array.fromAsync(store.ofSubject('host:twice.example')))[0]?.action, 'allow');
  });

  it('says whether remove found something', async () => {
    await store.put(entry('host:gone.example', 'manual'));
    assert.equal(await store.remove({ subject: 'host:gone.example', list: 'other' }), false);
    assert.equal(await store.remove({ subject: 'host:gone.example', list: 'manual' }), true);
    assert.equal(await store.remove({ subject: 'host:gone.example', list: 'manual' }), false);
    assert.deepEqual(await Array.fromAsync(store.ofSubject('host:gone.example')), []);
  });

  it('takes a key twice in one lookup', async () => {
    await store.put(entry('host:same.example', 'manual'));
    const key = { subject: 'host:same.example', list: 'manual' };
    assert.equal((await store.lookup([key, { ...key }])).items.length, 1);
  });

  it('takes no key at all', async () => {
    assert.deepEqual(await store.lookup([]), { items: [], unread: [], throttles: 0 });
  });

  it('looks up more keys than fit one call', async () => {
    const entries = Array.from({ length: 250 }, (_, index) => entry(`key:many-${index}`, 'many'));
    await Promise.all(entries.map((one) => store.put(one)));
    const absent: Key[] = entries.map(({ subject }) => ({ subject, list: 'absent' }));
    const { items } = await store.lookup([...entries, ...absent]);
    assert.deepEqual(new Set(items.map((item) => item.subject)), new Set(entries.map((one) => one.subject)));
    assert.equal(items.length, 250);
  });

  it('lists a subject in all its lists', async () => {
    for (const list of ['b', 'a']) await store.put(entry('host:lists.example', list));
    assert.deepEqual(
      (await Array.fromAsync(store.ofSubject('host:lists.example'))).map((item) => item.list),
      ['a', 'b'],
    );
  });

  it('lists a list by subject, page after page', async () => {
    const note = 'x'.repeat(300_000); // four of them are more than the megabyte of a page
    const subjects = ['key:p1', 'key:p2', 'key:p3', 'key:p4', 'key:p5'];
    for (const subject of subjects.toReversed()) await store.put({ ...entry(subject, 'pages'), note });
    assert.deepEqual(
      (await Array.fromAsync(store.ofList('pages'))).map((item) => item.subject),
      subjects,
    );
  });
}

describe('MemoryStore', () => storeContract(new MemoryStore()));
describeOnEveryEngine('DynamoEntries', (place) => storeContract(new DynamoEntries(place)));

function entry(subject: string, list: string): StoredEntry {
  return { subject, list, action: 'deny' };
}
