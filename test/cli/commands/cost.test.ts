import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { PROGRAM } from '../../../dev/program-path.ts';
import { temporaryFolder } from '../../support/config-file.ts';
import { runHaverdict } from '../../support/haverdict.ts';
import { refusalOf } from '../../support/refusal.ts';

/** Two hours: 10.0.0.1 every minute, 2001:db8::1 every half hour; and a line that is no request. */
const LOG = [
  'Nov 22 10:00:00 lb haproxy[7]: Proxy web started.',
  ...Array.from({ length: 121 }, (_, minute) => line('10.0.0.1', minute)),
  ...Array.from({ length: 5 }, (_, half) => line('2001:db8::1', half * 30)),
].join('\n');

describe('haverdict cost', () => {
  it('prints a bill, what it assumes, what it leaves out, and the date of its prices', async () => {
    const { status, stdout, stderr } = await runHaverdict(
      'cost',
      '--requests',
      '3000000',
      '--ipv6-share',
      '0',
      '--no-mirror',
    );
    assert.deepEqual([status, stderr], [0, '']);
    // 1000 clients with 5 visits on 2 hosts: 304,167 a month, and a fifth of these is refreshed; 25 keys each
    assert.match(stdout, /^3,000,000 requests per month need 364,\d{3} lookups, in 364,\d{3} calls of the function\n/);
    assert.match(stdout, /\nDynamoDB reads +4,5\d\d,\d{3} {2}read units +0.57\n/);
    assert.match(stdout, /\nCloudWatch dashboard +1 {2}dashboards +3.00\n/);
    assert.match(stdout, /\nUpdates: polls +5,256,000 {2}polls +1.77\n/);
    assert.match(stdout, /\nTotal +\d\.\d\d\n/);
    assert.match(stdout, /\nAssumptions\n {2}1,000 distinct clients per day, 0 % of them with IPv6\n/);
    assert.match(stdout, /\nNot included\n {2}the free tier/);
    assert.match(stdout, /\nPrices of \d{4}-\d\d-\d\d in us-east-1: .*\n$/);
  });

  it('has no lookups with a mirror, and says what it would be without', async () => {
    const { stdout } = await runHaverdict('cost', '--clients', '20000', '--entries', '1000000');
    assert.match(stdout, /^3,000,000 requests per month need no lookups\n/);
    assert.match(stdout, /\nLambda calls +0 {2}calls +0.00\n/);
    assert.match(stdout, /\nMirror: scan, segments +1,\d{3},\d{3} {2}read units +0.\d\d\n/);
    assert.match(stdout, /\nWithout mirror \d+\.\d\d: [\d,]+ lookups, in [\d,]+ calls of the function\n/);
    assert.match(
      stdout,
      /\n {2}the stack makes a mirror of 1,000,000 entries; each agent loads it once a day, and asks about nobody\n/,
    );
    const [mirror, none] = [await costOf(), await costOf('--no-mirror')];
    assert.deepEqual(mirror.withoutMirror, { lookups: none.lookups, usage: none.usage, totalUsd: none.totalUsd });
  });

  it('counts the misses of a log as the cache of the agent would', async (t) => {
    const { usage, requests, assumes } = await costOf(
      fileWith(t, LOG),
      '--allow-ttl',
      '90',
      '--batch-ms',
      '0',
      '--no-mirror',
    );
    const months = (365 * 24) / 12 / 2; // two hours
    // every second minute for IPv4 (0, 2, 4 … 120), every time for IPv6
    assert.deepEqual([Math.round(usage.calls), Math.round(usage.keys)], [66 * months, (61 * 25 + 5 * 50) * months]);
    assert.equal(requests, 126 * months);
    assert.ok(assumes.includes('126 of 127 lines have a client and a time; the others are ignored'), assumes.join());
  });

  it('takes a log from standard input', () => {
    const { stdout } = spawnSync(process.execPath, [PROGRAM, 'cost', '-', '--json'], { input: LOG, encoding: 'utf8' });
    assert.equal(JSON.parse(stdout).requests, (126 * 365 * 24) / 12 / 2);
  });

  it('has an agent for each log that polls, and with updates off neither polls nor their alarms', async (t) => {
    const file = fileWith(t, LOG);
    const amounts = async (...args: string[]) =>
      Object.fromEntries(
        (await costOf(...args)).items.map(({ name, amount }: Record<string, unknown>) => [name, amount]),
      );
    const [two, none] = [await amounts(file, file), await amounts(file, file, '--no-updates')];
    assert.deepEqual([two['Updates: polls'], none['Updates: polls']], [2 * 2_628_000, undefined]);
    assert.deepEqual([two['CloudWatch alarms'], none['CloudWatch alarms']], [18, 12]);
    assert.equal((await amounts(file, '--agents', '3', '--poll-ms', '3000'))['Updates: polls'], 2_628_000);
  });

  it('gives each log a cache of its own', async (t) => {
    const file = fileWith(t, LOG);
    const lookups = async (...files: string[]) => (await costOf(...files)).withoutMirror.lookups;
    assert.equal(await lookups(file, file), 2 * (await lookups(file)));
  });

  it('takes other prices', async (t) => {
    const prices = { date: '2030-01-01', region: 'moon-1', source: 'mine', dynamodbMillionReadUnits: 1000 };
    const free = {
      ...{ lambdaMillionRequests: 0, lambdaGbSecond: 0, dynamodbMillionWriteUnits: 0, egressGb: 0 },
      ...{ logsGb: 0, metricMonth: 0, alarmMetricMonth: 0, dashboardMonth: 0 },
    };
    const file = fileWith(t, JSON.stringify({ ...prices, ...free }));
    const estimate = await costOf('--prices', file, '--lists', '2', '--ipv6-share', '1', '--no-updates');
    assert.equal(estimate.totalUsd, ((estimate.lookups * 50 * 2 * 0.5) / 1e6) * 1000);
    assert.match((await runHaverdict('cost', '--prices', file)).stdout, /Prices of 2030-01-01 in moon-1: mine\n$/);
  });

  it('exits with 2 for an option that a log replaces', async (t) => {
    const { status, stderr } = await runHaverdict('cost', fileWith(t, LOG), '--visit-seconds', '5');
    assert.deepEqual(
      [status, stderr],
      [2, 'haverdict: --visit-seconds applies only without a log: a log has the traffic itself\n'],
    );
  });

  const wrong: readonly (readonly [string, readonly string[], RegExp])[] = [
    ['an invalid number', ['--clients', 'many'], /^haverdict: --clients <number> takes a number, not "many"\n$/],
    ['a share above 1', ['--ipv6-share', '40'], /takes a number from 0 to 1, not "40"\n$/],
    ['polls without a pause', ['--poll-ms', '0'], /^haverdict: --poll-ms must be more than 0\n$/],
    [
      'agents that poll what is not there',
      ['--no-updates', '--agents', '2'],
      /^haverdict: --agents does not go with --no-updates: nobody polls then\n$/,
    ],
    [
      'entries of a mirror that is not made',
      ['--no-updates', '--entries', '5'],
      /^haverdict: --entries does not go with --no-updates: there is no mirror then\n$/,
    ],
    ['a cache of nothing', ['--cache-entries', '0'], /^haverdict: --cache-entries must be at least 1\n$/],
  ];
  for (const [what, args, message] of wrong)
    it(`ends with 2 for ${what}`, async () => {
      const { status, stderr } = await refusalOf('cost', ...args);
      assert.equal(status, 2);
      assert.match(stderr, message);
    });

  it('ends with 1 for what it cannot read', async (t) => {
    const failed = async (...args: string[]) => {
      const { status, stdout, stderr } = await runHaverdict('cost', ...args);
      assert.deepEqual([status, stdout, stderr.split('\n').length], [1, '', 2]);
      return stderr;
    };
    assert.match(await failed('/nonexistent/log'), /^haverdict: \/nonexistent\/log: ENOENT/);
    assert.match(await failed(fileWith(t, 'no log\nat all')), /no line of 2 has a client address and a time/);
    assert.match(await failed(fileWith(t, line('10.0.0.1', 0))), /covers less than one second/);
    assert.match(await failed('--prices', fileWith(t, '{"date": 5}')), /prices.*: date must be a string, not 5/);
    assert.match(await failed('--prices', fileWith(t, '{')), /--prices .*: Expected property name/);
  });
});

async function costOf(...args: string[]) {
  return JSON.parse((await runHaverdict('cost', '--json', ...args)).stdout);
}

function line(client: string, minute: number): string {
  const time = new Date(Date.UTC(2026, 10, 22, 10, minute)).toISOString().slice(11, 19);
  return `${client}:4711 [22/Nov/2026:${time}.000] web app/1 0/0/0/1/1 200 100 - - ---- 1/1/0/0/0 0/0 "GET / HTTP/1.1"`;
}

function fileWith(t: TestContext, text: string): string {
  const file = join(temporaryFolder(t), 'prices-or-log');
  writeFileSync(file, text);
  return file;
}
