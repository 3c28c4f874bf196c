import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, it, type TestContext } from 'node:test';
import { STARTUP_SUBJECT } from '../../agent/backend/startup-check.ts';
import type { CheckRequest } from '../../contract/check.ts';
import { startAgentProcess } from '../../dev/agent-process.ts';
import { PROGRAM } from '../../dev/program-path.ts';
import { FrameType } from '../../spop/frame.ts';
import { childrenOf } from '../support/children.ts';
import { Client } from '../support/spop/client.ts';
import { fromHex, hello, ipv4, notify, type ParsedFrame, type Value } from '../support/spop/naive-codec.ts';
import { until } from '../support/until.ts';

describe('the agent as a process', () => {
  it('says goodbye on SIGTERM, answers what waits first, removes its socket and exits 0', async (t) => {
    const { agent, path, haproxy } = await agentWithWaitingFrame(t, 400);
    assert.equal(statSync(path).mode & 0o777, 0o600);
    const exited = agent.kill('SIGTERM');
    const types = (await haproxy.received(3)).map(({ type }) => type);
    assert.deepEqual(types, [FrameType.agentHello, FrameType.ack, FrameType.agentDisconnect]);
    assert.equal(await exited, 0);
    assert.ok(!existsSync(path));
  });

  it('exits at once on the second signal', async (t) => {
    const { agent } = await agentWithWaitingFrame(t, 10_000);
    const first = agent.kill('SIGTERM');
    await seen(agent.lines, /stopping/);
    await agent.kill('SIGTERM');
    assert.equal(await first, 1);
  });

  it('takes over the socket file that a killed agent left', async (t) => {
    const folder = folderFor(t);
    const config = { listen: [{ unix: join(folder, 'agent.sock') }], backend: { url: 'http://127.0.0.1:1' } };
    await (await startAgentProcess(config, folder)).kill('SIGKILL');
    const second = await startAgentProcess(config, folder);
    assert.equal(await second.kill('SIGTERM'), 0);
  });

  it('asks for the network of an IPv6 client where ipv6Prefix says so, once for all who are in it', async (t) => {
    const folder = folderFor(t);
    const asked: string[] = [];
    const backend = createHttpServer(async (request, response) => {
      if (request.method === 'GET') return void response.end('{}'); // the health that is asked for at the start
      const { subjects } = JSON.parse(Buffer.concat(await request.toArray()).toString()) as CheckRequest;
      if (!subjects.includes(STARTUP_SUBJECT)) asked.push(...subjects);
      const verdicts = subjects.map((subject) => ({ subject, entry: { subject, list: 'manual', action: 'deny' } }));
      response.end(JSON.stringify({ verdicts, ttl: 60 }));
    }).listen(0, '127.0.0.1');
    t.after(() => backend.close());
    await once(backend, 'listening');
    const url = `http://127.0.0.1:${(backend.address() as AddressInfo).port}`; // it listens
    const path = join(folder, 'agent.sock');
    const settings = { listen: [{ unix: path }], backend: { url }, deadlineMs: 5000, ipv6Prefix: 64 };
    const agent = await startAgentProcess(settings, folder);
    const haproxy = await Client.connect({ path });
    haproxy.socket.write(hello());
    await haproxy.received(1);
    for (const [index, visitor] of ['20010db8000000050000000000000001', '20010db80000000500000000ffffffff'].entries()) {
      const address: Value = { type: 'ipv6', value: fromHex(visitor) };
      haproxy.socket.write(notify(index + 1, 1, ['check-request', ['ip', address]]));
      const { payload } = (await haproxy.received(index + 2))[index + 1] as ParsedFrame; // just received
      assert.ok(Buffer.from(payload).includes('\x14ip:2001:db8:0:5::/64'));
    }
    assert.deepEqual(asked, ['ip:2001:db8:0:5::/64']);
    await agent.kill('SIGTERM');
  });

  const taken = createServer();
  const cases: readonly { name: string; listen: (folder: string) => Promise<string>; says: RegExp }[] = [
    {
      name: 'the port is taken',
      listen: async () => {
        taken.listen(0, '127.0.0.1');
        await once(taken, 'listening');
        return `tcp://127.0.0.1:${(taken.address() as AddressInfo).port}`; // it listens
      },
      says: /^haverdict: cannot listen on 127\.0\.0\.1:\d+: .*EADDRINUSE.*\n$/,
    },
    {
      name: 'the socket is in use',
      listen: async (folder) => {
        taken.listen(join(folder, 'used.sock'));
        await once(taken, 'listening');
        return `unix:${join(folder, 'used.sock')}`;
      },
      says: /^haverdict: .*used\.sock is in use by a running process\n$/,
    },
    {
      name: 'a file that is no socket stands there',
      listen: async (folder) => {
        writeFileSync(join(folder, 'file'), 'precious');
        return `unix:${join(folder, 'file')}`;
      },
      says: /^haverdict: .*\/file exists and is not a socket: remove it or listen elsewhere\n$/,
    },
    {
      name: 'the folder of the socket is not there',
      listen: async (folder) => `unix:${join(folder, 'none', 'agent.sock')}`,
      says: /^haverdict: cannot listen on .*none\/agent\.sock: folder .*none does not exist\n$/,
    },
  ];
  for (const { name, listen, says } of cases) {
    it(`exits 1 with one line when ${name}`, async (t) => {
      const folder = folderFor(t);
      t.after(() => taken.listening && taken.close());
      const env = {
        ...process.env,
        HAVERDICT_BACKEND_URL: 'http://127.0.0.1:1',
        HAVERDICT_LISTEN: await listen(folder),
      };
      const child = spawn(process.execPath, [PROGRAM, 'agent'], { env });
      let complaint = '';
      child.stderr.on('data', (part) => {
        complaint += part;
      });
      const [code] = await once(child, 'close');
      assert.equal(code, 1);
      assert.match(complaint, says);
    });
  }
});

