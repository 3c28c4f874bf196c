import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, describe, it } from 'node:test';
import type { StoredEntry } from '../../../blocklist/entry.ts';
import { blocklistAt, localTable } from '../../support/local-table.ts';
import { manyRuns } from '../../support/many-runs.ts';

const ENTRY = { subject: 'ip:203.0.113.1', action: 'deny' } as const;

describe('a source that says it has not changed', async () => {
  const { endpoint } = await localTable({ after });
  const store = blocklistAt(endpoint);
  let lists = 0;
  const url = await staticSource();
  const runs = manyRuns({ after }, endpoint);
  const told = async (...args: string[]) => (await runs(...args)).said;
  const run = (list: string, command: 'import' | 'sync', ...args: string[]) =>
    told(command, url, ...args, '--list', list, '--inside');
  const entryIn = async (list: string): Promise<StoredEntry | undefined> => {
    const [item] = await store.bulk.read([{ subject: ENTRY.subject, list }]);
    return item as StoredEntry | undefined;
  };
  /** A list that was made by this command, and is told to be as it was. */
  const made = async (command: 'import' | 'sync', ...args: string[]) => {
    const list = `list-${lists++}`;
    await run(list, command, ...args);
    assert.match(await run(list, command, ...args), /nothing to do/);
    return list;
  };

  for (const command of ['import', 'sync'] as const) {
    it(`leaves nothing to do for the same ${command} of the list as it was`, async () => {
      const list = await made(command, '--for', '1h');
      for (const option of ['--quiet', '--dry-run']) await run(list, command, '--for', '1h', option);
      assert.match(await run(list, command, '--for', '1h'), /nothing to do/);
    });

    for (const [what, change] of [
      ['an entry was removed', (list: string) => store.entries.remove({ ...ENTRY, list })],
      ['an entry was made an allow', (list: string) => store.entries.put({ ...ENTRY, list, action: 'allow' })],
      ['an entry was given an end', (list: string) => store.entries.put({ ...ENTRY, list, expiresAt: 1 })],
      [
        'an entry is there that was not',
        (list: string) => store.entries.put({ ...ENTRY, subject: 'ip:203.0.113.99', list }),
      ],
      ['an entry was removed by command', (list: string) => told('remove', '203.0.113.1', '--list', list)],
    ] as const)
      it(`is read by ${command} where ${what} since`, async () => {
        const list = await made(command);
        await change(list);
        assert.doesNotMatch(await run(list, command), /nothing to do/);
        const { action, expiresAt } = (await entryIn(list)) ?? {};
        assert.deepEqual({ action, expiresAt }, { action: 'deny', expiresAt: undefined });
      });

    it(`is read by ${command} where it is asked for something else, and then again`, async () => {
      const list = await made(command);
      assert.doesNotMatch(await run(list, command, '--action', 'tarpit'), /nothing to do/);
      assert.equal((await entryIn(list))?.action, 'tarpit');
      assert.doesNotMatch(await run(list, command), /nothing to do/);
      assert.equal((await entryIn(list))?.action, 'deny');
    });
  }

  it('is read by the other command', async () => {
    const list = await made('import');
    await store.entries.put({ ...ENTRY, subject: 'ip:198.51.100.1', list });
    await run(list, 'import');
    assert.match(await run(list, 'sync'), /0 added, 0 changed, 1 removed/);
    assert.doesNotMatch(await run(list, 'import'), /nothing to do/);
  });

  it('is read where any of its URL is another', async () => {
    const list = await made('sync');
    for (const other of [`${url}?key=2`, `${url}/b`, url.replace('127.0.0.1', 'localhost')]) {
      assert.doesNotMatch(await told('sync', other, '--list', list, '--inside'), /nothing to do/);
    }
  });

  it('has its ends renewed that count from the run, once less than half is left', async () => {
    const list = await made('sync', '--for', '1h');
    const was = (await entryIn(list)) as StoredEntry; // just made
    await aged(list, was, 29 * 60);
    assert.match(await run(list, 'sync', '--for', '1h', '--refetch'), /0 added, 0 changed, 0 removed/);
    await aged(list, was, 31 * 60);
    assert.match(await run(list, 'sync', '--for', '1h'), /0 added, 1 changed, 0 removed/);
    assert.ok(Number((await entryIn(list))?.expiresAt) >= Number(was.expiresAt));
    assert.match(await run(list, 'sync', '--for', '1h'), /nothing to do/);
    await aged(list, was, 2 * 3600); // over already
    await run(list, 'sync', '--for', '1h');
    assert.ok(Number((await entryIn(list))?.expiresAt) >= Number(was.expiresAt));
  });

  it('blocks again what ended meanwhile', async () => {
    const list = await made('sync', '--for', '30s');
    const was = (await entryIn(list)) as StoredEntry; // just made
    await aged(list, was, 31);
    assert.match(await told('explain', '203.0.113.1', '--lists', list), /passes: no entry applies/);
    await run(list, 'sync', '--for', '30s');
    assert.match(await told('explain', '203.0.113.1', '--lists', list), /gets status 403/);
  });

  async function aged(list: string, was: StoredEntry, seconds: number): Promise<void> {
    const createdAt = new Date(Date.parse(String(was.createdAt)) - seconds * 1000).toISOString();
    await store.entries.put({ ...was, list, createdAt, expiresAt: Number(was.expiresAt) - seconds });
    const known = await store.lists.find(list);
    assert.ok(known?.left, 'the record says how the list was left');
  }
});

/** Never changes, and says so. */
async function staticSource(): Promise<string> {
  const server = createServer((request, response) => {
    if (request.headers['if-none-match'] === '"1"') response.writeHead(304).end();
    else response.writeHead(200, { etag: '"1"' }).end('203.0.113.1\n');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/drop.txt`;
}
