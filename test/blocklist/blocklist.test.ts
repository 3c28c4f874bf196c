import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { dynamoBlocklist } from '../../blocklist/dynamodb/blocklist.ts';
import type { StoredEntry } from '../../blocklist/entry.ts';
import type { Change } from '../../blocklist/records.ts';
import { isReserved } from '../../blocklist/table.ts';
import { describeOnEveryEngine } from '../support/engines.ts';

describeOnEveryEngine('bulk reads and writes', (place) => {
  const store = dynamoBlocklist(place);

  it('writes more entries than fit one call, and reads them whole', async () => {
    const entries = Array.from({ length: 260 }, (_, index) => ({ ...entry(`key:all-${index}`, 'all'), note: 'n' }));
    const counts: number[] = [];
    assert.equal(await store.bulk.put(entries, { written: (count) => counts.push(count) }), 260);
    assert.equal(sum(counts), 260);
    assert.ok(Math.max(...counts) <= 25);
    const read = await store.bulk.read([...entries, { subject: 'key:all-0', list: 'absent' }]);
    assert.deepEqual(new Set(read.map((item) => JSON.stringify(sorted(item)))), new Set(entries.map(asText)));
  });

  it('keeps the later of two entries with one key, in one call and in calls that overtake each other', async () => {
    async function* entries() {
      for (let round = 0; round < 40; round++)
        for (let index = 0; index < 30; index++) yield { ...entry(`key:same-${index}`, 'same'), note: String(round) };
    }
    await store.bulk.put(entries());
    const notes = (await Array.fromAsync(store.entries.ofList('same'))).map((item) => item.note);
    assert.deepEqual(notes, Array(30).fill('39'));
  });

  it('takes no more than it can write', async () => {
    let [taken, written, most] = [0, 0, 0];
    function* entries() {
      for (; taken < 2000; taken++) {
        most = Math.max(most, taken - written);
        yield entry(`key:slow-${taken}`, 'slow');
      }
    }
    await store.bulk.put(entries(), { written: (count) => (written += count) });
    assert.ok(most <= 18 * 25, `${most} at once`); // 16 calls, one that waits and one that is gathered
  });

  it('stops when it is told to, having written what it took, and a second run does the rest', async () => {
    const stop = new AbortController();
    let taken = 0;
    async function* entries() {
      for (let index = 0; index < 500; index++) {
        taken++;
        if (index === 210) stop.abort();
        yield entry(`key:stop-${index}`, 'stop');
      }
    }
    const written = await store.bulk.put(entries(), { signal: stop.signal });
    assert.ok(taken < 500 && taken - written <= 1, `${taken} taken, ${written} written`); // one was on its way
    assert.equal((await Array.fromAsync(store.entries.ofList('stop'))).length, written);
    await store.bulk.put(entries());
    assert.equal((await Array.fromAsync(store.entries.ofList('stop'))).length, 500);
  });

  it('stops even while its source waits for more', async () => {
    const stop = new AbortController();
    async function* entries() {
      yield entry('key:waiting', 'waiting');
      setImmediate(() => stop.abort());
      await new Promise(() => {});
    }
    assert.equal(await store.bulk.put(entries(), { signal: stop.signal }), 1);
  });

  it('passes on what its source throws, after what it took before is written', async () => {
    async function* entries() {
      for (let index = 0; index < 25; index++) yield entry(`key:torn-${index}`, 'torn');
      throw new Error('torn');
    }
    await assert.rejects(store.bulk.put(entries()), /^Error: torn$/);
    assert.equal((await Array.fromAsync(store.entries.ofList('torn'))).length, 25);
  });

  it('removes many of one list, and nothing of another', async () => {
    const subjects = Array.from({ length: 60 }, (_, index) => `key:shared-${index}`);
    await store.bulk.put(subjects.flatMap((subject) => [entry(subject, 'going'), entry(subject, 'staying')]));
    assert.equal(await store.bulk.remove(subjects.map((subject) => ({ subject, list: 'going' }))), 60);
    assert.deepEqual(await Array.fromAsync(store.entries.ofList('going')), []);
    assert.equal((await Array.fromAsync(store.entries.ofList('staying'))).length, 60);
  });

  it('scans every item, reserved ones too', async () => {
    await store.entries.put(entry('key:scanned', 'scanned'));
    await store.lists.create({ name: 'scanned' });
    const items = await Array.fromAsync(store.bulk.scan());
    assert.ok(items.some((item) => item.subject === 'key:scanned'));
    assert.ok(items.some((item) => isReserved(item.subject)));
  });
});