describe('an agent of which a worker is killed before it listens', () => {
  it('ends with 1 and one line, and leaves no other behind', { timeout: 60_000 }, async (t) => {
    const config = {
      listen: [{ unix: join(folderFor(t), 'agent.sock') }],
      backend: { url: 'http://127.0.0.1:1' },
      workers: 2,
    };
    const file = join(folderFor(t), 'haverdict.yaml');
    writeFileSync(file, JSON.stringify(config));
    const child = spawn(process.execPath, [PROGRAM, 'agent', '-c', file], { stdio: ['ignore', 'ignore', 'pipe'] });
    t.after(() => child.kill('SIGKILL'));
    const ended = Promise.all([once(child, 'close'), text(child.stderr)]);
    let workers: number[] = [];
    await until(
      async () => {
        workers = await childrenOf(child.pid ?? 0);
        return workers.length === 2;
      },
      () => 'no workers are started',
    );
    process.kill(workers[0] ?? 0, 'SIGKILL');
    const [[code], complaint] = await ended;
    assert.equal(code, 1);
    assert.match(complaint, /^haverdict: a worker ended with SIGKILL before it listened\n$/);
    for (const pid of workers) assert.equal(existsSync(`/proc/${pid}`), false);
  });
});

function folderFor(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'haverdict-agent-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A backend that takes calls and never answers; it is called by the second one, the first is that at the start. */
async function heldBackend(t: TestContext): Promise<{ url: string; called: Promise<unknown> }> {
  let calls = 0;
  const called = Promise.withResolvers<void>();
  const server = createServer((socket) => {
    socket.on('error', () => {});
    t.after(() => socket.destroy());
    if (++calls === 2) called.resolve();
  }).listen(0, '127.0.0.1');
  t.after(() => server.close());
  await once(server, 'listening');
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, called: called.promise }; // it listens
}

/** An agent, and HAProxy's end of a connection on which one NOTIFY waits for a backend that never answers. */
async function agentWithWaitingFrame(t: TestContext, deadlineMs: number) {
  const folder = folderFor(t);
  const backend = await heldBackend(t);
  const path = join(folder, 'agent.sock');
  const agent = await startAgentProcess(
    { listen: [{ unix: path, mode: '0600' }], backend: { url: backend.url }, deadlineMs },
    folder,
  );
  const haproxy = await Client.connect({ path });
  haproxy.socket.write(hello());
  await haproxy.received(1);
  haproxy.socket.write(notify(1, 1, ['check-request', ['ip', ipv4(192, 0, 2, 1)]]));
  await backend.called;
  return { agent, path, haproxy };
}

async function seen(lines: readonly string[], pattern: RegExp): Promise<void> {
  while (!lines.some((line) => pattern.test(line))) await new Promise(setImmediate);
}
