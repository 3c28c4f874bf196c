import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { temporaryFolder } from '../../support/config-file.ts';
import { runAround, runOnTable } from '../../support/haverdict-on-table.ts';
import { localTable, storeAt } from '../../support/local-table.ts';

const LOG = ['203.0.113.7', '203.0.113.7', '192.0.2.1', '198.51.100.9']
  .map(
    (client, second) =>
      `${client}:3 [06/Feb/2026:12:14:0${second}.000] web app/s1 0/0/0/0/0 200 1 - - ---- 1/1/1/1/0 0/0 "GET /login HTTP/1.1"\n`,
  )
  .join('');

describe('haverdict replay', () => {
  it('prints whom the table would deny, and by which entry', async (t) => {
    const { endpoint, log } = await world(t);
    const { status, stdout } = await runOnTable(endpoint, 'replay', log);
    assert.equal(status, 0);
    assert.equal(
      stdout,
      [
        '4 requests of 3 clients, 2026-02-06 12:14:00 to 2026-02-06 12:14:03',
        '1 line without a client and a time',
        'would be denied: 3 requests (75.0 %) of 2 clients',
        '',
        'REQUESTS  CLIENTS  ACTION  LIST    ENTRY              LAST                 REASON',
        '2         1        deny    manual  ip:203.0.113.0/24  2026-02-06 12:14:01  scanners',
        '1         1        deny    feed    ip:192.0.2.1       2026-02-06 12:14:02',
        '',
        'Looked up ip, host, path, method, every list as if it were enforced.',
        '',
      ].join('\n'),
    );
  });

  it('looks as an agent with the configuration does, and says what a log does not have', async (t) => {
    const { endpoint, log, folder } = await world(t);
    const config = join(folder, 'haverdict.yaml');
    writeFileSync(
      config,
      'lists: [manual]\nmessages: { check-request: { subjects: { ip: src, ua: req.fhdr(user-agent) } } }\n',
    );
    const { stdout } = await runOnTable(endpoint, 'replay', log, '-c', config);
    assert.match(stdout, /^would be denied: 2 requests \(50\.0 %\) of 1 client$/m);
    assert.match(
      stdout,
      /^Looked up ip, every list .*\nA log does not have ua: what these would decide is not shown\.\n$/m,
    );
  });

  it('reads standard input, and prints JSON', async (t) => {
    const { endpoint } = await world(t);
    const { stdout } = await runAround(
      { input: LOG },
      endpoint,
      'replay',
      '-',
      '--json',
      '--top',
      '1',
      '--lists',
      'feed,manual',
    );
    assert.deepEqual(JSON.parse(stdout), {
      ...{ lines: 4, requests: 4, clients: 3, hasMoreClients: false },
      ...{ from: '2026-02-06T12:14:00.000Z', to: '2026-02-06T12:14:03.000Z' },
      ...{ lists: ['feed', 'manual'], kinds: ['ip', 'host', 'path', 'method'], notLogged: [] },
      ...{ denied: { requests: 3, clients: 2 }, entries: 2 },
      hits: [
        {
          ...{ requests: 2, clients: 1, action: 'deny', list: 'manual', entry: 'ip:203.0.113.0/24' },
          ...{ from: '2026-02-06T12:14:00.000Z', to: '2026-02-06T12:14:01.000Z', reason: 'scanners' },
        },
      ],
    });
  });

  it('says where nothing applies, and where there is no request', async (t) => {
    const { endpoint } = await world(t);
    const none = await runAround({ input: LOG }, endpoint, 'replay', '-', '--lists', 'other');
    assert.match(none.stdout, /^No entry of other applies to any of them\.$/m);
    const empty = await runAround({ input: 'x\n' }, endpoint, 'replay', '-');
    assert.equal(empty.stdout, 'no request in these logs\n1 line without a client and a time\n');
  });

  for (const [what, args, status, says] of [
    ['a file that is not there', ['/nonexistent/haproxy.log'], 1, /^haverdict: \/nonexistent\/haproxy\.log: ENOENT/],
    ['--top 0', ['-', '--top', '0'], 2, /^haverdict: --top takes a number from 1, not "0"\n$/],
    ['no file', [], 2, /missing required argument 'file'/],
    ['a list that is none', ['-', '--lists', 'A'], 2, /"A" is not a valid list name/],
    ['a message without a configuration', ['-', '--message', 'other'], 2, /the configuration has no message other/],
  ] as const)
    it(`refuses ${what}`, async (t) => {
      const { endpoint } = await world(t);
      const run = await runAround({}, endpoint, 'replay', ...args);
      assert.deepEqual([run.status, run.stdout], [status, '']);
      assert.match(run.stderr, says);
    });
});

async function world(t: TestContext) {
  const { endpoint } = await localTable(t);
  const store = storeAt(endpoint);
  await store.put({ subject: 'ip:203.0.113.0/24', list: 'manual', action: 'deny', reason: 'scanners' });
  await store.put({ subject: 'ip:192.0.2.1', list: 'feed', action: 'deny' });
  const folder = temporaryFolder(t);
  const log = join(folder, 'haproxy.log');
  writeFileSync(log, `${LOG}haproxy started\n`);
  return { endpoint, log, folder };
}
