import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import type { Change } from '../../../blocklist/records.ts';
import { runOnTable } from '../../support/haverdict-on-table.ts';
import { blocklistAt, localTable } from '../../support/local-table.ts';

describe('haverdict history', async () => {
  const { endpoint } = await localTable({ after });
  const store = blocklistAt(endpoint);
  const run = (...args: string[]) => runOnTable(endpoint, 'history', ...args);
  const json = async (...args: string[]) => JSON.parse((await run(...args, '--json')).stdout);
  const days = async (...args: string[]) => (await json(...args)).changes.map(({ at }: Change) => at.slice(8, 10));

  const change = { list: 'feed', change: 'put', by: 'me@here', action: 'deny' } as const;
  const at = (day: number) => `2027-01-0${day}T00:00:00.000Z`;
  const [first, second] = ['ip:203.0.113.1', 'ip:203.0.113.2'];
  await store.history.record({
    ...change,
    at: at(1),
    subjects: [first, second],
    run: 'r',
    source: 'https://feeds.example/a',
  });
  await store.history.record({
    list: 'feed',
    change: 'sync',
    by: 'me@here',
    at: at(2),
    run: 'r',
    totals: { put: 2, removed: 0 },
  });
  await store.history.record({
    ...change,
    at: at(3),
    list: 'manual',
    subjects: [first],
    why: 'abuse\u001b[31m',
    until: 1_900_000_000,
  });
  await store.history.record({ list: 'manual', change: 'remove', by: 'you@there', at: at(4), subjects: [first] });

  it('tells what was done to a subject in any list, newest first, even where it has no entry now', async () => {
    const { status, stdout } = await run('203.0.113.1');
    assert.equal(status, 0);
    assert.equal(
      stdout,
      [
        'AT                        LIST    CHANGE                               SUBJECTS                   BY         RUN  WHY              SOURCE',
        '2027-01-04T00:00:00.000Z  manual  remove                               ip:203.0.113.1             you@there',
        '2027-01-03T00:00:00.000Z  manual  put deny until 2030-03-17T17:46:40Z  ip:203.0.113.1             me@here         abuse\\u{1b}[31m',
        '2027-01-01T00:00:00.000Z  feed    put deny                             ip:203.0.113.1 and 1 more  me@here    r                     https://feeds.example/a',
        '',
      ].join('\n'),
    );
  });

  it('tells of one list, with the runs on it, each once', async () => {
    assert.deepEqual(await days('--list', 'feed'), ['02']);
    assert.deepEqual(await days('203.0.113.2', '--list', 'feed'), ['01']);
    assert.match((await run('--list', 'feed')).stdout, / sync +2 put, 0 removed +me@here +r\n/);
  });

  it('leaves room for other changes, however many parts a run has', async () => {
    const of = { ...change, list: 'large', run: 'large' };
    for (const [index, day] of [2, 3, 4, 5].entries())
      await store.history.record({ ...of, at: at(day), subjects: [`ip:192.0.2.${index}`] });
    await store.history.record({ ...of, change: 'import', at: at(6), totals: { put: 4 } });
    await store.history.record({ ...change, list: 'large', at: at(1), subjects: ['ip:192.0.2.9'] });
    const { changes, left } = await json('--list', 'large', '--limit', '2');
    assert.deepEqual([changes.map((one: Change) => one.at), left], [[at(6), at(1)], 0]);
    assert.deepEqual(await days('192.0.2.1', '--list', 'large'), ['03']);
  });

  it('tells no more than it is asked for, and how much it left', async () => {
    const { changes, left } = await json('203.0.113.1', '--limit', '2');
    assert.deepEqual([changes.map((one: Change) => one.at), left], [[at(4), at(3)], 1]);
    assert.match((await run('203.0.113.1', '--limit', '2')).stdout, /\n1 older change not shown: /);
  });

  it('looks no further back than it is told to', async () => {
    const now = new Date().toISOString();
    await store.history.record({ ...change, list: 'recent', at: '2020-01-01T00:00:00.000Z', subjects: ['key:recent'] });
    await store.history.record({ ...change, list: 'recent', at: now, subjects: ['key:recent'] });
    const { changes } = await json('--list', 'recent', '--since', '1h');
    assert.deepEqual(
      changes.map((one: Change) => one.at),
      [now],
    );
  });

  it('tells an entry that no tool put there', async () => {
    await store.entries.put({ subject: second, list: 'hand', action: 'deny' });
    await store.entries.put({ subject: second, list: 'feed', action: 'deny' });
    assert.deepEqual((await json('203.0.113.2')).unrecorded, ['hand']);
    const { stdout } = await run('203.0.113.2');
    assert.match(
      stdout,
      /^the history has no record of the entry in list hand: it was written by another program, or before there was a history\nAT /,
    );
  });

  it('says so where nothing is known', async () => {
    const { status, stdout } = await run('host:nobody.example');
    assert.deepEqual([status, stdout], [0, 'the history has no changes of host:nobody.example\n']);
  });

  it('wants to know of what, and refuses a limit that is none', async () => {
    const nothing = await run();
    assert.deepEqual(
      [nothing.status, nothing.stderr],
      [2, 'haverdict: name a subject, a list with --list, or a time with --since, or several of them\n'],
    );
    assert.equal((await run('203.0.113.1', '--limit', '0')).status, 2);
  });
});
