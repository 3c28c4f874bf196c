import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { startAgentProcess } from '../../dev/agent-process.ts';
import { Client } from '../support/spop/client.ts';
import { hello, ipv4, notify, type ParsedFrame, parseActions } from '../support/spop/naive-codec.ts';

/** Of an /8 whose first addresses are listed; all others are free. */
const LISTED = ipv4(10, 0, 0, 1);

type Answer = (subjects: readonly string[], response: ServerResponse) => void;

describe('a connection on which too many frames wait', () => {
  it('is answered from the cache where that knows, and by policy where it does not', async (t) => {
    let answer: Answer = well;
    const { haproxy } = await agentBefore(t, (...asked) => answer(...asked), { deadlineMs: 10_000 });
    haproxy.socket.write(ask(1, LISTED));
    assert.deepEqual(said((await haproxy.received(2))[1]), { action: 'deny', source: 'backend', list: 'manual' });
    answer = () => {}; // hangs from now on
    const strangers = Array.from({ length: 1000 }, (_, index) => ask(2 + index, ipv4(10, 1, index >> 8, index & 255)));
    haproxy.socket.write(Buffer.concat([...strangers, ask(2000, LISTED)]));
    const answered = (await haproxy.received(2 + 1000 - 256 + 1)).slice(2);
    assert.deepEqual(said(answered.pop()), { action: 'deny', source: 'cache', list: 'manual' });
    for (const frame of answered)
      assert.deepEqual(said(frame), { action: 'allow', source: 'policy', reason: 'overload' });
  });
});

function well(subjects: readonly string[], response: ServerResponse): void {
  const verdicts = subjects.map((subject) => ({
    subject,
    entry: subject.startsWith('ip:10.0.') ? { subject, list: 'manual', action: 'deny' } : null,
  }));
  response.end(JSON.stringify({ verdicts, ttl: 3600 }));
}

/** An agent process before a backend that answers like this, and HAProxy's end of a connection to it. */
async function agentBefore(t: TestContext, answer: Answer, config: object) {
  const server = createServer(async (request, response) => {
    const chunks = await request.toArray();
    if (request.method === 'GET') return void response.end('{"status":"ok"}');
    const { subjects } = JSON.parse(Buffer.concat(chunks).toString()) as { subjects: string[] };
    answer(subjects, response);
  }).listen(0, '127.0.0.1');
  t.after(() => void server.close(() => {}).closeAllConnections());
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`; // it listens
  const folder = mkdtempSync(join(tmpdir(), 'haverdict-pressure-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, 'agent.sock');
  const agent = await startAgentProcess({ listen: [{ unix: path }], backend: { url }, ...config }, folder);
  t.after(() => agent.kill('SIGKILL'));
  const haproxy = await Client.connect({ path });
  t.after(() => haproxy.socket.destroy());
  haproxy.socket.write(hello());
  await haproxy.received(1);
  return { agent, haproxy, folder };
}

function ask(stream: number, address: ReturnType<typeof ipv4>): Uint8Array {
  return notify(stream, 1, ['check-request', ['ip', address]]);
}

/** What an ACK sets, but for the id and the entry. */
function said(frame: ParsedFrame | undefined): Record<string, string> {
  const set = parseActions(frame?.payload ?? new Uint8Array()).flatMap((action) => {
    if (action.type !== 'set-var' || action.value.type !== 'string') return [];
    return [[action.name, Buffer.from(action.value.value).toString()] as const];
  });
  const { entry: _entry, ref: _ref, ...rest } = Object.fromEntries(set);
  return rest;
}
