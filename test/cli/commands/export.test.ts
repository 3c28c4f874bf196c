import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import type { StoredEntry } from '../../../blocklist/entry.ts';
import { runOnTable } from '../../support/haverdict-on-table.ts';
import { blocklistAt, localTable } from '../../support/local-table.ts';

const ENTRIES: readonly StoredEntry[] = [
  { subject: 'host:*.evil.example', list: 'manual', action: 'tarpit', reason: 'a "quoted", reason', note: 'über' },
  { subject: 'ip:203.0.113.0/24', list: 'manual', action: 'deny', status: 429, expiresAt: 4_000_000_000 },
  { subject: 'path:/old/*', list: 'manual', action: 'redirect', vars: { location: 'https://new.example/' } },
];

describe('haverdict export', async () => {
  const { endpoint } = await localTable({ after });
  const store = blocklistAt(endpoint);
  const folder = mkdtempSync(join(tmpdir(), 'haverdict-test-'));
  after(() => rmSync(folder, { recursive: true }));
  for (const entry of ENTRIES) await store.entries.put(entry);
  await store.entries.put({ subject: 'ip:203.0.113.5', list: 'manual', action: 'deny', expiresAt: 5 });

  for (const format of ['ndjson', 'csv', 'json'])
    it(`as ${format} is what an import of it writes`, async () => {
      const file = join(folder, `manual.${format}`);
      const exported = await runOnTable(endpoint, 'export', '--format', format, '--out', file);
      assert.deepEqual([exported.status, exported.stdout, exported.stderr], [0, '', '']);
      const imported = (...args: string[]) =>
        runOnTable(endpoint, 'import', file, '--list', `from-${format}`, '--quiet', ...args);
      const refused = await imported();
      const [, option = '', words = ''] = /(--trust) (\S+)$/.exec(refused.stderr.trim()) ?? [];
      assert.deepEqual([refused.status, words], [1, 'host,path,redirect,status,tarpit,var.location'], refused.stderr);
      const { status, stderr } = await imported(option, words);
      assert.equal(status, 0, stderr);
      const found = await Array.fromAsync(store.entries.ofList(`from-${format}`));
      const decided = found.map(({ createdBy: _by, createdAt: _at, ...entry }) => ({ ...entry, list: 'manual' }));
      assert.deepEqual(decided, ENTRIES);
    });

  it('leaves out what is over, unless it is asked for, and says what cannot be read', async () => {
    await store.entries.put({ subject: 'ip:203.0.113.009', list: 'odd', action: 'deny' });
    await store.entries.put({ subject: 'ip:203.0.113.7', list: 'odd', action: 'deny', expiresAt: 5 });
    const { stdout, stderr } = await runOnTable(endpoint, 'export', 'odd', '--format', 'plain');
    assert.equal(stdout, '');
    assert.match(stderr, /^haverdict: warning: ip:203\.0\.113\.009 is not exported: subject .*\n$/);
    assert.equal(
      (await runOnTable(endpoint, 'export', 'odd', '--format', 'plain', '--expired')).stdout,
      '203.0.113.7\n',
    );
  });

  it('leaves a file as it was when it cannot be replaced', async () => {
    const file = join(folder, 'kept');
    writeFileSync(file, 'before');
    await store.entries.put({ subject: 'host:a b', list: 'blank', action: 'deny' });
    const entry = { subject: 'ua:a b', list: 'blank', action: 'deny' } as const;
    await store.entries.put(entry);
    const { status, stderr } = await runOnTable(endpoint, 'export', 'blank', '--format', 'haproxy', '--out', file);
    assert.equal(status, 1, stderr);
    assert.equal(readFileSync(file, 'utf8'), 'before');
    assert.deepEqual(
      readdirSync(folder).filter((name) => name.endsWith('.tmp')),
      [],
    );
  });
});
