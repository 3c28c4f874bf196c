import assert from 'node:assert/strict';
import { hostname, userInfo } from 'node:os';
import { after, describe, it } from 'node:test';
import type { Item } from '../../../functions/blocklist/store.ts';
import { runOnTable } from '../../support/haverdict-on-table.ts';
import { localTable, storeAt } from '../../support/local-table.ts';

describe('haverdict block', { concurrency: 4 }, async () => {
  const { endpoint } = await localTable({ after });
  const block = (...args: string[]) => runOnTable(endpoint, 'block', ...args);
  const stored = (subject: string) => itemsOf(endpoint, subject);

  it('writes one entry for each subject, in canonical form', async () => {
    const { status, stdout } = await block(
      '203.0.113.7/32',
      '2001:DB8::/32',
      'host:Evil.example',
      'host:evil.example.',
    );
    assert.equal(status, 0);
    assert.equal(
      stdout,
      'deny ip:203.0.113.7 in manual for ever\ndeny ip:2001:db8::/32 in manual for ever\ndeny host:evil.example in manual for ever\n',
    );
    for (const subject of ['ip:203.0.113.7', 'ip:2001:db8::/32', 'host:evil.example'])
      assert.equal((await stored(subject)).length, 1);
  });

  it('writes all that it was told, and who told it when', async () => {
    const before = Date.now();
    const options = [
      '--list',
      'tenant-a',
      '--for',
      '24h',
      '--reason',
      'abuse',
      '--note',
      'T-1',
      '--status',
      '429',
      '--json',
    ];
    const { status, stdout } = await block('192.0.2.1', ...options);
    assert.equal(status, 0);
    const [entry] = await stored('ip:192.0.2.1');
    assert.deepEqual(JSON.parse(stdout), [entry]);
    assert.ok(entry);
    const { createdAt, expiresAt, ...rest } = entry;
    const createdBy = `${userInfo().username}@${hostname()}`;
    const expected = {
      subject: 'ip:192.0.2.1',
      list: 'tenant-a',
      action: 'deny',
      reason: 'abuse',
      note: 'T-1',
      status: 429,
      createdBy,
    };
    assert.deepEqual(rest, expected);
    const made = Date.parse(String(createdAt));
    assert.ok(made >= before && made <= Date.now());
    assert.equal(expiresAt, Math.floor(made / 1000) + 86_400);
  });

  it('takes a time with its zone as the end', async () => {
    const { stdout } = await block('192.0.2.2', '--until', '2090-01-01T01:00:00+01:00');
    assert.equal(stdout, 'deny ip:192.0.2.2 in manual until 2090-01-01T00:00:00Z\n');
    assert.equal((await stored('ip:192.0.2.2'))[0]?.expiresAt, Date.UTC(2090, 0, 1) / 1000);
  });

  it('says that it replaces, and so does allow', async () => {
    await block('192.0.2.3');
    const { stdout } = await runOnTable(endpoint, 'allow', '192.0.2.3');
    assert.equal(stdout, 'allow ip:192.0.2.3 in manual for ever, replacing the entry there\n');
    assert.equal((await stored('ip:192.0.2.3'))[0]?.action, 'allow');
  });

  it('writes nothing at all when one subject is wrong', async () => {
    const { status, stdout, stderr } = await block('198.51.100.1', '198.51.100.7/24');
    assert.deepEqual([status, stdout], [2, '']);
    assert.equal(stderr, 'haverdict: "198.51.100.7/24" has bits set after its prefix: did you mean 198.51.100.0/24?\n');
    assert.deepEqual(await stored('ip:198.51.100.1'), []);
  });

  const refused: readonly (readonly [string, readonly string[], RegExp])[] = [
    ['no subject', [], /^haverdict: missing required argument 'subject'\n$/],
    [
      'what is no subject',
      ['nonsense'],
      /^haverdict: "nonsense" is no address, no network and has no known kind .*\n$/,
    ],
    [
      '--for with --until',
      ['1.1.1.1', '--for', '1h', '--until', '2090-01-01T00:00Z'],
      /'--until <time>' cannot be used with option '--for <duration>'\n$/,
    ],
    ['a duration without unit', ['1.1.1.1', '--for', '24'], /^haverdict: "24" is no duration: .* like 24h\n$/],
    ['a time that is past', ['1.1.1.1', '--until', '2020-01-01T00:00Z'], /^haverdict: "2020-01-01T00:00Z" is past\n$/],
    [
      'a time without zone',
      ['1.1.1.1', '--until', '2090-01-01T00:00'],
      /^haverdict: "2090-01-01T00:00" is no time: write it with its zone/,
    ],
    ['the 30th of February', ['1.1.1.1', '--until', '2090-02-30T00:00Z'], /is no time/],
    ['a line break in the reason', ['1.1.1.1', '--reason', 'a\nb'], /^haverdict: reason must be one line/],
    [
      'a long note',
      ['1.1.1.1', '--note', 'x'.repeat(501)],
      /^haverdict: the note has 501 characters, the limit is 500/,
    ],
    [
      'a status that no rule obeys',
      ['1.1.1.1', '--status', '418'],
      /argument '418' is invalid. Allowed choices are 400, 401/,
    ],
    ['a list that is no name', ['1.1.1.1', '--list', 'My List'], /^haverdict: "My List" is no list name/],
    [
      'an unknown option',
      ['1.1.1.1', '--lsit', 'a'],
      /^haverdict: unknown option '--lsit' \(Did you mean --list\?\)\n$/,
    ],
    [
      'an endpoint that is no URL',
      ['1.1.1.1', '--endpoint-url', 'localhost'],
      /^haverdict: --endpoint-url "localhost" is no URL/,
    ],
  ];
  for (const [what, args, message] of refused)
    it(`refuses ${what} with exit code 2`, async () => {
      const { status, stdout, stderr } = await block(...args);
      assert.deepEqual([status, stdout], [2, '']);
      assert.match(stderr, message);
      assert.equal(stderr.split('\n').length, 2);
    });

  it('fails with exit code 1 and the name of the table that is not there', async () => {
    const { status, stderr } = await block('1.1.1.1', '--table', 'nope');
    assert.equal(status, 1);
    assert.match(stderr, /^haverdict: put on table nope at http:.* failed: there is no table nope there, .*\n$/);
  });

  it('fails with exit code 1 and the endpoint where nothing answers', async () => {
    const { status, stderr } = await block('1.1.1.1', '--endpoint-url', 'http://127.0.0.1:1');
    assert.equal(status, 1);
    assert.match(
      stderr,
      /^haverdict: put on table haverdict at http:\/\/127.0.0.1:1 failed: nothing answers there .*\n$/,
    );
  });
});

async function itemsOf(endpoint: string, subject: string): Promise<Item[]> {
  const items: Item[] = [];
  for await (const item of storeAt(endpoint).entriesOfSubject(subject)) items.push(item);
  return items;
}
