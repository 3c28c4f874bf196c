import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, describe, it, type TestContext } from 'node:test';
import { AdminServer } from '../../../agent/admin/server.ts';
import { systemClock } from '../../../agent/decision/clock.ts';
import type { Hits } from '../../../agent/state/state.ts';
import type { ListenAddress } from '../../../config/listen-address.ts';
import { redactedSubject } from '../../../contract/redact.ts';
import { adminSocket, ScriptedControl } from '../../support/admin-socket.ts';
import { temporaryFolder } from '../../support/config-file.ts';
import { runOnTable } from '../../support/haverdict-on-table.ts';
import { blocklistAt, localTable } from '../../support/local-table.ts';

const KEY = `key:${'ab'.repeat(32)}`;
const LOOPBACK = { type: 'tcp', host: '127.0.0.1', port: 0 } as const;
const YEAR = Date.parse('2027-01-01T00:00:00Z');

describe('haverdict list --agents', async () => {
  const { endpoint } = await localTable({ after });
  const { entries } = blocklistAt(endpoint);
  for (const subject of ['ip:203.0.113.7', 'ip:203.0.113.9', KEY])
    await entries.put({ subject, list: 'feed', action: 'deny' });
  const run = (...args: string[]) => runOnTable(endpoint, 'list', 'feed', ...args);

  it('adds up what the agents have counted of each entry, over HTTP and the socket alike', async (t) => {
    const count = (subject: string, list: string, count: number) => ({ subject, list, count });
    const first = await served(t, {
      sinceMs: YEAR,
      isComplete: true,
      entries: [count('ip:203.0.113.7', 'feed', 12), count('ip:203.0.113.9', 'manual', 5)],
    });
    const { path, control } = await adminSocket(t);
    control.counted = {
      sinceMs: YEAR + 1000,
      isComplete: true,
      entries: [count('ip:203.0.113.7', 'feed', 30), count(redactedSubject(KEY), 'feed', 2)],
    };
    const { stdout, stderr } = await run('--agents', `${first},${path}`, '--json');
    assert.equal(stderr, '');
    const told = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    const since = '2027-01-01T00:00:01.000Z';
    assert.deepEqual(
      told.map(({ subject, hits }) => [subject, hits]),
      [
        ['ip:203.0.113.7', { count: 42, isComplete: true, since }],
        ['ip:203.0.113.9', { count: 0, isComplete: true, since }],
        [KEY, { count: 2, isComplete: true, since }],
      ],
    );
    control.counted = { ...control.counted, isComplete: false };
    const table = await run('--agents', `http://${first},${path}`);
    assert.match(table.stdout, /^HITS +SUBJECT .*\n42\+ +ip:203\.0\.113\.7 .*\n0\+ +ip:203\.0\.113\.9 /);
  });

  it('asks an agent whose admin.listen is a socket', async (t) => {
    const path = join(temporaryFolder(t), 'http.sock');
    const entries = [{ subject: 'ip:203.0.113.9', list: 'feed', count: 3 }];
    await served(t, { sinceMs: YEAR, isComplete: true, entries }, { type: 'unix', path });
    const { stdout } = await run('--agents', `unix:${path}`);
    assert.match(stdout, /\n3 +ip:203\.0\.113\.9 /);
  });

  it('refuses what is no address of an agent', async () => {
    for (const agents of [
      '',
      'nonsense',
      '127.0.0.1',
      '127.0.0.1:0',
      '127.0.0.1:99999',
      'ftp://127.0.0.1:1',
      'a:1,,b:2',
    ]) {
      const { status, stdout, stderr } = await run('--agents', agents);
      assert.deepEqual([status, stdout], [2, ''], agents);
      assert.match(stderr, /is no address of an agent: write its admin\.listen, like 127\.0\.0\.1:9101/);
    }
  });

  it('prints nothing if one of them cannot be asked: the counts would be too low', async (t) => {
    const other = createServer((_, response) => response.end('{"sinceMs":1,"entries":[{}],"isComplete":true}'));
    other.listen(0, '127.0.0.1');
    await once(other, 'listening');
    t.after(() => other.close());
    const { port } = other.address() as AddressInfo;
    for (const [address, problem] of [
      ['127.0.0.1:1', 'connection refused: is it running with this admin.listen?'],
      ['unix:/nonexistent/a.sock', 'connection refused: is it running with this admin.listen?'],
      [`127.0.0.1:${port}`, 'answers 200 without counts: is this the admin.listen of an agent of this release?'],
    ] as const)
      assert.deepEqual(await run('--agents', address), {
        status: 1,
        stdout: '',
        stderr: `haverdict: agent ${address}: ${problem}\n`,
      });
    const gone = await run('--agents', '/nonexistent/a.sock');
    assert.deepEqual([gone.status, gone.stdout], [1, '']);
    assert.match(gone.stderr, /does not exist: is the agent running with this admin\.socket\?\n$/);
  });
});

/** Where an agent that has counted this listens. */
async function served(t: TestContext, counted: Hits, target: ListenAddress = LOOPBACK): Promise<string> {
  const control = new ScriptedControl();
  const server = new AdminServer(target, {
    state: () => control.state(),
    hits: async () => counted,
    clock: systemClock,
  });
  await server.open();
  t.after(() => server.close());
  return server.address.replace('tcp://', '');
}
