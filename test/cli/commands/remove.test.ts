import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { run as runCommand } from '../../../cli/program.ts';
import { configFile } from '../../support/config-file.ts';
import { runOnTable } from '../../support/haverdict-on-table.ts';
import { blocklistAt, localTable } from '../../support/local-table.ts';

const SOON = Math.floor(Date.now() / 1000) + 3600;

describe('haverdict remove and list, with filters', async () => {
  const { endpoint } = await localTable({ after });
  const store = blocklistAt(endpoint);
  const run = (...args: string[]) => runOnTable(endpoint, ...args);
  const subjectsOf = async (list: string) =>
    (await Array.fromAsync(store.entries.ofList(list))).map(({ subject }) => subject);

  before(async () => {
    const deny = { list: 'mixed', action: 'deny' } as const;
    for (const entry of [
      { subject: 'ip:203.0.113.7', reason: 'SSH scan', createdBy: 'anna@ops' },
      { subject: 'ip:203.0.113.0/25', createdBy: 'anna@home', expiresAt: SOON },
      { subject: 'ip:203.0.0.0/16', createdBy: 'annabel@ops' },
      { subject: 'ip:2001:db8::/48', reason: 'ssh' },
      { subject: 'host:shop.example', reason: 'phishing', expiresAt: SOON - 7200 },
    ])
      await store.entries.put({ ...deny, ...entry });
  });

  it('take the entries that pass every filter', async () => {
    for (const [filters, expected] of [
      [
        ['--reason', 'ssh'],
        ['ip:2001:db8::/48', 'ip:203.0.113.7'],
      ],
      [
        ['--by', 'anna'],
        ['ip:203.0.113.0/25', 'ip:203.0.113.7'],
      ],
      [['--by', 'anna@ops'], ['ip:203.0.113.7']],
      [
        ['--within', '203.0.113.0/24'],
        ['ip:203.0.113.0/25', 'ip:203.0.113.7'],
      ],
      [['--within', '2001:db8::/32'], ['ip:2001:db8::/48']],
      [['--expiring', '2h'], ['ip:203.0.113.0/25']],
      [['--expiring', '30m'], []],
      [['--by', 'anna', '--reason', 'ssh'], ['ip:203.0.113.7']],
    ] as const) {
      const { stdout } = await run('list', 'mixed', '--json', ...filters);
      const found = stdout.split('\n').filter((line) => line !== '');
      assert.deepEqual(
        found.map((line) => JSON.parse(line).subject),
        expected,
        filters.join(' '),
      );
    }
    assert.equal((await run('list', 'mixed', '--within', 'here')).status, 2);
  });

  it('show what would be removed before it is, and can be reverted', async () => {
    const shown = await run('remove', '--list', 'mixed', '--within', '203.0.113.0/24');
    assert.deepEqual([shown.status, shown.stdout], [1, '- ip:203.0.113.0/25\n- ip:203.0.113.7\n']);
    assert.match(shown.stderr, /^haverdict: nothing was changed: add --yes to remove 2 entries from list mixed\n$/);
    assert.equal((await subjectsOf('mixed')).length, 5);
    const done = await run('remove', '--list', 'mixed', '--within', '203.0.113.0/24', '--yes', '--reason', 'over');
    assert.deepEqual([done.status, (await subjectsOf('mixed')).length], [0, 3], done.stderr);
    const [record] = await Array.fromAsync(store.history.of('mixed'));
    assert.deepEqual([record?.change, record?.subjects?.length, record?.why], ['remove', 2, 'over']);
    assert.equal((await run('revert', record?.run ?? '', '--yes')).status, 0);
    assert.equal((await subjectsOf('mixed')).length, 5);
  });

  it('want subjects or filters', async () => {
    for (const args of [[], ['203.0.113.7', '--by', 'anna']]) assert.equal((await run('remove', ...args)).status, 2);
  });

  it('says what still blocks an address', async () => {
    await run('block', '198.51.100.7');
    await run('block', '198.51.100.0/24', '--list', 'feed');
    const removed = await run('remove', '198.51.100.7');
    assert.match(
      removed.stdout,
      /\nip:198\.51\.100\.7 still gets deny, where list feed is asked: entry ip:198\.51\.100\.0\/24 in list feed\n$/,
    );
    const { stdout } = await run('remove', '198.51.100.7', '--json');
    assert.deepEqual(JSON.parse(stdout)[0].stillBlockedBy, {
      subject: 'ip:198.51.100.0/24',
      list: 'feed',
      action: 'deny',
    });
    await run('allow', '198.51.100.7');
    assert.doesNotMatch((await run('unblock', '198.51.100.7', '--list', 'other')).stdout, /still/);
  });
});