describeOnEveryEngine('removeUnchanged', (place) => {
  const store = dynamoBlocklist(place);
  const full = {
    ...{ subject: 'key:full', list: 'compared', action: 'redirect', reason: 'r', note: 'n', createdBy: 'me' },
    ...{ createdAt: 'now', expiresAt: 1_800_000_000, status: 301, vars: { location: 'https://shop.example/' } },
  } as const satisfies StoredEntry;

  it('removes what is as it was read, whatever attributes it has', async () => {
    for (const put of [full, { ...entry('key:bare', 'compared') }]) {
      await store.entries.put(put);
      const [item] = await store.bulk.read([put]);
      assert.equal(await store.bulk.removeUnchanged(item ?? {}), true);
      assert.deepEqual(await store.bulk.read([put]), []);
    }
  });

  it('says true of what is gone already', async () => {
    assert.equal(await store.bulk.removeUnchanged(entry('key:never', 'compared')), true);
  });

  for (const [what, changed] of Object.entries({
    action: { action: 'deny' },
    vars: { vars: { location: 'https://other.example/' } },
    'one of vars more': { vars: { ...full.vars, query: '' } },
    'an attribute that came': { note: 'new' },
    'an attribute that went': { reason: undefined },
  } as const))
    it(`leaves what has changed since: ${what}`, async () => {
      const read: StoredEntry = { ...full, subject: `key:${what}` };
      if (what === 'an attribute that came') delete read.note;
      const now = { ...read, ...changed } as StoredEntry; // toAttributes leaves out what is undefined
      await store.entries.put(now);
      assert.equal(await store.bulk.removeUnchanged(read), false);
      assert.equal((await store.bulk.read([now])).length, 1);
    });

  it('loses no entry of ten writers while a sync removes what it read before', async () => {
    const subjects = Array.from({ length: 40 }, (_, index) => `key:raced-${index}`);
    await store.bulk.put(subjects.map((subject) => ({ ...entry(subject, 'raced'), note: 'old' })));
    const read = await Array.fromAsync(store.entries.ofList('raced'));
    const writers = Array.from({ length: 10 }, async (_, writer) => {
      for (const subject of subjects.filter((_, index) => index % 10 === writer))
        await store.entries.put({ ...entry(subject, 'raced'), note: `by ${writer}` });
    });
    await Promise.all([...writers, ...read.map((item) => store.bulk.removeUnchanged(item))]);
    const notes = (await Array.fromAsync(store.entries.ofList('raced'))).map((item) => String(item.note));
    assert.equal(notes.filter((note) => note.startsWith('by')).length, 40);
  });
});

describeOnEveryEngine('registered lists', (place) => {
  const store = dynamoBlocklist(place);

  it('are found by name, and in the order of their names', async () => {
    const record = { name: 'feed', description: 'd', createdBy: 'me', createdAt: 'now', entries: 0 };
    assert.equal(await store.lists.create(record), true);
    assert.equal(await store.lists.create({ name: 'a' }), true);
    assert.deepEqual(await store.lists.find('feed'), record);
    assert.equal(await store.lists.find('nope'), undefined);
    assert.deepEqual(await Array.fromAsync(store.lists.all()), [{ name: 'a' }, record]);
  });

  it('are registered once', async () => {
    const answers = await Promise.all(['x', 'y', 'z'].map((owner) => store.lists.create({ name: 'once', owner })));
    assert.deepEqual(answers.filter(Boolean).length, 1);
  });

  it('change only in what is named', async () => {
    await store.lists.create({ name: 'changing', etag: '"1"', source: 'https://feeds.example/' });
    assert.equal(await store.lists.update('changing', { etag: undefined, entries: 3, syncedAt: 'now' }), true);
    const expected = { name: 'changing', source: 'https://feeds.example/', entries: 3, syncedAt: 'now' };
    assert.deepEqual(await store.lists.find('changing'), expected);
    await store.lists.update('changing', { source: undefined });
    assert.equal((await store.lists.find('changing'))?.source, undefined);
  });

  it('do not come back by a change', async () => {
    await store.lists.create({ name: 'deleted' });
    await store.lists.delete('deleted');
    assert.equal(await store.lists.update('deleted', { entries: 1 }), false);
    assert.equal(await store.lists.find('deleted'), undefined);
  });

  it('are in no list themselves', async () => {
    await store.lists.create({ name: 'empty' });
    await store.lists.takeLease('empty', { holder: 'a', until: 10 }, 0);
    await store.history.record({ ...change, list: 'empty' });
    assert.deepEqual(await Array.fromAsync(store.entries.ofList('empty')), []);
  });
});

