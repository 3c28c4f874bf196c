import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { runOnTable } from '../../support/haverdict-on-table.ts';
import { localTable, storeAt } from '../../support/local-table.ts';

describe('haverdict show, list and remove', { concurrency: 4 }, async () => {
  const { endpoint } = await localTable({ after });
  const store = storeAt(endpoint);
  const run = (...args: string[]) => runOnTable(endpoint, ...args);
  await store.put({
    subject: 'ip:10.1.1.1',
    list: 'feed',
    action: 'deny',
    reason: 'a',
    note: `see ${'x'.repeat(70)}`,
  });
  await store.put({ subject: 'ip:10.1.1.1', list: 'manual', action: 'deny', expiresAt: 1 });
  await store.put({ subject: 'ip:10.1.0.0/16', list: 'manual', action: 'deny', createdBy: 'me@here' });
  await store.put({ subject: 'ip:10.1.1.1', list: 'odd\u009b', action: 'deny', createdBy: 'me\u001b[31m@here' });
  await store.put({ subject: 'ip:10.0.0.0/8', list: 'tenant-a', action: 'allow' });
  await store.put({ subject: 'ip:10.1.0.0/24', list: 'feed', action: 'deny' });
  // biome-ignore lint/suspicious/noExplicitAny: what a person typed is no entry
  await store.put({ subject: 'ip:10.1.1.0/24', list: 'manual', action: 'alow' } as any);

  it('shows every entry that covers an address, and which one wins', async () => {
    const { status, stdout } = await run('show', '10.1.1.1');
    assert.equal(status, 0);
    assert.equal(
      stdout,
      [
        `SUBJECT         LIST       ACTION  STATUS  EXPIRES               BY       STATE    ${'REASON'.padEnd(77)}  ${'NOTE'.padEnd(60)}  VARS`,
        `ip:10.1.1.1     feed       deny            never                                   ${'a'.padEnd(77)}  see ${'x'.repeat(55)}…`,
        'ip:10.1.1.1     manual     deny            1970-01-01T00:00:01Z           expired',
        'ip:10.1.1.1     odd\\u{9b}                                                 bad      list must be 1 to 64 of a-z 0-9 . _ - and begin with a letter or digit',
        'ip:10.1.1.0/24  manual                                                    bad      action "alow" is none of allow, deny, tarpit, drop, redirect, route, tag, log',
        'ip:10.1.0.0/16  manual     deny            never                 me@here',
        'ip:10.0.0.0/8   tenant-a   allow           never                          wins',
        '',
      ].join('\n'),
    );
  });

  it('lets only the named lists win, in their order', async () => {
    const winners = async (lists: string) =>
      JSON.parse((await run('show', '10.1.1.1', '--lists', lists, '--json')).stdout)
        .filter((entry: { outcome: string }) => entry.outcome === 'wins')
        .map((entry: { subject: string; list: string }) => `${entry.subject} ${entry.list}`);
    assert.deepEqual(await winners('manual,feed'), ['ip:10.1.1.1 feed']);
    assert.deepEqual(await winners('manual'), ['ip:10.1.0.0/16 manual']);
    assert.deepEqual(await winners('nobody'), []);
    assert.match((await run('show', '10.1.1.1', '--lists', 'manual')).stdout, /ip:10.0.0.0\/8 .* not asked\n/);
  });

  it('shows of a network what covers all of it', async () => {
    const { stdout } = await run('show', '10.1.0.0/16', '--json');
    const subjects = JSON.parse(stdout).map((entry: { subject: string }) => entry.subject);
    assert.deepEqual(subjects, ['ip:10.1.0.0/16', 'ip:10.0.0.0/8']);
  });

  it('shows what an entry does beside its action, shortened, and all of it as JSON', async () => {
    const vars = { location: 'https://shop.example/', 'req.set.x-note': 'y'.repeat(60) };
    await store.put({ subject: 'host:vars.example', list: 'vars', action: 'redirect', status: 301, vars });
    const { stdout } = await run('show', 'host:vars.example');
    const [, line = ''] = stdout.split('\n');
    assert.match(
      line,
      /^host:vars.example +vars +redirect +301 +never +wins +location=https:\/\/shop.example\/ req.set.x-note=y+…$/,
    );
    assert.equal(/location=.*/.exec(line)?.[0].length, 60);
    assert.match((await run('list', 'vars')).stdout, / redirect {2}301 .* location=https:\/\/shop.example\//);
    const [entry] = JSON.parse((await run('show', 'host:vars.example', '--json')).stdout);
    assert.deepEqual([entry.action, entry.status, entry.vars], ['redirect', 301, vars]);
  });

  it('says that there is nothing, and that is no failure', async () => {
    const { status, stdout } = await run('show', 'host:nobody.example');
    assert.deepEqual([status, stdout], [0, 'table haverdict has no entry for host:nobody.example\n']);
    assert.equal((await run('show', 'host:nobody.example', '--json')).stdout, '[]\n');
  });

  it('lists a list by subject', async () => {
    const { status, stdout } = await run('list');
    assert.equal(status, 0);
    const subjects = stdout.split('\n').map((line) => line.split(' ')[0]);
    assert.deepEqual(subjects, ['SUBJECT', 'ip:10.1.0.0/16', 'ip:10.1.1.0/24', 'ip:10.1.1.1', '']);
  });

  it('lists a list as JSON, one object a line', async () => {
    const { stdout } = await run('list', 'manual', '--json');
    const states = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).state);
    assert.deepEqual(states, ['good', 'bad', 'expired']);
  });

  it('says that a list is empty', async () => {
    const { status, stdout } = await run('list', 'nobody');
    assert.deepEqual([status, stdout], [0, 'list nobody of table haverdict has no entries\n']);
    assert.equal((await run('list', 'nobody', '--json')).stdout, '');
  });

  it('guesses which list was meant, and keeps the columns of one with a long name', async () => {
    const name = 'a-feed-with-a-long-name';
    assert.equal((await run('block', '203.0.113.77', '--list', name)).status, 0);
    const { stdout } = await run('list', name);
    const [heading = '', row = ''] = stdout.split('\n');
    assert.equal(heading.indexOf('ACTION'), row.indexOf('deny'));
    const empty = (list: string) => `list ${list} of table haverdict has no entries`;
    assert.equal(
      (await run('list', 'a-feed-with-a-long-nmae')).stdout,
      `${empty('a-feed-with-a-long-nmae')}: did you mean ${name}?\n`,
    );
    assert.equal((await run('remove', '203.0.113.77', '--list', name)).status, 0);
    assert.equal((await run('list', name)).stdout, `${empty(name)}\n`);
  });

  it('removes what is there, and says of the rest that it was not', async () => {
    await store.put({ subject: 'host:out.example', list: 'old', action: 'deny' });
    const { status, stdout } = await run('remove', 'host:out.example', 'host:never.example', '--list', 'old');
    const lines =
      'removed host:out.example from list old: deny, no expiry\nlist old has no entry for host:never.example\n';
    assert.deepEqual([status, stdout], [0, lines]);
    const again = await run('remove', 'host:out.example', '--list', 'old', '--json');
    assert.deepEqual(JSON.parse(again.stdout), [{ subject: 'host:out.example', list: 'old', removed: false }]);
  });
});
