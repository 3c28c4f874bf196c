import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { after, describe, it } from 'node:test';
import { LIST_METRICS } from '../../../cli/bulk/metrics-file.ts';
import { temporaryFolder } from '../../support/config-file.ts';
import { runAround, runOnTable } from '../../support/haverdict-on-table.ts';
import { blocklistAt, localTable } from '../../support/local-table.ts';
import { readMetrics } from '../../support/prometheus-text.ts';

describe('haverdict sync', async () => {
  const { endpoint } = await localTable({ after });
  const store = blocklistAt(endpoint);
  const sync = (input: string, ...args: string[]) => runAround({ input }, endpoint, 'sync', '-', ...args);
  const subjectsOf = async (list: string) =>
    (await Array.fromAsync(store.entries.ofList(list))).map(({ subject }) => subject);

  it('adds, changes and removes until the list is its source, and then writes nothing', async () => {
    await sync('203.0.113.1\n203.0.113.2\n203.0.113.3\n', '--list', 'feed', '--reason', 'old');
    await store.entries.put({ subject: 'ip:203.0.113.2', list: 'other', action: 'deny' });
    const changed = await sync('203.0.113.2\n203.0.113.4\n', '--list', 'feed', '--reason', 'new');
    assert.deepEqual(
      [changed.status, changed.stdout],
      [0, 'standard input\nlist feed: 1 added, 1 changed, 2 removed\n'],
    );
    assert.deepEqual(await subjectsOf('feed'), ['ip:203.0.113.2', 'ip:203.0.113.4']);
    assert.deepEqual(await subjectsOf('other'), ['ip:203.0.113.2']);
    const before = await Array.fromAsync(store.entries.ofList('feed'));
    const records = (await Array.fromAsync(store.history.of('feed'))).length;
    const again = await sync('203.0.113.4\n203.0.113.2\n', '--list', 'feed', '--reason', 'new', '--json');
    assert.deepEqual(JSON.parse(again.stdout), {
      list: 'feed',
      added: 0,
      changed: 0,
      removed: 0,
      skipped: 0,
      protected: 0,
      dryRun: false,
    });
    assert.deepEqual(await Array.fromAsync(store.entries.ofList('feed')), before);
    assert.equal((await Array.fromAsync(store.history.of('feed'))).length, records);
  });

  it('names in the history whatever it removed', async () => {
    const [record] = await Array.fromAsync(store.history.of('feed', { subject: 'ip:203.0.113.3' }));
    const subjects = new Set(record?.subjects);
    assert.deepEqual([record?.change, subjects], ['remove', new Set(['ip:203.0.113.1', 'ip:203.0.113.3'])]);
  });

  it('removes what somebody typed wrong into its list', async () => {
    await sync('203.0.113.1\n', '--list', 'typed');
    await store.entries.put({ subject: 'ip:203.0.113.01\n\t"', list: 'typed', action: 'deny' });
    const { stdout } = await sync('203.0.113.1\n', '--list', 'typed', '--dry-run');
    assert.match(stdout, /^- ip:203\.0\.113\.01\\n\\t\\" deny$/m);
    await sync('203.0.113.1\n', '--list', 'typed');
    assert.deepEqual(await subjectsOf('typed'), ['ip:203.0.113.1']);
  });

  it('prints what it would do with --dry-run, and does nothing', async () => {
    const { stdout } = await sync('203.0.113.4\n203.0.113.9\n', '--list', 'feed', '--reason', 'newer', '--dry-run');
    assert.match(
      stdout,
      /\n- ip:203\.0\.113\.2 deny\n~ ip:203\.0\.113\.4 deny\n\+ ip:203\.0\.113\.9 deny\nlist feed: would be 1 added, 1 changed, 1 removed\n$/,
    );
    assert.deepEqual(await subjectsOf('feed'), ['ip:203.0.113.2', 'ip:203.0.113.4']);
  });

  it('asks before a list grows or shrinks by more than it may, and before it is empty', async () => {
    const lines = (count: number) => Array.from({ length: count }, (_, n) => `198.51.100.${n}\n`).join('');
    await sync(lines(30), '--list', 'sized');
    for (const [count, does] of [
      [14, 'remove 16'],
      [46, 'add 16'],
      [0, 'remove 30'],
    ] as const) {
      const refused = await sync(lines(count), '--list', 'sized');
      assert.equal(refused.status, 1);
      const expected = `haverdict: nothing was changed: this would ${does} entries where list sized has 30, more than the 50 % of blocklist.maxChange; check it with --dry-run, then run it with --yes\n`;
      assert.equal(refused.stderr, expected);
      assert.equal((await subjectsOf('sized')).length, 30);
    }
    assert.equal((await sync(lines(15), '--list', 'sized')).status, 0);
    assert.equal((await sync('', '--list', 'sized', '--yes')).status, 0);
    assert.deepEqual(await subjectsOf('sized'), []);
  });

  it('never touches what people typed, unless it is told to', async () => {
    await store.entries.put({ subject: 'ip:203.0.113.1', list: 'manual', action: 'deny' });
    const { status, stderr } = await sync('', '--list', 'manual', '--yes');
    assert.deepEqual([status, stderr.includes('people typed into list manual')], [2, true]);
    assert.deepEqual(await subjectsOf('manual'), ['ip:203.0.113.1']);
  });

  it('does nothing while another run changes the list, and says who', async () => {
    await store.lists.create({ name: 'held' });
    const nowSeconds = Date.now() / 1000;
    await store.lists.takeLease('held', { holder: 'eve@elsewhere 1', until: nowSeconds + 3600 }, nowSeconds);
    const { status, stderr } = await sync('203.0.113.1\n', '--list', 'held');
    assert.equal(status, 1);
    assert.match(
      stderr,
      /^haverdict: list held is locked by a run of eve@elsewhere: try again when it is done, or after 20/m,
    );
    assert.deepEqual(await subjectsOf('held'), []);
  });

  it('fetches a URL again only if it has changed', async () => {
    const asked: (string | undefined)[] = [];
    const server = createServer((request, response) => {
      asked.push(request.headers['if-none-match']);
      if (request.headers['if-none-match'] === '"1"') response.writeHead(304).end();
      else response.writeHead(200, { etag: '"1"' }).end('203.0.113.5\n');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    after(() => void server.close());
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/drop.txt?token=secret`;
    const fetch = (...args: string[]) => runOnTable(endpoint, 'sync', url, '--inside', '--list', 'fetched', ...args);
    assert.match((await fetch()).stdout, /list fetched: 1 added, 0 changed, 0 removed\n$/);
    assert.match(
      (await fetch()).stdout,
      /the source has not changed since 20\S+: nothing to do \(--refetch reads it anyway\)\n$/,
    );
    assert.match((await fetch('--refetch')).stdout, /list fetched: 0 added, 0 changed, 0 removed\n$/);
    assert.deepEqual(JSON.parse((await fetch('--json')).stdout), { list: 'fetched', unchanged: true });
    assert.deepEqual(asked, [undefined, '"1"', undefined, '"1"']);
    const record = await store.lists.find('fetched');
    assert.deepEqual([record?.etag, record?.entries, record?.format], ['"1"', 1, 'plain']);
    assert.ok(!JSON.stringify(await Array.fromAsync(store.bulk.scan())).includes('secret'));
  });

  it('tells node_exporter when a list was synced, also where nothing had changed, and not if it fails', async (t) => {
    const file = join(temporaryFolder(t), 'haverdict-measured.prom');
    let isDown = false;
    const server = createServer((request, response) => {
      if (isDown) response.writeHead(503).end();
      else if (request.headers['if-none-match'] === '"1"') response.writeHead(304).end();
      else response.writeHead(200, { etag: '"1"' }).end('203.0.113.5\n203.0.113.6\n');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    after(() => void server.close());
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/drop.txt`;
    const fetch = (...args: string[]) =>
      runOnTable(endpoint, 'sync', url, '--inside', '--list', 'measured', '--metrics-file', file, ...args);
    assert.equal((await fetch('--dry-run')).status, 0);
    assert.ok(!existsSync(file), 'a dry run syncs nothing');
    const atSeconds = Math.floor(Date.now() / 1000);
    for (const isChanged of [true, false]) {
      rmSync(file, { force: true });
      const { status, stdout } = await fetch();
      assert.deepEqual([status, stdout.includes('nothing to do')], [0, !isChanged]);
      const { series, value } = readMetrics(readFileSync(file, 'utf8'));
      const names = LIST_METRICS.map(({ name }) => name);
      assert.deepEqual(
        series.map(({ name }) => name),
        names,
      );
      const [synced, entries] = names.map((name) => value(name, { list: 'measured' }));
      assert.ok(synced !== undefined && synced >= atSeconds && synced <= Date.now() / 1000);
      assert.equal(entries, 2);
    }
    const before = readFileSync(file, 'utf8');
    rmSync(file);
    assert.match((await fetch('--dry-run')).stdout, /nothing to do/);
    assert.ok(!existsSync(file), 'nor does one of what has not changed');
    writeFileSync(file, before);
    isDown = true;
    assert.equal((await fetch('--refetch')).status, 1);
    assert.equal(readFileSync(file, 'utf8'), before);
    assert.deepEqual(readdirSync(dirname(file)), ['haverdict-measured.prom']);
  });

  it('says which metrics file is none, or cannot be written', async () => {
    const named = await sync('203.0.113.1\n', '--list', 'unmeasured', '--metrics-file', 'drop.txt');
    const expected = `haverdict: --metrics-file "drop.txt" must end in .prom: node_exporter reads no other files\n`;
    assert.deepEqual([named.status, named.stderr], [2, expected]);
    const { status, stderr } = await sync('203.0.113.1\n', '--list', 'unmeasured', '--metrics-file', '/gone/a.prom');
    assert.equal(status, 1);
    assert.match(
      stderr,
      /^haverdict: list unmeasured is synced, but --metrics-file \/gone\/a\.prom cannot be written: ENOENT/m,
    );
    assert.deepEqual(await subjectsOf('unmeasured'), ['ip:203.0.113.1']);
  });

  it('loses nothing while two syncs and ten people write at once', async () => {
    const [first, second, third] = [1, 2, 3].map((block) =>
      Array.from({ length: 400 }, (_, n) => `10${block}.0.${n >> 8}.${n & 255}`),
    ) as [string[], string[], string[]];
    const text = (addresses: readonly string[]) => `${addresses.join('\n')}\n`;
    await sync(text(first), '--list', 'a');
    await sync(text(second), '--list', 'b');
    const people = Array.from({ length: 10 }, async (_, person) => {
      for (let step = 0; step < 8; step++) {
        await store.entries.put({ subject: `ip:198.18.${person}.${step}`, list: 'manual', action: 'deny' });
        // Where a feed has an entry too, in the list of people.
        await store.entries.put({ subject: `ip:101.0.0.${person}`, list: 'manual', action: 'allow', note: `${step}` });
      }
    });
    const wantedOfA = [...first.slice(100, 300), ...third];
    const runs = await Promise.all([
      sync(text(wantedOfA), '--list', 'a', '--yes'),
      sync(text(second.slice(50)), '--list', 'b'),
      ...people,
    ]);
    assert.deepEqual([runs[0].status, runs[1].status], [0, 0], `${runs[0].stderr}${runs[1].stderr}`);
    const named = (addresses: readonly string[]) => addresses.map((address) => `ip:${address}`).sort();
    assert.deepEqual((await subjectsOf('a')).sort(), named(wantedOfA));
    assert.deepEqual((await subjectsOf('b')).sort(), named(second.slice(50)));
    const manual = new Set(await subjectsOf('manual'));
    for (let person = 0; person < 10; person++) {
      for (let step = 0; step < 8; step++) assert.ok(manual.has(`ip:198.18.${person}.${step}`));
      assert.ok(manual.has(`ip:101.0.0.${person}`));
    }
  });
});
