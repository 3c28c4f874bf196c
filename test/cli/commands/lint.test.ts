import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type AttributeValue, DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { LOCAL_ACCESS } from '../../../blocklist/dynamodb/local-access.ts';
import { configFile } from '../../support/config-file.ts';
import { runOnTable } from '../../support/haverdict-on-table.ts';
import { localTable, storeAt } from '../../support/local-table.ts';

const DAY_SECONDS = 86_400;
const NOW_SECONDS = Math.floor(Date.now() / 1000);

describe('haverdict lint', async () => {
  const { endpoint } = await localTable({ after });
  const run = (...args: string[]) => runOnTable(endpoint, ...args);
  const found = async (...args: string[]) => {
    const { stdout } = await run('lint', '--json', ...args);
    return stdout.trim() === ''
      ? []
      : stdout
          .trim()
          .split('\n')
          .map((line) => JSON.parse(line));
  };
  const told = (findings: readonly Record<string, string>[]) =>
    findings.map(({ finding, state, subject }) => `${finding} ${state} ${subject}`).sort();

  before(async () => {
    await run('block', '203.0.113.0/24', 'key:written-by-a-command');
    const client = new DynamoDBClient({ endpoint, ...LOCAL_ACCESS });
    const type = (subject: string, list: string, more: Record<string, AttributeValue> = {}) =>
      client.send(
        new PutItemCommand({ TableName: 'haverdict', Item: { subject: { S: subject }, list: { S: list }, ...more } }),
      );
    await type('ip:198.51.100.7/32', 'manual');
    await type('ip:203.0.113.0/024', 'manual');
    await type('host:Evil.example', 'manual');
    await type('host:Twice.example', 'manual');
    await type('host:twice.example', 'manual');
    await type('cookie.session:"st%6flen"', 'manual');
    await type('cookie.session:"stolen', 'manual');
    await type('ip:10.0.0.7/32', 'manual');
    await type('ip:198.51.100.7/24', 'manual');
    await type('hots:evil.example', 'manual');
    await type('key:hunter2', 'manual');
    await type('ip:192.0.2.1', 'feed', { status: { S: '403' } });
    await type('ip:192.0.2.2', 'feed', { expiresAt: { N: String(NOW_SECONDS - 4 * DAY_SECONDS) } });
    await type('ip:192.0.2.3', 'feed', {
      expiresAt: { N: String(NOW_SECONDS - 2 * DAY_SECONDS) },
      note: { S: 'two\nlines' },
    });
    await type('ip:203.0.113.128/25', 'feed', { action: { S: 'allow' } });
    await type('ip:203.0.113.200', 'manual', { action: { S: 'deny' } });
    await type('@nobody', 'x');
    await type('@canary:eu-west-1:7', '@canary', { at: { N: '1790000000000' } });
    client.destroy();
  });

  const OPEN = [
    'bad-attributes open ip:192.0.2.1',
    'bad-subject open ip:203.0.113.0/024',
    'bad-subject open cookie.session:"stolen',
    'duplicate open host:Twice.example',
    'host-bits open ip:198.51.100.7/24',
    'shadowed open ip:203.0.113.200',
    'unknown-kind open hots:evil.example',
    'unreadable-record open @nobody',
    'unseen note ip:192.0.2.3',
  ];
  const FIXABLE = [
    'long-expired ip:192.0.2.2',
    'not-canonical host:Evil.example',
    'not-canonical ip:198.51.100.7/32',
    'not-canonical cookie.session:"st%6flen"',
  ];
  const as = (state: string, of: readonly string[]) => of.map((text) => text.replace(' ', ` ${state} `));
  const ALL_FIXABLE = [...FIXABLE, 'plain-secret key:…', 'unregistered-list '];

  it('finds everything that can never match or misleads, and what of it can be repaired', async () => {
    const expected = [...OPEN, ...as('fixable', ALL_FIXABLE), 'not-canonical fixable ip:10.0.0.7/32'];
    assert.deepEqual(told(await found()), expected.sort());
  });

  it('finds what a list may not do where the configuration holds it, and takes that for no allow', async (t) => {
    const file = configFile(t, 'lists: [manual, { name: feed, actions: [deny, tarpit] }]\n');
    const findings = await found('-c', file);
    const ofFeed = OPEN.filter((text) => !text.startsWith('shadowed'));
    const expected = [...ofFeed, ...as('fixable', ALL_FIXABLE), 'not-canonical fixable ip:10.0.0.7/32'];
    assert.deepEqual(told(findings), [...expected, 'not-counted open ip:203.0.113.128/25'].sort());
    const { problem } = findings.find(({ finding }) => finding === 'not-counted');
    assert.equal(problem, 'allow does not count: list feed is restricted to deny, tarpit');
  });

  it('finds what HAProxy has no rule for with this configuration, and asks for nothing where none is known', async (t) => {
    const obeying = configFile(t, 'haproxy: { actions: [tarpit], denyStatuses: [429] }\n');
    const bare = configFile(t, 'haproxy: { requestHeaders: [x-other] }\n');
    await run('block', '192.0.2.77', '--action', 'tarpit', '--status', '429');
    await run('block', '192.0.2.78', '--action', 'route', '--backend', 'blue', '--var', 'req.set.x-plan=a');
    const problems = async (...args: string[]) =>
      (await found(...args)).flatMap(({ finding, subject, problem }) =>
        finding === 'unsupported' ? [`${subject}: ${problem}`] : [],
      );
    const routed =
      'ip:192.0.2.78: HAProxy has no rule for backend blue, vars.req.set.x-plan (haproxy.backends, haproxy.requestHeaders): tag without it';
    assert.deepEqual(await problems('-c', obeying), [routed]);
    assert.deepEqual((await problems('-c', bare)).sort(), [
      'ip:192.0.2.77: HAProxy has no rule for action tarpit (haproxy.actions): deny with 403',
      routed,
    ]);
    assert.deepEqual(await problems(), []);
    await run('remove', '192.0.2.77', '192.0.2.78');
  });

  it('ends with 1, says how much is wrong, and never prints a secret', async () => {
    const { status, stdout, stderr } = await run('lint');
    assert.equal(status, 1);
    assert.match(stdout, /\n15 problems, 7 repairable with --fix; 1 note\n$/);
    assert.equal(stderr, 'haverdict: 15 problems left in the table\n');
    assert.doesNotMatch(stdout, /hunter2/);
  });

  it('finds in one list what is in it', async () => {
    assert.deepEqual(told(await found('--list', 'feed')), [
      'bad-attributes open ip:192.0.2.1',
      'long-expired fixable ip:192.0.2.2',
      'unregistered-list fixable ',
      'unseen note ip:192.0.2.3',
    ]);
  });

  it('tells with --hand what no command wrote', async () => {
    const notes = (await found('--hand')).filter(({ finding }) => finding === 'by-hand');
    assert.deepEqual(
      notes.map(({ subject }) => subject),
      ['ip:203.0.113.128/25', 'host:twice.example', 'ip:203.0.113.200'],
    );
  });

  it('repairs what is safe with the history first, keeps out nobody who is protected, and a second run finds nothing to do', async () => {
    const first = told(await found('--fix'));
    const expected = [...OPEN, ...as('fixed', ALL_FIXABLE), 'not-canonical open ip:10.0.0.7/32'];
    assert.deepEqual(first, expected.sort());
    const second = await found('--fix');
    assert.deepEqual(told(second), [...OPEN, 'not-canonical open ip:10.0.0.7/32'].sort());
    assert.match(
      second.find(({ subject }) => subject === 'ip:10.0.0.7/32')?.problem,
      /not rewritten: .* private networks$/,
    );
    const store = storeAt(endpoint);
    const [entry] = (await store.lookup([{ subject: 'ip:198.51.100.7', list: 'manual' }])).items;
    assert.ok(entry);
    assert.deepEqual((await store.lookup([{ subject: 'ip:198.51.100.7/32', list: 'manual' }])).items, []);
    assert.equal((await store.lookup([{ subject: 'cookie.session:stolen', list: 'manual' }])).items.length, 1);
    const { stdout } = await run('history', '--list', 'manual', '--json');
    assert.match(stdout, /lint --fix/);
    assert.doesNotMatch(stdout, /hunter2/);
  });

  it('finds what agents with the ipv6Prefix of the configuration never ask about', async (t) => {
    const { endpoint: own } = await localTable(t);
    await runOnTable(
      own,
      'block',
      '2001:db8:1:2::7',
      '2001:db8:1:2::/64',
      '2001:db8:1::/48',
      '203.0.113.7',
      'host:a.example',
    );
    const never = async (ipv6Prefix: number) => {
      const { stdout } = await runOnTable(own, 'lint', '--json', '-c', configFile(t, `ipv6Prefix: ${ipv6Prefix}\n`));
      const lines = stdout.split('\n').filter((line) => line !== '');
      return lines
        .map((line) => JSON.parse(line))
        .map(({ finding, state, subject }) => `${finding} ${state} ${subject}`);
    };
    assert.deepEqual(await never(128), []);
    assert.deepEqual(await never(64), ['never-asked open ip:2001:db8:1:2::7']);
    assert.deepEqual((await never(48)).sort(), [
      'never-asked open ip:2001:db8:1:2::/64',
      'never-asked open ip:2001:db8:1:2::7',
    ]);
  });

  it('ends with 0 where nothing is wrong', async (t) => {
    const clean = await localTable(t);
    await runOnTable(clean.endpoint, 'block', '203.0.113.7');
    const { status, stdout, stderr } = await runOnTable(clean.endpoint, 'lint', '--hand');
    assert.deepEqual([status, stdout, stderr], [0, 'no problems found\n', '']);
  });
});
