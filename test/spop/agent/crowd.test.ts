import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, it, type TestContext } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { createAgent } from '../../../spop/agent/create-agent.ts';
import { temporaryFolder } from '../../support/config-file.ts';
import { describeNewer, SCOPE } from '../../support/scope.ts';
import { variables } from '../../support/spop/agent-world.ts';
import { Client } from '../../support/spop/client.ts';
import { hello, ipv4, type Message, notify, str, toHex } from '../../support/spop/naive-codec.ts';

const ROOT = join(import.meta.dirname, '../../..');
const CLIENTS = 1000;
const IN_FLIGHT = 20;

/** Among the clients are some that send this. */
const GARBAGE = [Buffer.from('GET / HTTP/1.1\r\n\r\n'), Buffer.alloc(64, 0xff), hello().slice(0, 9)];

/** The payloads that 1,000 clients got, 20 questions of each being in flight, by how often: in hexadecimal. */
async function answersTo(path: string, question: (nth: number) => Message): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  const bad = await Promise.all(GARBAGE.map(() => Client.connect({ path })));
  for (const [nth, { socket }] of bad.entries()) socket.write(GARBAGE[nth] ?? '');
  const frames = Buffer.concat(Array.from({ length: IN_FLIGHT }, (_, nth) => notify(nth + 1, 1, question(nth))));
  const clients = await Promise.all(Array.from({ length: CLIENTS }, () => Client.connect({ path })));
  for (const { socket } of clients) socket.write(hello());
  await Promise.all(clients.map((client) => client.received(1)));
  for (const { socket } of clients) socket.write(frames);
  for (const client of clients) {
    const [, ...acks] = await client.received(1 + IN_FLIGHT);
    assert.deepEqual(new Set(acks.map(({ streamId }) => Number(streamId))).size, IN_FLIGHT);
    for (const { payload } of acks) counts[toHex(payload)] = (counts[toHex(payload)] ?? 0) + 1;
  }
  for (const { socket } of [...clients, ...bad]) socket.destroy();
  return counts;
}

describeNewer('1,000 clients with 20 messages in flight each, and some that send garbage, get every answer', () => {
  const folder = temporaryFolder({ after });

  it('of functions that answer at once, later, with an error and never', async (t) => {
    const path = join(folder, 'kinds.sock');
    const errors: Record<string, number> = {};
    const agent = createAgent(
      {
        'at-once': ({ set }) => set('got', 'at once'),
        later: async ({ set }) => {
          await pause(1);
          set('got', 'later');
        },
        throws() {
          throw new Error('boom');
        },
        never: () => new Promise(() => {}),
      },
      {
        deadlineMs: 2000,
        fallback: ({ reason, set }) => set('got', reason),
        onError: ({ code }) => {
          errors[code] = (errors[code] ?? 0) + 1;
        },
      },
    );
    await agent.listen({ path });
    t.after(() => agent.close());
    const kinds = ['at-once', 'later', 'throws', 'never'];
    const counts = await answersTo(path, (nth) => [kinds[nth % kinds.length] ?? '']);
    const got = (text: string) => counts[variables({ got: str(text) })] ?? 0;
    const each = (CLIENTS * IN_FLIGHT) / kinds.length;
    assert.deepEqual([got('at once'), got('failed')], [each, each]);
    // on a machine that is slow, some of those that come later are late
    assert.deepEqual([got('later') + got('late'), got('late') >= each], [2 * each, true]);
    assert.equal(errors.failed, each);
    assert.equal(errors.protocol, 2, 'one of those who send garbage has not sent a whole frame');
  });

  if (SCOPE !== 'all') return; // the agents of the guide make 20,000 calls
  for (const [name, question, answers] of [
    ['header', ['check-request', ['agent', str('ExampleBot')]], [variables({ kind: str('bot') })]],
    [
      'rate',
      ['check-rate', ['ip', ipv4(203, 0, 113, 7)]],
      [true, false].map((value) => variables({ limited: { type: 'bool', value } })),
    ],
    ['geo', ['find-country', ['ip', ipv4(203, 0, 113, 7)]], [variables({ country: str('ZZ') })]],
  ] as const satisfies readonly (readonly [string, Message, readonly string[]])[])
    it(`of the agent of the guide ${name}`, async (t) => {
      const path = join(folder, `${name}.sock`);
      const service = await hangingService(t);
      const agent = startAgent(t, name, { AGENT_SOCKET: path, GEO_SERVICE: service });
      while (!existsSync(path)) await pause(10); // it prints nothing
      const counts = await answersTo(path, () => question);
      assert.deepEqual(
        Object.keys(counts).filter((answer) => !(answers as readonly string[]).includes(answer)),
        [],
      );
      assert.equal(
        Object.values(counts).reduce((sum, count) => sum + count, 0),
        CLIENTS * IN_FLIGHT,
      );
      agent.kill('SIGTERM');
      assert.deepEqual(await once(agent, 'exit'), [0, null]);
    });
});

/** A service that never answers. */
async function hangingService(t: TestContext): Promise<string> {
  const service = createServer(() => {});
  await once(service.listen(0, '127.0.0.1'), 'listening');
  t.after(() => {
    service.close();
    service.closeAllConnections();
  });
  return `http://127.0.0.1:${(service.address() as AddressInfo).port}/`;
}

function startAgent(t: TestContext, name: string, env: Readonly<Record<string, string>>): ChildProcess {
  const hook = join(ROOT, 'test/support/packages-from-sources.ts');
  const args = ['--import', hook, join(ROOT, `docs/guides/spop-agents/${name}.ts`)];
  const child = spawn(process.execPath, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'ignore', 'pipe'] });
  child.stderr?.resume();
  t.after(() => child.kill('SIGKILL'));
  return child;
}
