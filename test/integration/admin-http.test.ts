import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { type AddressInfo, createServer as createSocketServer } from 'node:net';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, it, type TestContext } from 'node:test';
import type { CheckRequest } from '../../contract/check.ts';
import { startAgentProcess } from '../../dev/agent-process.ts';
import { freePort } from '../../dev/free-port.ts';
import { PROGRAM } from '../../dev/program-path.ts';
import { Asking } from '../support/asking.ts';
import { childrenOf } from '../support/children.ts';
import { temporaryFolder } from '../support/config-file.ts';
import { openNotifySocket } from '../support/notify-socket.ts';
import { Client } from '../support/spop/client.ts';
import { hello, ipv4, notify } from '../support/spop/naive-codec.ts';
import { until } from '../support/until.ts';

const LISTED = ipv4(203, 0, 113, 7);

for (const workers of [1, 2])
  describe(`the admin port of an agent with ${workers === 1 ? 'one process' : 'two workers'}`, () => {
    it('shows what was decided, in metrics and on the page', async (t) => {
      const { path, get } = await running(t, { workers });
      const haproxy = await Asking.at(path);
      t.after(() => haproxy.close());
      const first = await haproxy.ask('check-request', [['ip', LISTED]]);
      await haproxy.ask('check-request', [['ip', LISTED]]);
      assert.equal(await get('/readyz'), 'ready\n');
      // A snapshot serves all for a second.
      await until(
        async () => (await get('/metrics')).includes('source="cache",reason="",list="manual"} 1\n'),
        () => 'the metrics do not have what was decided',
      );
      const metrics = await get('/metrics');
      assert.match(metrics, /^haverdict_decisions_total\{[^}]*source="backend",reason="",list="manual"\} 1$/m);
      assert.match(metrics, /^haverdict_spop_frames_total 2$/m);
      const page = await get('/');
      assert.ok(page.includes('ip:203.0.113.7') && page.includes(String(first.ref)), String(first.ref));
    });
  });

describe('the metrics of what will soon be wrong', () => {
  it('say how many workers were replaced', async (t) => {
    const { agent, get } = await running(t, { workers: 2 });
    assert.match(await get('/metrics'), /^haverdict_workers_replaced_total 0$/m);
    const pids = await childrenOf(agent.pid);
    process.kill(pids[0] ?? 0, 'SIGKILL');
    await until(
      async () => /^haverdict_workers_replaced_total 1$/m.test(await get('/metrics')),
      () => agent.lines.join('\n'),
    );
  });

  it('are there again as soon as all workers are replaced, whatever the file of the configuration says by now', async (t) => {
    const { agent, path, get } = await running(t, { workers: 2 });
    writeFileSync(join(dirname(path), 'haverdict.yaml'), '{');
    for (const pid of await childrenOf(agent.pid)) process.kill(pid, 'SIGKILL');
    await until(
      async () => {
        const metrics = await get('/metrics');
        return /^haverdict_workers_replaced_total 2$/m.test(metrics) && /^haverdict_workers 2$/m.test(metrics);
      },
      () => agent.lines.join('\n'),
      20_000,
    );
    const haproxy = await Asking.at(path);
    assert.equal((await haproxy.ask('check-request', [['ip', LISTED]])).action, 'deny');
    haproxy.close();
  });

  for (const workers of [1, 2])
    it(`say when the credentials end, with ${workers === 1 ? 'one process' : 'two workers'}`, async (t) => {
      const endsAt = new Date(Date.UTC(2090, 0, 1));
      const env = {
        AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE',
        AWS_SECRET_ACCESS_KEY: 'secret',
        AWS_CREDENTIAL_EXPIRATION: endsAt.toISOString(),
      };
      const { get } = await running(t, { workers }, env, { auth: 'iam', region: 'us-east-1' });
      const line = new RegExp(`^haverdict_credentials_expiry_timestamp_seconds ${endsAt.getTime() / 1000}$`, 'm');
      await until(
        async () => line.test(await get('/metrics')),
        () => 'the metrics do not have when the credentials end',
      );
    });

  it('say nothing of credentials where none are used', async (t) => {
    const { get } = await running(t, {});
    assert.doesNotMatch(await get('/metrics'), /^haverdict_credentials_expiry_timestamp_seconds /m);
  });
});

describe('an agent that cannot have its admin port', () => {
  it('does not start, and names it', async (t) => {
    const other = createSocketServer().listen(0, '127.0.0.1');
    t.after(() => void other.close());
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo; // it listens
    const folder = temporaryFolder(t);
    const file = join(folder, 'taken.yaml');
    const listen = [{ unix: join(folder, 'agent.sock') }];
    const backend = { url: 'http://127.0.0.1:1' };
    writeFileSync(file, JSON.stringify({ listen, backend, admin: { listen: `tcp://127.0.0.1:${port}` } }));
    const child = spawn(process.execPath, [PROGRAM, 'agent', '-c', file]);
    const [stderr, [status]] = await Promise.all([text(child.stderr), once(child, 'exit')]);
    assert.equal(status, 1);
    assert.match(stderr, new RegExp(`^haverdict: .*127\\.0\\.0\\.1:${port}.*EADDRINUSE`, 'm'));
  });
});

