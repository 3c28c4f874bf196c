import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, describe, it } from 'node:test';
import { configFile } from '../../support/config-file.ts';
import { runAround, runOnTable } from '../../support/haverdict-on-table.ts';
import { localTable, storeAt } from '../../support/local-table.ts';

const digestOf = (secret: string) => `key:sha256:${createHash('sha256').update(secret).digest('hex')}`;

describe('haverdict block, safely', { concurrency: 2 }, async () => {
  const { endpoint } = await localTable({ after });
  const run = (...args: string[]) => runOnTable(endpoint, ...args);
  const stored = async (subject: string, list = 'manual') =>
    (await storeAt(endpoint).lookup([{ subject, list }])).items[0];

  it('refuses what is protected with exit code 2, and writes none of the rest', async () => {
    const { status, stdout, stderr } = await run('block', '198.51.100.1', '10.0.0.0/8', '::1');
    assert.deepEqual([status, stdout], [2, '']);
    const why = 'deny ip:10.0.0.0/8 would block 10.0.0.0/8: private networks (and 1 more like it)';
    assert.equal(stderr, `haverdict: ${why}; use --force to write it anyway\n`);
    assert.equal(await stored('ip:198.51.100.1'), undefined);
  });

  it('writes it with --force, and what lets pass without', async () => {
    assert.equal((await run('block', '10.0.0.1', '--force')).status, 0);
    assert.equal((await run('block', '10.0.0.2', '--action', 'log')).status, 0);
    assert.equal((await run('allow', '10.0.0.3')).status, 0);
    assert.ok((await stored('ip:10.0.0.1')) && (await stored('ip:10.0.0.2')) && (await stored('ip:10.0.0.3')));
  });

  it('refuses the address that the caller is logged in from', async () => {
    const env = { SSH_CONNECTION: '203.0.113.9 50022 192.0.2.1 22' };
    const { status, stderr } = await runAround({ env }, endpoint, 'block', '203.0.113.0/24');
    assert.equal(status, 2);
    assert.match(stderr, /would block 203\.0\.113\.9: the address you are logged in from; use --force/);
  });

  it('obeys the section blocklist of the agent, named by option or variable, and --for over it', async (t) => {
    const config = configFile(t, 'blocklist: { protected: [198.51.100.0/24], manualExpiry: 30d }\n');
    const refused = await run('block', '198.51.100.7', '-c', config);
    assert.match(refused.stderr, /would block 198\.51\.100\.0\/24: blocklist\.protected;/);
    const env = { HAVERDICT_CONFIG: config };
    await runAround({ env }, endpoint, 'block', '203.0.113.30');
    const inDays = (Number((await stored('ip:203.0.113.30'))?.expiresAt) - Date.now() / 1000) / 86_400;
    assert.ok(inDays > 29.9 && inDays <= 30, String(inDays));
    await runAround({ env }, endpoint, 'block', '203.0.113.30', '--for', 'never');
    assert.equal((await stored('ip:203.0.113.30'))?.expiresAt, undefined);
  });

  it('refuses what agents with this ipv6Prefix never ask about, unless it is forced', async (t) => {
    const { endpoint: own } = await localTable(t);
    const block = (ipv6Prefix: number, ...args: string[]) =>
      runOnTable(own, 'block', ...args, '-c', configFile(t, `ipv6Prefix: ${ipv6Prefix}\n`));
    for (const [ipv6Prefix, subject, instead] of [
      [64, '2001:db8:1:2::7', '2001:db8:1:2::/64'],
      [48, '2001:db8:1:2::7', '2001:db8:1::/48'],
      [48, '2001:db8:1:2::/64', '2001:db8:1::/48'],
      [48, '2001:db8:1::/49', '2001:db8:1::/48'],
    ] as const) {
      const { status, stderr } = await block(ipv6Prefix, '203.0.113.50', subject, '--action', 'log');
      assert.equal(status, 2);
      const why = `ip:${subject} would never match: ipv6Prefix is ${ipv6Prefix}, so ip:${instead} is looked up instead`;
      assert.equal(stderr, `haverdict: ${why}; use --force to write it anyway\n`);
      assert.equal((await block(ipv6Prefix, instead)).status, 0);
    }
    assert.deepEqual((await storeAt(own).lookup([{ subject: 'ip:203.0.113.50', list: 'manual' }])).items, []);
    assert.equal((await block(64, '2001:db8:1:2::7', '--force')).status, 0);
    assert.equal((await block(128, '2001:db8:1:2::8', '203.0.113.50')).status, 0);
    assert.equal((await block(16, '203.0.113.51', 'host:shop.example')).status, 0);
  });

  it('ends with 78 where that section is wrong', async (t) => {
    const { status, stderr } = await run('block', '203.0.113.1', '-c', configFile(t, 'blocklist: { protect: [] }\n'));
    assert.equal(status, 78);
    assert.match(stderr, /unknown setting, did you mean protected\?/);
  });

  it('reads a secret from standard input, and neither stores nor prints it', async () => {
    const secret = 's3cr3t on standard input';
    const digest = digestOf(secret);
    const blocked = await runAround({ input: `${secret}\n` }, endpoint, 'block', 'key:-');
    assert.deepEqual(blocked, { status: 0, stdout: `blocked ${digest} in list manual, no expiry\n`, stderr: '' });
    for (const command of ['show', 'history', 'explain']) {
      const { stdout } = await runAround({ input: secret }, endpoint, command, 'key:-');
      assert.ok(stdout.includes(digest) && !stdout.includes(secret), command);
    }
    const removed = await runAround({ input: secret }, endpoint, 'remove', 'key:-');
    assert.match(removed.stdout, new RegExp(`^removed ${digest} from list manual: deny`));
    const history = await run('history', '--list', 'manual', '--json');
    assert.ok(history.stdout.includes(digest) && !history.stdout.includes(secret));
  });

  it('warns of a secret on the command line, and refuses none or two on standard input', async () => {
    const secret = 's3cr3t on the command line';
    const digest = digestOf(secret);
    const { status, stdout, stderr } = await run('block', `key:${secret}`);
    assert.equal(status, 0);
    assert.ok(stdout.startsWith(`blocked ${digest} in list manual, no expiry`) && !stdout.includes(secret), stdout);
    assert.match(stderr, /^haverdict: warning: a secret on the command line stays in the shell history/);
    assert.equal((await run('block', digest)).stderr, '');
    for (const input of ['', 'two\nlines\n'])
      assert.equal((await runAround({ input }, endpoint, 'block', 'key:-')).status, 2);
  });

  it('registers a new list and asks whether it was meant', async () => {
    const { status, stderr } = await run('block', '203.0.113.40', '--list', 'manul');
    const warning = 'list manul is new (did you mean manual?): agents look only in the lists of their configuration';
    assert.deepEqual([status, stderr], [0, `haverdict: warning: ${warning}\n`]);
    assert.equal((await run('block', '203.0.113.41', '--list', 'manul')).stderr, '');
  });

  it('keeps in the history what it did and why', async () => {
    await run('block', '203.0.113.50', '--list', 'audit', '--reason', 'abuse');
    await run('remove', '203.0.113.50', '--list', 'audit', '--reason', 'false alarm');
    const { changes } = JSON.parse((await run('history', '203.0.113.50', '--list', 'audit', '--json')).stdout);
    assert.deepEqual(
      changes.map(({ change, why }: Record<string, string>) => [change, why]),
      [
        ['remove', 'false alarm'],
        ['put', 'abuse'],
      ],
    );
  });

  it('removes what somebody wrote wrong, named as it stands', async () => {
    const wrong = { subject: 'ip:203.0.113.060', list: 'manual', action: 'deny' } as const;
    await storeAt(endpoint).put(wrong);
    const { status, stdout } = await run('remove', 'ip:203.0.113.060');
    assert.equal(status, 0);
    assert.match(stdout, /^removed ip:203\.0\.113\.060 from list manual: not a valid entry: subject/);
    assert.equal((await run('remove', 'ip:203.0.113.060')).status, 2);
  });

  it('has JSON with the same fields as ever', async () => {
    const fields = (text: string) => Object.keys(JSON.parse(text)[0]).sort();
    const block = await run('block', '203.0.113.70', '--reason', 'a', '--note', 'b', '--for', '1h', '--json');
    const entry = ['action', 'createdAt', 'createdBy', 'expiresAt', 'list', 'note', 'reason', 'subject'];
    assert.deepEqual(fields(block.stdout), entry);
    assert.deepEqual(
      fields((await run('show', '203.0.113.70', '--json')).stdout),
      [...entry, 'outcome', 'state'].sort(),
    );
    const told = JSON.parse((await run('explain', '203.0.113.70', '--json')).stdout);
    const ofExplain = [
      'decision',
      'effect',
      'entries',
      'listActions',
      'lists',
      'shadowLists',
      'subjects',
      'unsupported',
      'why',
    ];
    assert.deepEqual(Object.keys(told).sort(), ofExplain);
    assert.deepEqual(Object.keys(told.entries[0]).sort(), [...entry, 'asked', 'outcome', 'state', 'why'].sort());
    const removed = await run('remove', '203.0.113.70', '--json');
    assert.deepEqual(fields(removed.stdout), ['entry', 'list', 'removed', 'subject']);
    const lint = await run('lint', '--json');
    for (const line of lint.stdout.split('\n').filter((text) => text !== ''))
      assert.deepEqual(Object.keys(JSON.parse(line)), ['finding', 'state', 'list', 'subject', 'problem']);
  });

  it('refuses what its list may not do where the configuration holds it, unless forced', async (t) => {
    const config = configFile(t, 'lists: [manual, { name: feed, actions: [deny, tarpit] }]\n');
    for (const [command, action] of [
      [['allow', '203.0.113.91'], 'allow'],
      [['block', '203.0.113.92', '--action', 'drop'], 'drop'],
    ] as const) {
      const refused = await run(...command, '--list', 'feed', '-c', config);
      assert.deepEqual([refused.status, refused.stdout], [2, '']);
      assert.equal(
        refused.stderr,
        `haverdict: ${action} does not count: list feed is restricted to deny, tarpit; use --force to write it anyway\n`,
      );
      assert.equal((await run(...command, '--list', 'feed', '-c', config, '--force')).status, 0);
      assert.equal((await run(...command, '--list', 'manual', '-c', config)).status, 0);
    }
    assert.equal((await run('block', '203.0.113.93', '--list', 'feed', '-c', config)).status, 0);
  });

  it('explains with the lists, kinds and shadow lists of a message', async (t) => {
    await run('block', '203.0.113.80', 'host:explained.example');
    const config = configFile(
      t,
      'lists: [manual, shadowed]\nshadowLists: [shadowed]\nmessages: { check: { subjects: { host: "req.hdr(host)" } } }\n',
    );
    const { status, stdout } = await run('explain', '203.0.113.80', 'host:explained.example', '-c', config);
    assert.equal(status, 0);
    assert.match(stdout, /^host:explained\.example, ip:203\.0\.113\.80 gets status 403\n/);
    assert.match(stdout, /ip:203\.0\.113\.80: message check does not look up ip\n/);
    assert.match(stdout, /\n {2}why {5}the only entry that applies\n {2}until {3}never\n {2}by {6}\S+@/);
    const unknown = await run('explain', 'host:explained.example', '-c', config, '--message', 'chek');
    assert.deepEqual(
      [unknown.status, unknown.stderr],
      [2, 'haverdict: the configuration has no message chek, did you mean check?\n'],
    );
  });

  it('explains also that there is nothing, with exit code 0', async () => {
    const { status, stdout } = await run('explain', 'host:nobody.example');
    assert.equal(status, 0);
    assert.match(
      stdout,
      /^host:nobody\.example passes: no entry applies\n\nNo entry in any list matches; looked in manual\./,
    );
  });
});

