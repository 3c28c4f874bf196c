import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, it } from 'node:test';
import { AdminServer } from '../../../agent/admin/server.ts';
import { systemClock } from '../../../agent/decision/clock.ts';
import { sampleState } from '../../agent/admin/sample-state.ts';
import { adminSocket } from '../../support/admin-socket.ts';
import { runHaverdict } from '../../support/haverdict.ts';

describe('haverdict denied', () => {
  it('prints what each agent denied, over the socket and HTTP alike, although one does not answer', async (t) => {
    const { path, control } = await adminSocket(t);
    const [first, second] = sampleState().recent;
    assert.ok(first && second);
    control.next = sampleState({ host: 'one', recent: [first], top: [] });
    const parts = { state: async () => sampleState({ host: 'two', recent: [{ ...second, reason: 'a\u202eb' }] }) };
    const server = new AdminServer(
      { type: 'tcp', host: '127.0.0.1', port: 0 },
      { ...parts, hits: () => control.hits(), clock: systemClock },
    );
    await server.open();
    t.after(() => server.close());
    const other = createServer((_, response) => response.end('{"host":"x","recent":[{}],"top":[]}')).listen(
      0,
      '127.0.0.1',
    );
    await once(other, 'listening');
    t.after(() => other.close());
    const { port } = other.address() as AddressInfo; // a listening TCP server has one
    const address = server.address.replace('tcp://', '');
    const agents = `${path},${address},127.0.0.1:1,127.0.0.1:${port}`;
    const json = await runHaverdict('denied', '--agents', agents, '--json');
    const refused = 'agent 127.0.0.1:1: connection refused: is it running with this admin.listen?';
    assert.deepEqual([json.status, json.stderr], [1, `haverdict: ${refused} (and 1 more)\n`]);
    const { atMs, ...rest } = first;
    const [one, two, ...problems] = JSON.parse(json.stdout);
    assert.deepEqual(one, {
      agent: path,
      host: 'one',
      recent: [{ at: new Date(atMs).toISOString(), ...rest }],
      top: [],
    });
    assert.deepEqual([two.agent, two.host, two.recent[0].reason], [address, 'two', 'a\u202eb']);
    assert.deepEqual(problems, [
      { agent: '127.0.0.1:1', problem: refused },
      {
        agent: `127.0.0.1:${port}`,
        problem: `agent 127.0.0.1:${port}: answers 200 without its state: is this the admin.listen of an agent of this release?`,
      },
    ]);
    const table = await runHaverdict('denied', '--agents', `${path},${address}`);
    assert.equal(table.status, 0);
    assert.match(table.stdout, new RegExp(`^one \\(${path}\\)\nAT +ACTION +CLIENT .*\n\\S+Z +deny +${first.client} `));
    assert.match(table.stdout, /a\\u\{202e\}b/);
  });

  it('asks the agent of this host where no other is named', async (t) => {
    const { path, control } = await adminSocket(t);
    control.next = sampleState({ host: 'here', recent: [] });
    const { stdout } = await runHaverdict('denied', '--socket', path);
    assert.equal(stdout, `here (${path}) denied nothing lately\n`);
  });
});
