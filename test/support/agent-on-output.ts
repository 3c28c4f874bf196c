import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, request } from 'node:http';
import { type AddressInfo, connect, type NetConnectOpts } from 'node:net';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import type { CheckRequest } from '../../contract/check.ts';
import { freePort } from '../../dev/free-port.ts';
import { PROGRAM } from '../../dev/program-path.ts';
import { FrameType } from '../../spop/frame.ts';
import { Asking } from './asking.ts';
import { temporaryFolder } from './config-file.ts';
import { Client } from './spop/client.ts';
import { HEALTH_CHECK, hello, ipv4, notify } from './spop/naive-codec.ts';

export const LISTED = ipv4(203, 0, 113, 7);
const ROUNDS = 5;
const PER_ROUND = 400;

/** What the agent writes to, with both of its streams. */
export interface Output {
  readonly descriptor: number;
  /** What starts the program. */
  readonly launcher?: readonly string[];
}

export interface StartedAgent {
  readonly pid: number;
  readonly path: string;
  readonly haproxy: Asking;
  linesDropped(): Promise<number>;
  isReady(): Promise<boolean>;
  end(): Promise<number | null>;
}

/** The agent as its users run it, with this for both of its streams; its cache knows the listed address. */
export async function startAgentOn(
  t: TestContext,
  { descriptor, launcher = [] }: Output,
  { settings = {}, script, env = {} }: { settings?: object; script?: string; env?: NodeJS.ProcessEnv } = {},
): Promise<StartedAgent> {
  const folder = temporaryFolder(t);
  const [path, file, admin] = [join(folder, 'agent.sock'), join(folder, 'haverdict.yaml'), await freePort()];
  if (script !== undefined) writeFileSync(join(folder, 'script.mjs'), script);
  const scripted = { event: 'on-backend-http-request', subjects: { ip: 'src' }, arguments: { kind: 'path' } };
  const config = {
    listen: [{ unix: path }],
    backend: { url: await startBackend(t) },
    deadlineMs: 5_000,
    admin: { listen: `tcp://127.0.0.1:${admin}` },
    messages: { 'check-request': { subjects: { ip: 'src' } }, ...(script === undefined ? {} : { scripted }) },
    ...(script === undefined ? {} : { script: './script.mjs' }),
    ...settings,
  };
  writeFileSync(file, JSON.stringify(config));
  const [program = '', ...args] = [...launcher, process.execPath, PROGRAM, 'agent', '-c', file];
  const child = spawn(program, args, {
    stdio: ['ignore', descriptor, descriptor],
    env: { ...process.env, ...env },
  });
  t.after(() => child.kill('SIGKILL'));
  for (const address of [{ path }, { port: admin, host: '127.0.0.1' }]) await listening(child, address);
  const haproxy = await Asking.at(path);
  t.after(() => haproxy.close());
  await haproxy.ask('check-request', [['ip', LISTED]]);
  return {
    pid: child.pid ?? 0,
    path,
    haproxy,
    async linesDropped() {
      const [, count = ''] =
        /^haverdict_log_lines_dropped_total (\d+)$/m.exec((await get(admin, '/metrics')).body) ?? [];
      return Number(count);
    },
    isReady: async () => (await get(admin, '/readyz')).status === 200,
    async end() {
      child.kill('SIGTERM');
      const [code] = await once(child, 'exit');
      return code;
    },
  };
}

async function startBackend(t: TestContext): Promise<string> {
  const backend = createServer(async (asked, response) => {
    if (asked.method === 'GET') return void response.end('{}'); // the health that is asked for at the start
    const { subjects } = JSON.parse(Buffer.concat(await asked.toArray()).toString()) as CheckRequest;
    const verdicts = subjects.map((subject) => ({ subject, entry: { subject, list: 'manual', action: 'deny' } }));
    response.end(JSON.stringify({ verdicts, ttl: 60 }));
  }).listen(0, '127.0.0.1');
  t.after(() => {
    backend.close();
    backend.closeAllConnections();
  });
  await once(backend, 'listening');
  return `http://127.0.0.1:${(backend.address() as AddressInfo).port}`; // it listens
}

async function get(
  port: number,
  path: string,
): Promise<{ readonly status: number | undefined; readonly body: string }> {
  const [response] = (await once(request({ port, path, agent: false }).end(), 'response')) as [IncomingMessage];
  return { status: response.statusCode, body: Buffer.concat(await response.toArray()).toString() };
}

async function listening(child: ChildProcess, address: NetConnectOpts): Promise<void> {
  for (;;) {
    assert.equal(child.exitCode, null, 'the agent ended');
    const socket = connect(address);
    const isOpen = await once(socket, 'connect').then(
      () => true,
      () => false,
    );
    socket.destroy();
    if (isOpen) return;
    await pause(20);
  }
}

/** Every question gets its answer, from the cache and in time, while lines are to be logged; so do health checks. */
export async function isAnswered({ path, isReady }: StartedAgent): Promise<void> {
  const haproxy = await Client.connect({ path });
  haproxy.socket.write(hello());
  // The first may be a worker's first.
  haproxy.socket.write(notify(1, 1, ['check-request', ['ip', LISTED]]));
  await haproxy.received(2);
  for (let round = 1, stream = 1; round <= ROUNDS; round++) {
    while (stream < round * PER_ROUND) haproxy.socket.write(notify(++stream, 1, ['check-request', ['ip', LISTED]]));
    await haproxy.received(1 + stream);
    await pause(250); // another second has another ten lines
  }
  const told = haproxy.frames.slice(2).map(({ payload }) => Buffer.from(payload).toString('latin1'));
  assert.deepEqual(
    told.filter((text) => !/action.*deny.*source.*cache/s.test(text)),
    [],
  );
  haproxy.socket.destroy();
  const checker = await Client.connect({ path });
  checker.socket.write(HEALTH_CHECK);
  assert.equal((await checker.received(1))[0]?.type, FrameType.agentHello);
  checker.socket.destroy();
  assert.ok(await isReady());
}