describeOnEveryEngine('the lease on a list', (place) => {
  const store = dynamoBlocklist(place);

  it('has one holder, however many want it at once', async () => {
    const holders = ['a', 'b', 'c', 'd', 'e', 'f'];
    const answers = await Promise.all(
      holders.map((holder) => store.lists.takeLease('wanted', { holder, until: 100 }, 50)),
    );
    const winner = holders[answers.indexOf(undefined)];
    assert.equal(answers.filter((answer) => answer === undefined).length, 1);
    for (const answer of answers) assert.ok(answer === undefined || answer.holder === winner);
    assert.deepEqual(await store.lists.leaseOf('wanted'), { holder: winner, until: 100 });
  });

  it('is renewed by its holder, and is anybody’s when it has ended', async () => {
    assert.equal(await store.lists.takeLease('renewed', { holder: 'a', until: 100 }, 50), undefined);
    assert.equal(await store.lists.takeLease('renewed', { holder: 'a', until: 200 }, 90), undefined);
    assert.deepEqual(await store.lists.takeLease('renewed', { holder: 'b', until: 300 }, 199), {
      holder: 'a',
      until: 200,
    });
    assert.equal(await store.lists.takeLease('renewed', { holder: 'b', until: 300 }, 200), undefined);
  });

  it('is given back by its holder only', async () => {
    await store.lists.takeLease('given', { holder: 'a', until: 100 }, 50);
    await store.lists.releaseLease('given', 'b');
    assert.equal((await store.lists.leaseOf('given'))?.holder, 'a');
    await store.lists.releaseLease('given', 'a');
    assert.equal(await store.lists.leaseOf('given'), undefined);
  });

  it('is nobody’s to take where it was spoilt by hand', async () => {
    await store.entries.put({ subject: '@leases', list: '@spoilt', note: 'x' } as StoredEntry & { note: string }); // no lease at all
    assert.equal((await store.lists.takeLease('spoilt', { holder: 'a', until: 100 }, 50))?.holder, 'undefined');
  });
});

describeOnEveryEngine('the history of a list', (place) => {
  const store = dynamoBlocklist(place);

  it('is told newest first, with all that was written down', async () => {
    const full: Change = {
      ...{ ...change, list: 'told', at: at(2), action: 'deny', until: 9, why: 'w', source: 's', run: 'r' },
      totals: { put: 1, removed: 0 },
    };
    for (const one of [{ ...change, list: 'told', at: at(1) }, full, { ...change, list: 'told', at: at(3) }])
      await store.history.record(one);
    const told = await Array.fromAsync(store.history.of('told'));
    assert.deepEqual(
      told.map((one) => one.at),
      [at(3), at(2), at(1)],
    );
    assert.deepEqual(told[1], full);
  });

  it('keeps changes of one millisecond apart', async () => {
    await Promise.all(['a', 'b', 'c'].map((by) => store.history.record({ ...change, list: 'apart', by })));
    assert.equal((await Array.fromAsync(store.history.of('apart'))).length, 3);
  });

  it('is read from a moment on, and of one subject', async () => {
    for (const [day, subjects] of [['key:a', 'key:b'], ['key:ab'], ['key:a'], undefined].entries())
      await store.history.record({
        ...change,
        list: 'part',
        at: at(day + 1),
        ...(subjects ? { subjects } : { subjects: [] }),
      });
    const days = async (wanted: object) =>
      (await Array.fromAsync(store.history.of('part', wanted))).map((one) => one.at);
    assert.deepEqual(await days({ since: at(3) }), [at(4), at(3)]);
    assert.deepEqual(await days({ subject: 'key:a' }), [at(3), at(1)]);
    assert.deepEqual(await days({ subject: 'key:a', since: at(2) }), [at(3)]);
  });

  it('has an end of its own', async () => {
    await store.history.record({ ...change, list: 'ended' });
    const [item] = await Array.fromAsync(store.entries.ofSubject('@history:ended'));
    assert.equal(item?.expiresAt, Date.parse('2028-02-06T00:00:00Z') / 1000); // 400 days
  });

  it('is known of lists that are not registered', async () => {
    await store.history.record({ ...change, list: 'unregistered' });
    assert.ok((await Array.fromAsync(store.history.lists())).includes('unregistered'));
  });
});

describe('isReserved', () => {
  it('tells what the tools keep from what anybody looks up', () => {
    assert.deepEqual(['@lists', '@history:a', 'ip:203.0.113.7', 'key:@a', 7].map(isReserved), [
      true,
      true,
      false,
      false,
      false,
    ]);
  });
});

const change: Change = { list: 'l', change: 'put', at: '2027-01-02T00:00:00.000Z', by: 'me@here', subjects: ['key:a'] };

function at(day: number): string {
  return `2027-01-0${day}T00:00:00.000Z`;
}

function entry(subject: string, list: string): StoredEntry {
  return { subject, list, action: 'deny' };
}

function asText(item: object): string {
  return JSON.stringify(sorted(item));
}

function sorted(item: object): object {
  return Object.fromEntries(Object.entries(item).sort(([a], [b]) => a.localeCompare(b)));
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, one) => total + one, 0);
}
