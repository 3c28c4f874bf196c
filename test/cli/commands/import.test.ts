import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { faultyTable } from '../../support/faulty-table.ts';
import { runAround, runOnTable, startOnTable } from '../../support/haverdict-on-table.ts';
import { blocklistAt, localTable } from '../../support/local-table.ts';

const FEED = `# a feed
203.0.113.7
198.51.100.0/24 ; a network
203.0.113.7
2001:db8::/32
`;

describe('haverdict import', async () => {
  const { endpoint } = await localTable({ after });
  const store = blocklistAt(endpoint);
  const folder = mkdtempSync(join(tmpdir(), 'haverdict-test-'));
  after(() => rmSync(folder, { recursive: true }));
  const fileOf = (name: string, text: string) => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  const feed = fileOf('feed.txt', FEED);
  const subjectsOf = async (list: string) =>
    (await Array.fromAsync(store.entries.ofList(list))).map(({ subject }) => subject);

  it('writes what the source has and the list has not, and tells the history', async () => {
    const { status, stdout, stderr } = await runOnTable(endpoint, 'import', feed, '--list', 'one', '--reason', 'abuse');
    assert.deepEqual([status, stdout.split('\n').at(-2)], [0, 'wrote 3 entries to list one']);
    assert.match(
      stderr,
      /^haverdict: warning: list one is new: agents look only in the lists of their configuration\n$/,
    );
    const items = await Array.fromAsync(store.entries.ofList('one'));
    assert.deepEqual(await subjectsOf('one'), ['ip:198.51.100.0/24', 'ip:2001:db8::/32', 'ip:203.0.113.7']);
    assert.ok(items.every(({ action, reason, createdBy }) => action === 'deny' && reason === 'abuse' && createdBy));
    const [run, put] = await Array.fromAsync(store.history.of('one'));
    assert.deepEqual([run?.change, run?.source, run?.totals], ['import', feed, { put: 3 }]);
    assert.deepEqual([put?.change, put?.why, put?.run], ['put', 'abuse', run?.run]);
    assert.deepEqual(new Set(put?.subjects), new Set(await subjectsOf('one')));
  });

  it('leaves what is as it should be, and entries of others, alone', async () => {
    await store.entries.put({ subject: 'ip:203.0.113.99', list: 'one', action: 'allow', note: 'mine' });
    const before = await Array.fromAsync(store.entries.ofList('one'));
    const { stdout } = await runOnTable(endpoint, 'import', feed, '--list', 'one', '--reason', 'abuse');
    assert.match(stdout, /\nwrote 0 entries to list one\n$/);
    assert.deepEqual(await Array.fromAsync(store.entries.ofList('one')), before);
  });

  it('refuses the old name of an option with the new one', async () => {
    const { status, stderr } = await runOnTable(endpoint, 'import', '-', '--list', 'two', '--skip-bad');
    assert.deepEqual([status, stderr], [2, 'haverdict: --skip-bad is now --skip-invalid\n']);
  });

  it('writes nothing at all where a line cannot be taken, and names the line', async () => {
    const bad = fileOf('bad.txt', '203.0.113.1\nnonsense\n10.1.2.3\n203.0.113.0/99\n');
    const { status, stderr } = await runOnTable(endpoint, 'import', bad, '--list', 'two');
    assert.equal(status, 1);
    assert.match(stderr, new RegExp(`^${bad}:2: "nonsense" is not an address`, 'm'));
    assert.match(stderr, new RegExp(`^${bad}:3: deny ip:10.1.2.3 would block 10.0.0.0/8: private networks`, 'm'));
    assert.match(stderr, new RegExp(`^${bad}:4: `, 'm'));
    assert.match(
      stderr,
      /^haverdict: nothing was written: 2 of 4 lines cannot be read; .*--skip-invalid; 1 more .*--skip-protected skips\n$/m,
    );
    assert.deepEqual(await subjectsOf('two'), []);
    const half = await runOnTable(endpoint, 'import', bad, '--list', 'two', '--skip-invalid');
    assert.match(half.stderr, /^haverdict: nothing was written: 1 of 4 lines would block .*--skip-protected/m);
    const few = ['--list', 'two', '--skip-protected', '--max-invalid'];
    for (const bound of ['1', '49.9%'])
      assert.match(
        (await runOnTable(endpoint, 'import', bad, ...few, bound)).stderr,
        /^haverdict: nothing was written: 2 of 4 lines cannot be read, and at most 1 are skipped; fix them, or skip more with --max-invalid\n$/m,
      );
    assert.deepEqual(await subjectsOf('two'), []);
    const both = ['--list', 'two', '--skip-invalid', '--json'];
    const previewed = await runOnTable(endpoint, 'import', bad, ...both, '--skip-protected', '--dry-run');
    assert.equal(previewed.status, 65);
    assert.match(previewed.stderr, /^haverdict: would skip 2 lines as invalid and 1 line as protected\n$/m);
    const skipped = await runOnTable(endpoint, 'import', bad, ...both, '--skip-protected');
    assert.deepEqual(
      [skipped.status, JSON.parse(skipped.stdout)],
      [65, { list: 'two', written: 1, skipped: 3, protected: 1 }],
    );
    assert.match(skipped.stderr, /^haverdict: done, but skipped 2 lines as invalid and 1 line as protected\n$/m);
    const [recorded] = await Array.fromAsync(store.history.of('two'));
    assert.deepEqual(recorded?.totals, { put: 1, invalid: 2, protected: 1 });
    const forced = await runOnTable(endpoint, 'import', bad, ...both, '--force');
    assert.deepEqual(JSON.parse(forced.stdout), { list: 'two', written: 1, skipped: 2, protected: 0 });
    const { invalid, protected: left } = (await store.lists.find('two')) ?? {};
    assert.deepEqual([invalid, left], [2, undefined]);
    assert.deepEqual(await subjectsOf('two'), ['ip:10.1.2.3', 'ip:203.0.113.1']);
  });

  it('changes nothing with --dry-run, and prints what it would write', async () => {
    const { stdout } = await runOnTable(endpoint, 'import', feed, '--list', 'three', '--dry-run');
    assert.match(
      stdout,
      /\+ ip:198\.51\.100\.0\/24 deny\n\+ ip:2001:db8::\/32 deny\n\+ ip:203\.0\.113\.7 deny\nwould write 3 entries to list three\n$/,
    );
    assert.deepEqual([await subjectsOf('three'), await store.lists.find('three')], [[], undefined]);
  });

  it('takes standard input, and prints nothing with --quiet', async () => {
    const run = await runAround(
      { input: 'evil.example\n' },
      endpoint,
      'import',
      '-',
      '--list',
      'hosts',
      '--kind',
      'host',
      '--quiet',
    );
    assert.deepEqual([run.status, run.stdout], [0, '']);
    assert.deepEqual(await subjectsOf('hosts'), ['host:evil.example']);
  });

  it('leaves out what is over already', async () => {
    const over = fileOf('over.ndjson', '{"subject":"ip:203.0.113.1","expiresAt":5}\n{"subject":"ip:203.0.113.2"}\n');
    const { stderr } = await runOnTable(endpoint, 'import', over, '--list', 'over');
    assert.match(stderr, /1 expired entry skipped/);
    assert.deepEqual(await subjectsOf('over'), ['ip:203.0.113.2']);
  });

  it('refuses an option that no entry can have, once', async () => {
    const { status, stderr } = await runOnTable(endpoint, 'import', feed, '--reason', 'x'.repeat(201));
    assert.deepEqual([status, stderr], [2, 'haverdict: reason must be one line of at most 200 printable characters\n']);
  });

  it('stopped by Ctrl-C tells so, and a second run goes on', async (t) => {
    const many = fileOf('many.txt', Array.from({ length: 3000 }, (_, n) => `203.0.${n >> 8}.${n & 255}\n`).join(''));
    const signal = new AbortController();
    let calls = 0;
    // The tenth call to the database waits for the program to be interrupted.
    const slow = await faultyTable(t, endpoint, ({ operation }) => {
      if (operation === 'BatchWriteItem' && ++calls === 10) signal.abort();
      return undefined;
    });
    const run = startOnTable(slow, ['import', many, '--list', 'long']);
    signal.signal.addEventListener('abort', () => run.child.kill('SIGINT'));
    const { status, stderr } = await run.ended;
    const written = (await subjectsOf('long')).length;
    assert.equal(status, 130, stderr);
    assert.match(
      stderr,
      new RegExp(`^haverdict: stopped: wrote ${written} entries to list long; run it again to continue\n$`, 'm'),
    );
    assert.ok(written < 3000, `${written}`);
    assert.equal((await store.lists.find('long'))?.syncedAt, undefined);
    const again = await runOnTable(endpoint, 'import', many, '--list', 'long', '--json');
    assert.deepEqual(JSON.parse(again.stdout), { list: 'long', written: 3000 - written, skipped: 0, protected: 0 });
    assert.equal((await subjectsOf('long')).length, 3000);
  });
});
