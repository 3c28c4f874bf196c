import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { hostname, userInfo } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import type { Item } from '../../../blocklist/store.ts';
import { withIsoTimes } from '../../../cli/output/json-times.ts';
import { configFile, temporaryFolder } from '../../support/config-file.ts';
import { runOnTable } from '../../support/haverdict-on-table.ts';
import { localTable, storeAt } from '../../support/local-table.ts';
import { refusalOf } from '../../support/refusal.ts';

/** Options that say two things, or something that nobody would look at. */
const COMBINATIONS = (
  [
    ['a redirect to nowhere', '--action redirect', /^haverdict: --action redirect needs --location\n/],
    ['a route to nowhere', '--action route', /^haverdict: --action route needs --backend or --split\n/],
    ['a location of a deny', '--location /x', /^haverdict: --location works with --action redirect, not with deny\n/],
    [
      'a backend of a tag',
      '--action tag --backend b',
      /^haverdict: --backend works with --action route, not with tag\n/,
    ],
    [
      'a split of a drop',
      '--action drop --split b=1',
      /^haverdict: --split works with --action route, not with drop\n/,
    ],
    [
      'a status of a drop',
      '--action drop --status 403',
      /^haverdict: --status works with --action deny, --action tarpit or --action redirect, not with drop\n/,
    ],
    [
      'a body of a tarpit',
      '--action tarpit --body x',
      /^haverdict: --body works with --action deny, not with tarpit\n/,
    ],
    [
      'a body file of a log',
      '--action log --body-file x',
      /^haverdict: --body-file works with --action deny, not with log\n/,
    ],
    [
      'a header of what is denied',
      '--var req.set.a=b',
      /^haverdict: --var req.set.a works with --action route, --action tag or the command allow, not with deny\n/,
    ],
    [
      'a header of an answer that nobody gets',
      '--action drop --var res.set.a=b',
      /^haverdict: --var res.set.a works with --action deny, .* or the command allow, not with drop\n/,
    ],
    [
      'a body and a file',
      '--body x --body-file y',
      /'--body-file <file>' cannot be used with option '--body <text>'\n/,
    ],
    ['a file that is not there', '--body-file /dev/null/x', /^haverdict: --body-file ENOTDIR/],
    [
      'the status of another action',
      '--action redirect --location / --status 403',
      /^haverdict: status 403 is none of 301, /,
    ],
    ['the status of a redirect', '--status 301', /^haverdict: status 301 is none of 400, /],
    ['to allow what is blocked', '--action allow', /argument 'allow' is invalid. Allowed choices are deny, tarpit/],
    [
      'a variable without a value',
      '--action tag --var path',
      /^haverdict: --var "path" is not a variable: use NAME=VALUE/,
    ],
    ['a variable twice', '--action tag --var path=/ --var Path=/', /^haverdict: --var path is given twice\n/],
    [
      'a variable with an option',
      '--action route --var backend=b',
      /^haverdict: --var backend has its own option: --backend\n/,
    ],
    [
      'a variable of nobody',
      '--action tag --var constructor=b',
      /^haverdict: vars.constructor is none of location, backend/,
    ],
    [
      'the framing of a message',
      '--action tag --var req.set.content-length=0',
      /is a header that HAProxy manages itself\n/,
    ],
    ['to remove a header with a value', '--action tag --var req.del.x=gold', /removes a header: use req.del.x=1\n/],
    [
      'another host by a path',
      '--action redirect --location //evil.example',
      /^haverdict: vars.location must be an http or https URL/,
    ],
    [
      'too much',
      `--body ${'x'.repeat(600)}`,
      /^haverdict: vars has 612 bytes with 8 more for each of them, the limit is 512\n/,
    ],
  ] as const
).map(([what, options, message]) => [what, ['1.1.1.1', ...options.split(' ')], message] as const);

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
      'blocked ip:203.0.113.7 in list manual, no expiry\nblocked ip:2001:db8::/32 in list manual, no expiry\nblocked host:evil.example in list manual, no expiry\n',
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
    assert.deepEqual(JSON.parse(stdout), [withIsoTimes(entry)]);
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

  const outcomes: readonly (readonly [string, readonly string[], object])[] = [
    [
      'a redirect',
      ['--action', 'redirect', '--location', '/new', '--status', '308'],
      { action: 'redirect', status: 308, vars: { location: '/new' } },
    ],
    ['a backend', ['--action', 'route', '--backend', 'blue'], { action: 'route', vars: { backend: 'blue' } }],
    [
      'a split with a backend for all others',
      ['--action', 'route', '--split', 'green=10,blue=0.5', '--backend', 'old'],
      { action: 'route', vars: { split: 'green=10,blue=0.5', backend: 'old' } },
    ],
    [
      'headers, a path and a query',
      [
        '--action',
        'tag',
        '--var',
        'req.set.X-Plan=a=b',
        '--var',
        'res.del.server=1',
        '--var',
        'path=/v2',
        '--var',
        'query=',
      ],
      { action: 'tag', vars: { 'req.set.x-plan': 'a=b', 'res.del.server': '1', path: '/v2', query: '' } },
    ],
    [
      'a body',
      ['--status', '451', '--body', 'not "here"'],
      { action: 'deny', status: 451, vars: { body: 'not "here"' } },
    ],
    [
      'a header of the answer to what is denied',
      ['--var', 'res.set.retry-after=60', '--status', '503'],
      { action: 'deny', status: 503, vars: { 'res.set.retry-after': '60' } },
    ],
    ['a tarpit', ['--action', 'tarpit', '--status', '429'], { action: 'tarpit', status: 429 }],
    ['a drop', ['--action', 'drop'], { action: 'drop' }],
    ['what is only logged', ['--action', 'log'], { action: 'log' }],
  ];
  for (const [index, [what, options, expected]] of outcomes.entries())
    it(`writes ${what}, as show reads it`, async () => {
      const subject = `cookie.plan:outcome-${index}`;
      const { status, stdout, stderr } = await block(subject, ...options, '--json');
      assert.deepEqual([status, stderr], [0, '']);
      const [item] = await stored(subject);
      assert.deepEqual(JSON.parse(stdout), [item]);
      const { subject: _subject, list: _list, createdAt: _createdAt, createdBy: _createdBy, ...outcome } = item ?? {};
      assert.deepEqual(outcome, expected);
    });

  it('takes the body from a file without the end of its last line', async (t) => {
    const file = join(temporaryFolder(t), 'body.html');
    writeFileSync(file, '<h1>Back soon</h1>\n');
    await block('cookie.plan:body-file', '--body-file', file);
    assert.deepEqual((await stored('cookie.plan:body-file'))[0]?.vars, { body: '<h1>Back soon</h1>' });
    writeFileSync(file, 'two\nlines\n');
    const { status, stderr } = await block('cookie.plan:body-lines', '--body-file', file);
    assert.deepEqual([status, stderr], [2, 'haverdict: vars.body must be one line of printable characters\n']);
  });

  it('lets allow tell HAProxy what passes beside', async () => {
    const { status } = await runOnTable(endpoint, 'allow', 'header.x-partner:acme', '--var', 'req.set.x-plan=partner');
    assert.equal(status, 0);
    const [{ action, vars } = {}] = await stored('header.x-partner:acme');
    assert.deepEqual([action, vars], ['allow', { 'req.set.x-plan': 'partner' }]);
  });

  it('takes a time with its zone as the end', async () => {
    const { stdout } = await block('192.0.2.2', '--until', '2090-01-01T01:00:00+01:00');
    assert.equal(stdout, 'blocked ip:192.0.2.2 in list manual until 2090-01-01T00:00:00Z\n');
    assert.equal((await stored('ip:192.0.2.2'))[0]?.expiresAt, Date.UTC(2090, 0, 1) / 1000);
  });

  it('says by when an allowed client is blocked, where a configuration says so', async (t) => {
    const blocked = 'blocked ip:192.0.2.4 in list manual, no expiry\n';
    const within = (seconds: number) =>
      `takes effect for allowed clients within ${seconds} s, on every agent with this configuration\n`;
    for (const [yaml, effect] of [
      ['haproxy: { recentSeconds: 2 }', within(62)],
      ['cache: { allowTtlSeconds: 5, denyTtlSeconds: 900 }', within(5)],
      ['cache: { allowTtlSeconds: 0 }', within(0)],
      ['cache: { allowTtlSeconds: 90 }\nhaproxy: { recentSeconds: 60 }\nbackend: none', within(150)],
      [
        'updates: { mode: invalidate }\nhaproxy: { recentSeconds: 3 }',
        'takes effect for allowed clients within 5 s while its updates are live, otherwise within 63 s, on every agent with this configuration\n',
      ],
      ['haproxy: { recentSeconds: much }', ''],
      ['cache: { allowTtlSeconds: -1 }', ''],
    ] as const) {
      await runOnTable(endpoint, 'remove', '192.0.2.4');
      const { status, stdout } = await block('192.0.2.4', '-c', configFile(t, yaml));
      assert.deepEqual([status, stdout], [0, blocked + effect], yaml);
      const { stdout: json } = await block('192.0.2.4', '--json', '-c', configFile(t, yaml));
      assert.doesNotMatch(json, /takes effect/);
    }
    const { stdout } = await block('192.0.2.4', '192.0.2.5', '-c', configFile(t, 'cache: {}'));
    assert.equal(stdout.split('\n').filter((line) => line.startsWith('takes effect')).length, 1);
  });

  it('says by when a denied client is allowed', async (t) => {
    for (const [yaml, effect] of [
      ['haproxy: { recentSeconds: 2 }', 'within 300 s'],
      ['cache: { denyTtlSeconds: 20, allowTtlSeconds: 5 }', 'within 20 s'],
      ['updates: { mode: invalidate }', 'within 2 s while its updates are live, otherwise within 300 s'],
    ] as const) {
      const { stdout } = await runOnTable(endpoint, 'allow', '192.0.2.6', '-c', configFile(t, yaml));
      const line = `\ntakes effect for denied clients ${effect}, on every agent with this configuration\n`;
      assert.ok(stdout.endsWith(line), stdout);
    }
    const { stdout } = await runOnTable(endpoint, 'allow', '192.0.2.6', '--json', '-c', configFile(t, 'cache: {}'));
    assert.doesNotMatch(stdout, /takes effect/);
  });

  it('says that it replaces, and so does allow', async () => {
    await block('192.0.2.3');
    const { stdout } = await runOnTable(endpoint, 'allow', '192.0.2.3');
    assert.equal(stdout, 'allowed ip:192.0.2.3 in list manual, no expiry, replaced the previous entry\n');
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
      'an invalid subject',
      ['nonsense'],
      /^haverdict: "nonsense" is not an address or network, and has no known kind .*\n$/,
    ],
    [
      '--for with --until',
      ['1.1.1.1', '--for', '1h', '--until', '2090-01-01T00:00Z'],
      /'--until <time>' cannot be used with option '--for <duration>'\n$/,
    ],
    ['a duration without unit', ['1.1.1.1', '--for', '24'], /^haverdict: "24" is not a valid duration: .* like 24h\n$/],
    [
      'a time that is past',
      ['1.1.1.1', '--until', '2020-01-01T00:00Z'],
      /^haverdict: "2020-01-01T00:00Z" is in the past\n$/,
    ],
    [
      'a time without zone',
      ['1.1.1.1', '--until', '2090-01-01T00:00'],
      /^haverdict: "2090-01-01T00:00" is not a valid time: use ISO 8601 with a time zone/,
    ],
    ['the 30th of February', ['1.1.1.1', '--until', '2090-02-30T00:00Z'], /is not a valid time/],
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
    ...COMBINATIONS,
    ['an invalid list name', ['1.1.1.1', '--list', 'My List'], /^haverdict: "My List" is not a valid list name/],
    [
      'an unknown option',
      ['1.1.1.1', '--lsit', 'a'],
      /^haverdict: unknown option '--lsit' \(Did you mean --list\?\)\n$/,
    ],
    [
      'an endpoint that is not a URL',
      ['1.1.1.1', '--endpoint-url', 'localhost'],
      /^haverdict: --endpoint-url "localhost" is not a valid URL/,
    ],
  ];
  for (const [what, args, message] of refused)
    it(`refuses ${what} with exit code 2`, async () => {
      const { status, stderr } = await refusalOf('block', ...args);
      assert.equal(status, 2);
      assert.match(stderr, message);
      assert.equal(stderr.split('\n').length, 2);
    });

  it('refuses to wait where nobody writes changes to a log, and writes nothing', async () => {
    const { status, stderr } = await block('198.51.100.99', '--wait');
    assert.deepEqual(
      [status, stderr],
      [2, 'haverdict: nobody writes the changes of table haverdict to a log (setting updates): omit --wait\n'],
    );
    assert.deepEqual(await stored('ip:198.51.100.99'), []);
  });

  it('fails with exit code 1 and the name of the table that is not there', async () => {
    const { status, stderr } = await block('1.1.1.1', '--table', 'nope');
    assert.equal(status, 1);
    assert.match(
      stderr,
      /^haverdict: [a-z -]+ on table nope at http:.* failed: table nope does not exist there: .*\n$/,
    );
  });

  it('fails with exit code 1 and the endpoint where nothing answers', async () => {
    const { status, stderr } = await block('1.1.1.1', '--endpoint-url', 'http://127.0.0.1:1');
    assert.equal(status, 1);
    assert.match(
      stderr,
      /^haverdict: [a-z -]+ on table haverdict at http:\/\/127.0.0.1:1 failed: connection failed .*\n$/,
    );
  });
});

async function itemsOf(endpoint: string, subject: string): Promise<Item[]> {
  const items: Item[] = [];
  for await (const item of storeAt(endpoint).ofSubject(subject)) items.push(item);
  return items;
}
