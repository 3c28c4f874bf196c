import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { runOnTable } from '../../support/haverdict-on-table.ts';
import { blocklistAt, localTable } from '../../support/local-table.ts';

describe('haverdict lists', async () => {
  const { endpoint } = await localTable({ after });
  const store = blocklistAt(endpoint);
  const run = (...args: string[]) => runOnTable(endpoint, 'lists', ...args);
  const json = async (...args: string[]) => JSON.parse((await run(...args, '--json')).stdout);

  it('says so where no list is registered', async () => {
    const { status, stdout } = await run();
    assert.deepEqual([status, stdout], [0, 'table haverdict has no registered lists; --all finds unregistered ones\n']);
  });

  it('registers a list once, and writes that down', async () => {
    const odd = await run('create', 'feed', '--description', 'a\u001b[31mb');
    assert.deepEqual([odd.status, odd.stdout], [2, '']);
    assert.match(odd.stderr, /"a\\u001b\[31mb" is not a single line of printable characters\n$/);
    const { status, stdout } = await run('create', 'feed', '--description', 'a – b', '--owner', 'abuse');
    assert.deepEqual([status, stdout], [0, 'list feed is registered\n']);
    const again = await run('create', 'feed');
    assert.equal(again.status, 1);
    assert.match(again.stderr, /^haverdict: list feed is already registered by \S+@\S+ at 20\d\d-\S+Z\n$/);
    const [created, ...more] = await Array.fromAsync(store.history.of('feed'));
    assert.deepEqual([created?.change, created?.why, more], ['list-created', 'a – b', []]);
  });

  it('prints registered lists, and those that only have entries with --all', async () => {
    for (const subject of ['ip:203.0.113.1', 'host:a.example'])
      await store.entries.put({ subject, list: 'feed', action: 'deny' });
    await store.entries.put({ subject: 'ip:203.0.113.1', list: 'wild', action: 'allow' });
    const counts = async (...args: string[]) =>
      (await json(...args)).map(({ name, registered, counted }: Record<string, unknown>) => [
        name,
        registered,
        counted,
      ]);
    assert.deepEqual(await counts(), [['feed', true, undefined]]);
    assert.deepEqual(await counts('--count'), [['feed', true, 2]]);
    assert.deepEqual(await counts('--all'), [
      ['feed', true, 2],
      ['wild', false, 1],
    ]);
    const { stdout } = await run('--all');
    assert.match(
      stdout,
      /^NAME +REGISTERED +ENTRIES +SYNCED +SOURCE +OWNER +DESCRIPTION\nfeed +yes +2 +abuse +a – b\nwild +no +1\n$/,
    );
  });

  it('describes what is in a list and what was last done to it', async () => {
    await store.lists.create({
      name: 'told',
      source: 'https://feeds.example/drop',
      etag: '"7"',
      syncedAt: '2027-01-01T00:00:00.000Z',
    });
    await store.lists.takeLease('told', { holder: 'me@here 1', until: 4_000_000_000 }, 0);
    const common = { list: 'told', action: 'deny' } as const;
    await store.entries.put({ ...common, subject: 'ip:203.0.113.1', createdAt: '2027-01-02T00:00:00Z' });
    await store.entries.put({ ...common, subject: 'ip:203.0.113.2', createdAt: '2027-01-01T00:00:00Z', expiresAt: 1 });
    await store.entries.put({ ...common, subject: 'host:a.example', action: 'allow' });
    await store.entries.put({ ...common, subject: 'nothing' });
    const at = '2027-01-02T00:00:00.000Z';
    await store.history.record({ list: 'told', change: 'sync', at, by: 'me@here', totals: { put: 2, removed: 1 } });

    const { record, summary, lease, changes } = await json('describe', 'told');
    assert.equal(record.etag, '"7"');
    assert.deepEqual(summary, {
      ...{ entries: 4, expired: 1, bad: 1, byAction: { allow: 1, deny: 2 }, byKind: { host: 1, ip: 2 } },
      ...{ oldest: '2027-01-01T00:00:00Z', newest: '2027-01-02T00:00:00Z' },
    });
    assert.deepEqual([lease.holder, changes.length], ['me@here 1', 1]);
    const { stdout } = await run('describe', 'told');
    assert.match(stdout, /\nby action +allow 1, deny 2\nby kind +host 1, ip 2\n/);
    assert.match(stdout, /\n2027-01-02T00:00:00.000Z +told +sync +2 put, 1 removed +me@here\n$/);
  });

  it('knows no list that nobody has heard of', async () => {
    for (const command of ['describe', 'delete']) {
      const { status, stderr } = await run(command, 'nope', '--table', 'haverdict');
      assert.equal(status, 1);
      assert.equal(stderr, 'haverdict: list nope does not exist in table haverdict: see haverdict lists --all\n');
    }
    assert.equal((await run('describe', 'No!')).status, 2);
  });

  it('deletes a list only when told to, and nothing of another', async () => {
    await store.lists.create({ name: 'going' });
    const subjects = Array.from({ length: 60 }, (_, index) => `ip:203.0.113.${index}`);
    await store.bulk.put(
      subjects.flatMap((subject) => ['going', 'staying'].map((list) => ({ subject, list, action: 'deny' as const }))),
    );
    const asked = await run('delete', 'going');
    assert.equal(asked.status, 1);
    assert.equal(asked.stderr, 'haverdict: list going has 60 entries: add --yes to delete it with all of them\n');
    assert.equal((await Array.fromAsync(store.entries.ofList('going'))).length, 60);

    const done = await run('delete', 'going', '--yes');
    assert.deepEqual([done.status, done.stdout], [0, 'list going is deleted with 60 entries\n']);
    assert.deepEqual(await Array.fromAsync(store.entries.ofList('going')), []);
    assert.equal(await store.lists.find('going'), undefined);
    assert.equal(await store.lists.leaseOf('going'), undefined);
    assert.equal((await Array.fromAsync(store.entries.ofList('staying'))).length, 60);
    const changes = await Array.fromAsync(store.history.of('going'));
    assert.deepEqual(new Set(changes.map(({ change }) => change)), new Set(['list-deleted', 'remove']));
    const removed = changes.flatMap(({ subjects: named = [] }) => named);
    assert.deepEqual(removed.sort(), subjects.sort());
  });

  it('deletes no list that another run is changing', async () => {
    await store.lists.create({ name: 'busy' });
    await store.lists.takeLease('busy', { holder: 'else@where 1', until: 4_000_000_000 }, 0);
    const { status, stderr } = await run('delete', 'busy', '--yes');
    assert.equal(status, 1);
    assert.match(stderr, /list busy is locked by a run of else@where/);
    assert.notEqual(await store.lists.find('busy'), undefined);
  });
});