describe('an agent under systemd', () => {
  it('says when it is ready, reloads and stops, and beats in between', async (t) => {
    const manager = await openNotifySocket(t);
    const env = { NOTIFY_SOCKET: manager.path, WATCHDOG_USEC: '400000' };
    const { agent } = await running(t, {}, env);
    const told = (pattern: RegExp) =>
      until(
        () => manager.told.some((datagram) => pattern.test(datagram)),
        () => manager.told.join('; '),
      );
    await told(/READY=1\nSTATUS=listening/);
    await told(/^WATCHDOG=1/);
    const before = manager.told.filter((datagram) => datagram.startsWith('READY=1')).length;
    process.kill(agent.pid, 'SIGHUP');
    await told(/^RELOADING=1\nMONOTONIC_USEC=\d+/);
    await until(
      () => manager.told.filter((datagram) => datagram.startsWith('READY=1')).length > before,
      () => manager.told.join('; '),
    );
    assert.equal(await agent.kill('SIGTERM'), 0);
    await told(/^STOPPING=1\n/);
  });
});

describe('an agent with a socket that systemd passed', () => {
  for (const workers of [1, 2])
    it(`listens on that, with ${workers} worker${workers === 1 ? '' : 's'}`, async (t) => {
      const manager = createSocketServer().listen(0, '127.0.0.1');
      t.after(() => void manager.close());
      await once(manager, 'listening');
      const { port } = manager.address() as AddressInfo; // it listens
      const folder = temporaryFolder(t);
      const file = join(folder, 'passed.yaml');
      const backend = { url: 'http://127.0.0.1:1' };
      writeFileSync(file, JSON.stringify({ listen: [`tcp://127.0.0.1:${port}`], backend, workers, policy: 'closed' }));
      const { fd } = (manager as unknown as { _handle: { fd: number } })._handle; // not in the types
      // exec keeps the process id, which nobody knows before.
      const script = `LISTEN_PID=$$ LISTEN_FDS=1 exec "$0" ${PROGRAM} agent -c "$1"`;
      const stdio = ['ignore', 'pipe', 'pipe', fd] as const;
      const agent = spawn('/bin/sh', ['-c', script, process.execPath, file], { stdio: [...stdio] });
      t.after(() => agent.kill('SIGKILL'));
      const exited = once(agent, 'exit');
      let log = '';
      agent.stdout?.setEncoding('utf8').on('data', (chunk) => (log += chunk));
      await until(
        () => log.includes(workers === 1 ? 'agent is listening' : 'with all workers'),
        () => log,
        30_000,
      );
      manager.close(); // from here on only the agent's copy of it listens
      const haproxy = await Client.connect({ host: '127.0.0.1', port });
      haproxy.socket.write(hello());
      await haproxy.received(1);
      haproxy.socket.write(notify(1, 1, ['check-request', ['ip', LISTED]]));
      await haproxy.received(2);
      assert.equal(haproxy.frames[1]?.type, 103);
      haproxy.socket.destroy();
      agent.kill('SIGTERM');
      assert.deepEqual(await exited, [0, null], log);
    });
});

/** An agent that knows a deny for every client, with an admin port. */
async function running(
  t: TestContext,
  settings: object,
  env: Readonly<Record<string, string>> = {},
  ofBackend: object = {},
) {
  const folder = temporaryFolder(t);
  const backend = createServer(async (request, response) => {
    if (request.method === 'GET') return void response.end('{}'); // the health that is asked for at the start
    const { subjects } = JSON.parse(Buffer.concat(await request.toArray()).toString()) as CheckRequest; // of our own agent
    const entry = { list: 'manual', action: 'deny', reason: 'abuse' };
    response.end(
      JSON.stringify({ verdicts: subjects.map((subject) => ({ subject, entry: { subject, ...entry } })), ttl: 60 }),
    );
  }).listen(0, '127.0.0.1');
  t.after(() => void backend.close());
  await once(backend, 'listening');
  const url = `http://127.0.0.1:${(backend.address() as AddressInfo).port}`; // it listens
  const path = join(folder, 'agent.sock');
  const port = await freePort();
  const admin = { listen: `tcp://127.0.0.1:${port}` };
  const agent = await startAgentProcess(
    { listen: [{ unix: path }], backend: { url, ...ofBackend }, deadlineMs: 5000, admin, ...settings },
    folder,
    env,
  );
  t.after(() => agent.kill('SIGKILL'));
  await until(
    () => agent.lines.some((line) => line.includes('admin HTTP server is listening')),
    () => agent.lines.join('\n'),
  );
  const get = async (target: string) =>
    (await fetch(`http://127.0.0.1:${port}${target}`, { headers: { connection: 'close' } })).text();
  return { agent, path, get };
}
