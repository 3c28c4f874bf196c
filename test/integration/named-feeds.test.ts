import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { EXIT } from '../../cli/exit/cli-error.ts';
import { blocklistAt, localTable } from '../support/local-table.ts';
import { manyRuns } from '../support/many-runs.ts';

/** Feeds that came out wrong, and some of their kind: what each wrote was another thing than its owner meant. */
describe('a feed that', async () => {
  const { endpoint } = await localTable({ after });
  const store = blocklistAt(endpoint);
  const run = manyRuns({ after }, endpoint);
  const folder = mkdtempSync(join(tmpdir(), 'haverdict-test-'));
  after(() => rmSync(folder, { recursive: true }));
  let lists = 0;
  const newList = () => `named-${++lists}`;
  const entriesOf = async (list: string) =>
    (await Array.fromAsync(store.entries.ofList(list))).map(({ subject, action }) => `${subject} ${action}`);
  const fileOf = (name: string, text: string) => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  const ndjson = (...records: readonly unknown[]) => records.map((record) => JSON.stringify(record)).join('\n');

  const TOO_MUCH = ndjson(
    { ip: '203.0.113.7', reason: 'scanner' },
    { ip: '198.51.100.0/24', action: 'allow' },
    { subject: 'country:XX', action: 'allow' },
    { subject: 'host:shop.example', action: 'redirect', status: 302, vars: { location: 'https://elsewhere.example/' } },
    { ip: '203.0.113.8', action: 'tag', vars: { 'req.set.x-user': 'admin' } },
  );

  it('decides too much is refused, and the words are named that it would take', async () => {
    const [list, file] = [newList(), fileOf('02.ndjson', TOO_MUCH)];
    const refused = await run('sync', file, '--list', list);
    assert.equal(refused.status, 1);
    for (const says of [
      'not set allow without',
      'not set country, allow without',
      'not set host, redirect, status, var.location without',
    ])
      assert.ok(refused.said.includes(`${says} --trust`), refused.said);
    const [, words = ''] = /--trust (\S+)\n$/.exec(refused.said) ?? [];
    assert.equal(words, 'allow,country,host,redirect,status,tag,var.location,var.req.set.x-user');
    assert.deepEqual(await entriesOf(list), []);
    assert.equal((await run('sync', file, '--list', list, '--skip-invalid')).status, EXIT.skipped);
    assert.deepEqual(await entriesOf(list), ['ip:203.0.113.7 deny']);
    assert.equal((await run('sync', file, '--list', list, '--trust', words, '--yes')).status, 0);
    assert.equal((await entriesOf(list)).length, 5);
  });

  it('has other kinds than the list is refused by each line', async () => {
    const text = '# addresses\n203.0.113.7\ncountry:XX\nhost:shop.example\npath:/login\nasn:64500\n';
    const [list, file] = [newList(), fileOf('02b.txt', text)];
    for (const kind of [[], ['--kind', 'ip']]) {
      const { status, said } = await run('sync', file, '--list', list, ...kind);
      assert.deepEqual([status, /nothing was written: 4 of 5 lines/.test(said)], [1, true], said);
    }
    assert.equal((await run('sync', file, '--list', list, '--trust', 'asn', '--skip-invalid')).status, EXIT.skipped);
    assert.deepEqual(await entriesOf(list), ['asn:64500 deny', 'ip:203.0.113.7 deny']);
  });

  const BLOCK_AND_ALLOW =
    'ip,action,rule\n203.0.113.7,block,ssh\n203.0.113.8,block,ssh\n198.51.100.9,allow,monitoring\n';

  it('has blocks in words of its own, and an allow, has its blocks alone unless the allow is trusted', async () => {
    const file = fileOf('02c.csv', BLOCK_AND_ALLOW);
    const denies = ['ip:203.0.113.7 deny', 'ip:203.0.113.8 deny'];
    for (const command of ['import', 'sync'])
      for (const [options, status, entries] of [
        [[], 1, []],
        [['--skip-invalid'], EXIT.skipped, denies],
        [['--trust', 'allow'], 0, ['ip:198.51.100.9 allow', ...denies]],
      ] as const) {
        const list = newList();
        const ran = await run(command, file, '--list', list, ...options);
        assert.deepEqual([ran.status, await entriesOf(list)], [status, entries], ran.said);
        assert.match(ran.said, /ignored fields: rule/);
      }
  });

  it('turns a block into an allow says so in a dry run', async () => {
    const list = newList();
    await run('import', fileOf('a.txt', '198.51.100.9\n198.51.100.10\n'), '--list', list);
    const file = fileOf('02d.csv', 'ip,action\n198.51.100.9,allow\n198.51.100.11,tarpit\n');
    for (const command of ['import', 'sync']) {
      const options = ['--list', list, '--trust', 'allow,tarpit', '--format', 'csv', '--dry-run'];
      const { said } = await run(command, file, ...options);
      assert.match(said, /^~ ip:198\.51\.100\.9 deny → allow$/m);
      assert.match(said, /^\+ ip:198\.51\.100\.11 tarpit$/m);
      assert.equal(/^- ip:198\.51\.100\.10 deny$/m.test(said), command === 'sync');
    }
  });

  it('exempts a part of what it blocks is refused as a whole', async () => {
    const list = newList();
    const text = JSON.stringify([
      { id: 'a1', ip: '203.0.113.0', subnet: 24, negated: '0', comment: 'scanners' },
      { id: 'a2', ip: '203.0.113.77', subnet: null, negated: '1', comment: 'our monitor, not blocked' },
    ]);
    for (const options of [[], ['--skip-invalid']]) {
      const { status, said } = await run('import', fileOf('03.json', text), '--list', list, ...options);
      assert.deepEqual([status, await entriesOf(list)], [1, []], said);
      assert.match(said, /negated "1" exempts the subject from blocking/);
      assert.match(said, /read as prefix lengths: subnet/);
    }
    const apart = text.replace('203.0.113.77', '198.51.100.77');
    assert.equal(
      (await run('import', fileOf('03.json', apart), '--list', list, '--skip-invalid')).status,
      EXIT.skipped,
    );
    assert.deepEqual(await entriesOf(list), ['ip:203.0.113.0/24 deny']);
  });

  it('exempts by a sign does not block it with --skip-invalid', async () => {
    const list = newList();
    const { status, said } = await run(
      'import',
      fileOf('s.txt', '203.0.113.0/24\n! 203.0.113.7\n'),
      '--list',
      list,
      '--skip-invalid',
    );
    assert.deepEqual([status, await entriesOf(list)], [1, []], said);
    assert.match(said, /the source exempts ip:203\.0\.113\.7 and blocks ip:203\.0\.113\.0\/24/);
  });

  for (const [what, text] of [
    ['an allow within', '{"ip":"203.0.113.0/24"}\n{"ip":"203.0.113.7","action":"allow"}'],
    ['an allow around', '{"ip":"203.0.113.7"}\n{"ip":"203.0.113.0/24","action":"allow"}'],
    ['a verdict', '{"ip":"203.0.113.0/24"}\n{"ip":"203.0.113.7","verdict":"benign"}'],
    ['a flag', '{"ip":"2001:db8::/32"}\n{"ip":"2001:db8::7","tags":["whitelisted"]}'],
    ['the same', '{"ip":"203.0.113.7"}\n{"ip":"203.0.113.7","type":"whitelist"}'],
  ] as const)
    it(`exempts by ${what} does not block it with --skip-invalid`, async () => {
      const list = newList();
      const { status, said } = await run('import', fileOf('e.ndjson', text), '--list', list, '--skip-invalid');
      assert.deepEqual([status, await entriesOf(list)], [1, []], said);
      assert.match(said, /the source exempts \S+ and blocks \S+: --skip-invalid would block it/);
    });

  for (const [name, text, ...options] of [
    ['sign.txt', '203.0.113.0/24\n!203.0.113.7/24\n'],
    ['range.txt', '203.0.113.0/24\n!203.0.113.1-203.0.113.9\n'],
    ['dash.txt', '203.0.113.0/24\n-203.0.113.7\n'],
    ['hosts.txt', '*.shop.example\n-www.shop.example\n', '--kind', 'host'],
    ['filters.txt', '*.shop.example\n@@||www.shop.example^\n', '--kind', 'host'],
    ['server.txt', '203.0.113.0/24\nallow 203.0.113.7;\n'],
    ['set.txt', '203.0.113.0/24\nadd b 203.0.113.7 nomatch\n'],
    ['rules.acl', '203.0.113.0/24\n-A INPUT -s 203.0.113.7/32 -j ACCEPT\n'],
    ['bits.json', '[{"ip":"203.0.113.0/24"},{"ip":"203.0.113.7","subnet":24,"negated":"1"}]'],
    ['width.json', '[{"ip":"203.0.113.0/24"},{"ip":"203.0.113.7","wildcard":"x","negated":true}]'],
    ['ours.json', '[{"ip":"203.0.113.0/24"},{"ip":"203.0.113.7","wildcard":"x","action":"allow"}]'],
    ['twice.ndjson', '{"ip":"203.0.113.0/24"}\n{"ip":"203.0.113.7","negated":true,"n\\u0065gated":false}\n'],
    ['tables.csv', 'ip,x\n203.0.113.0/24,a\nip,wl\n203.0.113.7,1\n'],
    ['none.json', '[{"ip":"203.0.113.0/24"},{"address_v4":"203.0.113.7","verdict":"benign"}]'],
    ['none.ndjson', '{"ip":"203.0.113.0/24"}\n{"address_v4":"203.0.113.7","verdict":"benign"}\n'],
    ['path.ndjson', '{"at":"203.0.113.0/24"}\n{"in":"203.0.113.7","verdict":"benign"}\n', '--field', 'at'],
  ] as const)
    it(`lets somebody pass in a line that cannot be read blocks nobody: ${name}`, async () => {
      const list = newList();
      const file = fileOf(name, text);
      const { status, said } = await run('import', file, '--list', list, '--skip-invalid', ...options);
      assert.deepEqual([status, await entriesOf(list)], [1, []], said);
      assert.match(said, /exempts a subject that other lines may block|: --skip-invalid would block it/);
    });

  for (const [name, text, says] of [
    ['twice.json', '[{"ip":"203.0.113.7","negated":true,"negated":false}]', /"negated" twice in one object/],
    ['around.json', '{"success":false,"success":true,"result":[{"ip":"203.0.113.7"}]}', /"success" twice/],
    ['mac.csv', 'ip,reason\r203.0.113.7,x\r203.0.113.8,x\r', /ends its lines with \\r alone/],
    ['mac.txt', '203.0.113.7\r203.0.113.8\r', /ends its lines with \\r alone/],
  ] as const)
    it(`is told apart from a list, and empties none: ${name}`, async () => {
      const list = newList();
      assert.equal((await run('import', fileOf('good.txt', '203.0.113.9\n'), '--list', list)).status, 0);
      const { status, said } = await run('sync', fileOf(name, text), '--list', list, '--yes', '--skip-invalid');
      assert.deepEqual([status, await entriesOf(list)], [1, ['ip:203.0.113.9 deny']], said);
      assert.match(said, says);
    });

  it('is of agents has them whole', async () => {
    const agents = [
      'Mozilla/5.0 (compatible; ExampleBot/1.0 ; +https://bot.example/about)',
      'WatchExample (http://watch.example/ ; HQ)',
      'ExampleCrawler/2.0 (Mozilla-compatible; ; http://crawler.example/)',
      'PlainBot/1.0',
      'Numbered/1.0 # 5',
    ];
    const list = newList();
    const { status, said } = await run('import', fileOf('04.txt', agents.join('\n')), '--kind', 'ua', '--list', list);
    assert.equal(status, 0, said);
    assert.doesNotMatch(said, /match as a whole/);
    assert.deepEqual(new Set(await entriesOf(list)), new Set(agents.map((agent) => `ua:${agent} deny`)));
    const exported = join(folder, 'exported.txt');
    assert.equal((await run('export', list, '--format', 'plain', '--out', exported)).status, 0);
    const copy = newList();
    await run('import', exported, '--kind', 'ua', '--list', copy);
    assert.deepEqual(await entriesOf(copy), await entriesOf(list));
  });

  it('has parts and patterns for agents is told that they match as a whole, before anything is written', async () => {
    const text = 'ExampleBot\nexample-spider\nExample\\ Harvester\nbot\\.example\n^Sample.*Crawler\n';
    const { said } = await run('import', fileOf('06.txt', text), '--kind', 'ua', '--list', newList());
    const expected =
      'warning: user agents and headers match as a whole, but 3 look like patterns, 2 like parts, such as "ExampleBot": such an entry matches only this exact text; --contains reads names\n';
    assert.ok(said.includes(expected), said);
    assert.ok(said.indexOf(expected) < said.indexOf('wrote 5 entries'), said);
  });

  it('has comments has notes, which HAProxy is not told', async () => {
    const list = newList();
    const text =
      '# scanners of our subnet\n203.0.113.7 # seen by J. Doe, ticket 4711\n198.51.100.0/24\t# whole provider\n192.0.2.1\n';
    const { status, said } = await run('import', fileOf('07.acl', text), '--list', list);
    assert.equal(status, 0, said);
    const items = await Array.fromAsync(store.entries.ofList(list));
    assert.deepEqual(
      items.map(({ subject, reason, note }) => [subject, reason, note]),
      [
        ['ip:192.0.2.1', undefined, undefined],
        ['ip:198.51.100.0/24', undefined, 'whole provider'],
        ['ip:203.0.113.7', undefined, 'seen by J. Doe, ticket 4711'],
      ],
    );
  });

  const PLAIN = Array.from({ length: 40 }, (_, last) => `203.0.113.${last}`);

  it('was plain and is another format overnight changes nothing', async () => {
    const file = fileOf('drop', PLAIN.join('\n'));
    const list = newList();
    const sync = (...args: string[]) => run('sync', file, '--list', list, '--reason', 'drop', ...args);
    assert.equal((await sync()).status, 0);
    const before = await entriesOf(list);
    const more = TOO_MUCH.split('\n');
    const formats = {
      ndjson: [...PLAIN.map((ip) => JSON.stringify({ ip })), ...more].join('\n'),
      json: JSON.stringify([...PLAIN.map((ip) => ({ ip })), ...more.map((line) => JSON.parse(line))]),
      haproxy: [...PLAIN.map((ip) => `${ip} deny`), '198.18.9.9 allow'].join('\n'),
      crowdsec: JSON.stringify([{ decisions: PLAIN.map((value) => ({ scope: 'Ip', value, type: 'ban' })) }]),
      'aws-waf': JSON.stringify({ Addresses: PLAIN }),
    };
    for (const [format, text] of Object.entries(formats)) {
      fileOf('drop', text);
      for (const options of [
        [],
        ['--skip-invalid'],
        ['--yes', '--skip-invalid'],
        ['--force', '--yes', '--skip-invalid'],
      ]) {
        const { status, said } = await sync(...options);
        assert.ok(
          said.includes(`is ${format} now and was plain before; if that is intended, add --format ${format}`),
          said,
        );
        assert.deepEqual([status, await entriesOf(list)], [1, before]);
      }
    }
    fileOf('drop', formats.ndjson);
    const { status, said } = await sync('--format', 'ndjson');
    assert.deepEqual([status, await entriesOf(list)], [1, before], 'a format that was named says no more either');
    assert.match(said, /--trust allow,country,host/);
    fileOf('drop', '');
    assert.equal((await sync('--yes')).status, 0, 'nothing is of any format');
    fileOf('drop', formats.json);
    assert.match((await sync()).said, /was plain before/);
  });

  it('is of another format than another file was is taken, and list manual takes anything', async () => {
    const list = newList();
    const files = [
      fileOf('first.txt', '203.0.113.1\n'),
      fileOf('second.ndjson', ndjson({ ip: '203.0.113.2' })),
      fileOf('third.csv', 'ip,reason\n203.0.113.3,abuse\n'),
    ];
    for (const file of files) assert.equal((await run('import', file, '--list', list)).status, 0);
    const [first = ''] = files;
    fileOf('empty.json', '[]');
    assert.equal((await run('import', join(folder, 'empty.json'), '--list', list)).status, 0);
    assert.equal((await run('import', first, '--list', list)).status, 0);
    for (const text of ['203.0.113.1\n', ndjson({ ip: '203.0.113.2' }), 'ip,reason\n203.0.113.3,abuse\n']) {
      const { status, said } = await run('import', fileOf('today', text));
      assert.equal(status, 0, said);
    }
  });

  it('was trusted is so with the list, for this source alone', async () => {
    const list = newList();
    const file = fileOf('trusted.ndjson', ndjson({ ip: '203.0.113.7' }, { ip: '203.0.113.8', action: 'tarpit' }));
    assert.equal((await run('sync', file, '--list', list, '--trust', 'tarpit')).status, 0);
    assert.equal((await run('sync', file, '--list', list)).status, 0);
    assert.match((await run('lists', 'describe', list)).said, /^trusted with +tarpit$/m);
    const other = fileOf('other.ndjson', ndjson({ ip: '203.0.113.8', action: 'tarpit' }));
    assert.match((await run('sync', other, '--list', list)).said, /not set tarpit without --trust/);
    assert.match((await run('sync', file, '--list', list, '--trust', 'none')).said, /not set tarpit without --trust/);
    assert.equal((await run('sync', other, '--list', list, '--trust', 'tarpit')).status, 0);
    assert.match((await run('sync', file, '--list', list)).said, /not set tarpit without --trust/);
  });

  it('was trusted in the list of people is so once', async () => {
    const file = fileOf('people.ndjson', ndjson({ ip: '203.0.113.8', action: 'allow' }));
    assert.equal((await run('import', file, '--trust', 'allow')).status, 0);
    assert.match((await run('import', file)).said, /not set allow without --trust/);
  });

  it('brings allows or redirects later on waits for --yes, however few', async () => {
    const list = newList();
    const records = [{ ip: '203.0.113.7' }, { ip: '203.0.113.8', action: 'allow' }];
    const file = fileOf('later.ndjson', ndjson(...records));
    const trust = ['--trust', 'allow,redirect,var.location'];
    assert.equal((await run('sync', file, '--list', list, ...trust)).status, 0);
    const before = await entriesOf(list);
    for (const more of [
      { ip: '203.0.113.9', action: 'allow' },
      { ip: '203.0.113.7', action: 'allow' },
      { ip: '203.0.113.9', action: 'redirect', vars: { location: 'https://elsewhere.example/' } },
    ]) {
      fileOf('later.ndjson', ndjson(...records.filter(({ ip }) => ip !== more.ip), more));
      for (const command of ['sync', 'import']) {
        const { status, said } = await run(command, file, '--list', list, ...trust);
        assert.deepEqual([status, await entriesOf(list)], [1, before], said);
        assert.ok(
          said.includes(`allow or redirect 1 more subject in list ${list}, such as ${more.action} ip:${more.ip};`),
          said,
        );
      }
    }
    fileOf('later.ndjson', ndjson(...records, { ip: '203.0.113.10' }));
    assert.equal((await run('sync', file, '--list', list)).status, 0, 'what was let pass before is none');
    fileOf('later.ndjson', ndjson(...records, { ip: '203.0.113.9', action: 'allow' }));
    assert.equal((await run('sync', file, '--list', list, '--yes')).status, 0);
    assert.ok((await entriesOf(list)).includes('ip:203.0.113.9 allow'));
  });

  it('says deny gets the action of the command', async () => {
    const list = newList();
    const file = fileOf('deny.ndjson', ndjson({ ip: '203.0.113.7', action: 'deny' }));
    await run('import', file, '--list', list, '--action', 'tarpit');
    assert.deepEqual(await entriesOf(list), ['ip:203.0.113.7 tarpit']);
    await run('import', file, '--list', list, '--action', 'tarpit', '--trust', 'deny');
    assert.deepEqual(await entriesOf(list), ['ip:203.0.113.7 deny']);
  });

  it('says no variables in a map of them keeps those of the command', async () => {
    const list = newList();
    const file = fileOf('empty-vars.ndjson', ndjson({ ip: '203.0.113.7', vars: {} }));
    await run('import', file, '--list', list, '--action', 'tag', '--var', 'req.set.x-plan=gold');
    const items = await Array.fromAsync(store.entries.ofList(list));
    assert.deepEqual(
      items.map(({ vars }) => vars),
      [{ 'req.set.x-plan': 'gold' }],
    );
  });

  it('has no line that can be taken ends with 1, also with --skip-invalid', async () => {
    const { status, said } = await run('sync', fileOf('no.txt', 'x\ny\n'), '--list', newList(), '--skip-invalid');
    assert.deepEqual([status, said.includes('nothing was written: 2 of 2 lines cannot be read; fix them')], [1, true]);
  });

  it('is trusted with what nothing is called is refused in one line', async () => {
    for (const words of ['everything', 'allow,', 'var.', 'var.nothing', 'none,allow', 'Allow', 'var.req.set.host:x']) {
      const { status, said } = await run('import', fileOf('x.txt', ''), '--trust', words);
      assert.deepEqual([status, said.trim().split('\n').length], [2, 1], said);
      assert.match(said, /^haverdict: --trust "[^"]*" is not valid: write actions/);
    }
  });
});