describe('haverdict remove, from a list that is synced', async () => {
  const { endpoint } = await localTable({ after });
  const run = (...args: string[]) => runOnTable(endpoint, ...args);

  it('says that the next sync writes the same again, one by one and with filters', async (t) => {
    const file = configFile(t, '203.0.113.7\n203.0.113.8\n203.0.113.9\n');
    await run('sync', file, '--list', 'feed');
    const comesBack = `the next sync of ${file} writes the same again`;
    const one = await run('remove', '203.0.113.7', '--list', 'feed');
    assert.ok(one.stdout.endsWith(`\n${comesBack}: haverdict allow lets a subject pass in spite of its list\n`));
    const [removed, absent] = JSON.parse(
      (await run('remove', '203.0.113.8', '192.0.2.1', '--list', 'feed', '--json')).stdout,
    );
    assert.deepEqual([removed.comesBackFrom, absent.comesBackFrom], [file, undefined]);
    assert.ok(
      (await run('remove', '--within', '203.0.113.0/24', '--list', 'feed', '--yes')).stdout.endsWith(
        `\n${comesBack}\n`,
      ),
    );
    await run('import', file, '--list', 'once');
    for (const gone of [['203.0.113.9'], ['--within', '203.0.113.0/24', '--yes']])
      assert.doesNotMatch((await run('remove', ...gone, '--list', 'once')).stdout, /again/);
    assert.doesNotMatch((await run('remove', '203.0.113.7', '--list', 'feed')).stdout, /again/);
  });
});

describe('a list that nobody asks', async () => {
  const { endpoint } = await localTable({ after });
  const store = blocklistAt(endpoint);

  it('is not made by a typo where the configuration says which lists are asked', async (t) => {
    const config = configFile(t, 'lists: [manual, { name: feed, actions: [deny] }]\n');
    const run = (...args: string[]) => runOnTable(endpoint, ...args, '-c', config);
    for (const args of [
      ['block', '203.0.113.7'],
      ['allow', '203.0.113.7'],
    ]) {
      const { status, stderr } = await run(...args, '--list', 'feeed');
      assert.match(
        stderr,
        /^haverdict: list feeed is new, and is not among the lists of \S+, manual, feed \(did you mean feed\?\): add it there, or write it with --new-list\n$/,
      );
      assert.notEqual(status, 0);
      assert.equal(await store.lists.find('feeed'), undefined);
    }
    const known = await run('block', '203.0.113.7', '--list', 'feed');
    assert.deepEqual([known.status, known.stderr], [0, '']); // new, but no typo
    assert.equal((await run('block', '203.0.113.7', '--list', 'later', '--new-list')).status, 0);
    assert.equal((await runOnTable(endpoint, 'ban', '203.0.113.8', '--list', 'free')).status, 0);
  });

  it('is refused although it is registered, by every command that would write there', async (t) => {
    const config = configFile(t, 'lists: [feed]\n');
    const file = configFile(t, '203.0.113.9\n');
    const run = (...args: string[]) => runOnTable(endpoint, ...args, '-c', config);
    await store.lists.create({ name: 'known' });
    for (const [list, named] of [
      ['known', ['--list', 'known']],
      ['manual', []],
    ] as const)
      for (const args of [
        ['block', '203.0.113.8', ...named],
        ['allow', '203.0.113.8', ...named],
        ['import', file, '--list', list],
        ['sync', file, '--list', list, '--force'],
        ['import', file, '--list', list, '--dry-run'],
      ]) {
        const { status, stdout, stderr } = await run(...args);
        assert.deepEqual([status, stdout], [2, ''], args.join(' '));
        assert.equal(
          stderr,
          `haverdict: list ${list} is not among the lists of ${config}, feed: add it there, or write it with --new-list\n`,
        );
      }
    assert.deepEqual(await Array.fromAsync(store.entries.ofList('known')), []);
    assert.equal((await run('import', file, '--list', 'known', '--new-list')).status, 0);
    assert.equal((await runOnTable(endpoint, 'remove', '203.0.113.9', '--list', 'known')).status, 0);
  });

  it('add is no command, and says what is', async () => {
    let said = '';
    const write = (text: string | Uint8Array) => {
      said += text;
      return true;
    };
    assert.equal(await runCommand(['node', 'haverdict', 'add', '203.0.113.7'], { write }), 2);
    assert.match(said, /^haverdict: add is not a command: block denies, allow lets pass/);
  });
});
