import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { runAround, runOnTable } from '../../support/haverdict-on-table.ts';
import { blocklistAt, localTable } from '../../support/local-table.ts';

describe('haverdict revert', async () => {
  const { endpoint } = await localTable({ after });
  const store = blocklistAt(endpoint);
  const run = (...args: string[]) => runOnTable(endpoint, ...args);
  const entriesOf = async (list: string) =>
    (await Array.fromAsync(store.entries.ofList(list))).map(({ subject, action }) => `${subject} ${action}`);
  const lastRun = async (list: string) => (await Array.fromAsync(store.history.of(list)))[0]?.run ?? '';
  const sync = (list: string, lines: string) => runAround({ input: lines }, endpoint, 'sync', '-', '--list', list);

  it('shows what a sync changed, changes nothing without --yes, and takes it back but for what changed since', async () => {
    await run('block', '203.0.113.1', '203.0.113.2', '--list', 'feed', '--reason', 'first');
    const before = await Array.fromAsync(store.entries.ofList('feed'));
    await sync('feed', '203.0.113.2\n203.0.113.3\n203.0.113.4\n');
    const id = await lastRun('feed');
    await run('allow', '203.0.113.4', '--list', 'feed');
    const shown =
      /^- ip:203\.0\.113\.3 deny$|^\+ ip:203\.0\.113\.1 deny$|^~ ip:203\.0\.113\.2 deny$|^= ip:203\.0\.113\.4 left alone: changed since by \S+@\S+ 2\S+Z$/gm;
    for (const [options, status] of [
      [[], 1],
      [['--dry-run'], 0],
      [['--dry-run', '--yes'], 0],
    ] as const) {
      const shows = await run('revert', id, ...options);
      assert.equal(shows.status, status);
      assert.equal(shows.stdout.match(shown)?.length, 4, shows.stdout);
      assert.match(shows.stdout, /^list feed: would be 2 restored, 1 removed, 1 left alone$/m);
      assert.equal((await entriesOf('feed')).length, 3);
    }
    const done = await run('revert', id, '--yes', '--reason', 'wrong feed');
    assert.equal(done.status, 65, done.stderr);
    const [own] = await Array.fromAsync(store.history.of('feed'));
    assert.deepEqual([own?.change, own?.why], ['revert', `revert of ${id}: wrong feed`]);
    assert.deepEqual(own?.totals, { put: 2, removed: 1, unchanged: 0, kept: 1 });
    assert.match(done.stdout, new RegExp(`^haverdict revert ${own?.run} takes this back$`, 'm'));
    const now = await Array.fromAsync(store.entries.ofList('feed'));
    assert.deepEqual(now.slice(0, 2), before);
    assert.deepEqual((await entriesOf('feed')).slice(2), ['ip:203.0.113.4 allow']);
  });

  it('restores a list that was deleted, with its description', async () => {
    await run('lists', 'create', 'gone', '--description', 'why it is there', '--owner', 'team');
    await run('block', '203.0.113.9', '--list', 'gone');
    await run('lists', 'delete', 'gone', '--yes');
    const { status, stdout } = await run('revert', await lastRun('gone'), '--yes', '--json');
    const { run: own, ...counts } = JSON.parse(stdout);
    assert.deepEqual(
      [status, counts],
      [0, { list: 'gone', restored: 1, removed: 0, kept: 0, unchanged: 0, dryRun: false }],
    );
    const { description, owner } = (await store.lists.find('gone')) ?? {};
    assert.deepEqual([description, owner], ['why it is there', 'team']);
    assert.equal((await run('revert', own, '--yes')).status, 0);
    assert.deepEqual(await entriesOf('gone'), []);
  });

  it('blocks nobody who is protected meanwhile, and says which', async () => {
    await run('block', '10.1.2.3', '--list', 'own', '--force');
    await run('remove', '10.1.2.3', '--list', 'own');
    const id = await lastRun('own');
    const refused = await run('revert', id, '--yes');
    assert.deepEqual([refused.status, await entriesOf('own')], [65, []]);
    assert.match(refused.stdout, /^= ip:10\.1\.2\.3 left alone: deny ip:10\.1\.2\.3 would block 10\.0\.0\.0\/8/m);
    assert.equal((await run('revert', id, '--yes', '--force')).status, 0);
    assert.deepEqual(await entriesOf('own'), ['ip:10.1.2.3 deny']);
  });

  it('names what is no run, and what it does not know', async () => {
    const [typo, unknown] = [await run('revert', 'feed'), await run('revert', '0123456789ab', '--yes')];
    assert.deepEqual([typo.status, unknown.status], [2, 1]);
    assert.match(typo.stderr, /^haverdict: "feed" is not a run: name one of the column RUN of haverdict history\n$/);
    assert.match(unknown.stderr, /^haverdict: no run 0123456789ab can be reverted in table haverdict: .* 30 days\n$/);
  });
});