describe('an entry of a kind that no message looks up', async () => {
  const { endpoint } = await localTable({ after });
  const MESSAGES =
    'lists: [manual, feed]\nmessages: { one: { subjects: { ip: src } }, two: { subjects: { host: req.hdr(host) } } }\n';
  const warning = (file: string, kinds: string) =>
    `haverdict: warning: no message of ${file} looks up ${kinds}: with this configuration such an entry never matches\n`;

  for (const command of ['block', 'allow'])
    it(`is written by ${command} with a warning, and without a time`, async (t) => {
      const config = configFile(t, MESSAGES);
      const run = (...subjects: string[]) => runOnTable(endpoint, command, ...subjects, '-c', config);
      const never = await run('ua:*bot*', 'header.x-plan:gold');
      assert.equal(never.status, 0);
      assert.equal(never.stderr, warning(config, 'ua, header.x-plan'));
      assert.doesNotMatch(never.stdout, /takes effect/);
      const some = await run('ua:*bot*', '203.0.113.60');
      assert.equal(some.stderr, warning(config, 'ua'));
      assert.match(some.stdout, /^takes effect for /m);
      assert.equal((await run('203.0.113.60', 'host:shop.example')).stderr, '');
    });

  it('is no matter without a file, nor where its messages are invalid', async (t) => {
    for (const args of [[], ['-c', configFile(t, 'messages: 7\n')]])
      assert.equal((await runOnTable(endpoint, 'block', 'ua:*bot*', ...args)).stderr, '');
  });

  it('is told by import and sync about --kind, except with --quiet', async (t) => {
    const config = configFile(t, MESSAGES);
    for (const command of ['import', 'sync']) {
      const run = (...args: string[]) =>
        runAround({ input: 'bot\n' }, endpoint, command, '-', '--list', 'feed', '-c', config, '--dry-run', ...args);
      assert.ok((await run('--kind', 'ua')).stderr.includes(warning(config, 'ua')));
      for (const args of [
        ['--kind', 'ua', '--quiet'],
        ['--kind', 'host'],
      ])
        assert.doesNotMatch((await run(...args)).stderr, /looks up/);
    }
  });
});
