import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { FrameType } from '../../agent/spop/frame.ts';
import type { CheckRequest } from '../../contract/check.ts';
import { freePort } from '../../dev/free-port.ts';
import { Asking } from '../support/asking.ts';
import { temporaryFolder } from '../support/config-file.ts';
import { Client } from '../support/spop/client.ts';
import { HEALTH_CHECK, ipv4, str } from '../support/spop/naive-codec.ts';
import { type StalledPipe, stalledPipe } from '../support/stalled-pipe.ts';

const CLI = join(import.meta.dirname, '../../cli/main.ts');
/** Long enough on any machine, since nothing is measured: what is broken here never comes. */
const LIMIT = { timeout: 30_000 };
const LISTED = ipv4(203, 0, 113, 7);
const ROUNDS = 15;
const PER_ROUND = 200;
const LOST = /log lines were lost/;

/** Prints a megabyte with each request, in lines and in one piece, and past its own streams. */
const LOUD = `import { writeSync } from 'node:fs';
const text = 'x'.repeat(1_000_000);
export default { ruled: () => {
  console.log(text); console.error(text.replaceAll('xx', 'x\\n')); process.stdout.write(text);
  try { writeSync(1, text); writeSync(2, text); } catch {}
  return { action: 'deny', reason: 'by rule' };
} };`;

/** Where the log goes, in which nothing can be written from the beginning. */
const OUTPUTS: Readonly<Record<string, (t: TestContext) => number>> = {
  'a pipe that nobody reads': (t) => stalledPipe(t).writeEnd,
  'a full disk': (t) => opened(t, '/dev/full'),
  'a pipe whose reader is gone'(t) {
    const pipe = stalledPipe(t);
    pipe.closeReader();
    return pipe.writeEnd;
  },
};
const AGENTS: Readonly<Record<string, object>> = { 'one process': {}, 'two workers': { workers: 2 } };

describe('an agent whose standard output and standard error are', () => {
  for (const [output, open] of Object.entries(OUTPUTS))
    for (const [processes, settings] of Object.entries(AGENTS))
      it(`${output}: ${processes} answers all the same, and SIGTERM ends it with 0`, LIMIT, async (t) => {
        const agent = await startAgent(t, open(t), settings);
        await isAnswered(agent);
        assert.equal(await agent.end(), 0);
      });
});

describe('the log of an agent on a pipe that nobody reads', () => {
  for (const [processes, settings] of Object.entries(AGENTS))
    it(`tells, once it is read again, how many lines were lost, as the metric does: ${processes}`, LIMIT, async (t) => {
      const pipe = stalledPipe(t);
      const agent = await startAgent(t, pipe.writeEnd, settings);
      while ((await agent.linesDropped()) < 10) process.kill(agent.pid, 'SIGUSR1');
      await isAnswered(agent);
      const dropped = await agent.linesDropped();
      const lost = JSON.parse(await pipe.lineLike(LOST));
      assert.equal(lost.level, 40);
      assert.ok(lost.dropped >= dropped, `${lost.dropped} told, ${dropped} counted`);
      assert.equal(await agent.linesDropped(), lost.dropped);
      process.kill(agent.pid, 'SIGUSR1');
      assert.equal(await agent.end(), 0);
      await pipe.lineLike(/"msg":"stopped"/);
      isInOrder(pipe);
    });

  it('has all lines in order where there was room for them', LIMIT, async (t) => {
    const pipe = stalledPipe(t);
    const agent = await startAgent(t, pipe.writeEnd);
    await isAnswered(agent);
    assert.equal(await agent.linesDropped(), 0);
    await pipe.lineLike(/"msg":"denied"/);
    assert.equal(await agent.end(), 0);
    await pipe.lineLike(/"msg":"stopped"/);
    isInOrder(pipe);
    assert.match(pipe.lines[0] ?? '', /agent is listening/);
    assert.ok(!pipe.lines.some((line) => LOST.test(line)));
  });

  it('does not grow by what a module of rules prints, nor is the module held up', LIMIT, async (t) => {
    const agent = await startAgent(t, stalledPipe(t).writeEnd, {}, LOUD);
    for (let count = 0; count < 100; count++)
      assert.equal((await agent.haproxy.ask('ruled', [['ip', LISTED], ['kind', str('x')]])).reason, 'by rule'); // biome-ignore format: one line
    await isAnswered(agent);
    assert.equal(await agent.linesDropped(), 0);
    assert.equal(await agent.end(), 0);
  });
});

interface StartedAgent {
  readonly pid: number;
  readonly path: string;
  readonly haproxy: Asking;
  linesDropped(): Promise<number>;
  isReady(): Promise<boolean>;
  end(): Promise<number | null>;
}

/** The agent as its users run it, with this for both of its streams; its cache knows the listed address. */
async function startAgent(
  t: TestContext,
  output: number,
  settings: object = {},
  rules?: string,
): Promise<StartedAgent> {
  const folder = temporaryFolder(t);
  const [path, file, admin] = [join(folder, 'agent.sock'), join(folder, 'haverdict.yaml'), await freePort()];
  if (rules !== undefined) writeFileSync(join(folder, 'rules.mjs'), rules);
  const ruled = { event: 'on-backend-http-request', subjects: { ip: 'src' }, arguments: { kind: 'path' } };
  const config = {
    listen: [{ unix: path }],
    backend: { url: await startBackend(t) },
    deadlineMs: 5_000,
    admin: { listen: `tcp://127.0.0.1:${admin}` },
    messages: { 'check-request': { subjects: { ip: 'src' } }, ...(rules === undefined ? {} : { ruled }) },
    ...(rules === undefined ? {} : { rules: './rules.mjs' }),
    ...settings,
  };
  writeFileSync(file, JSON.stringify(config));
  const child = spawn(process.execPath, [CLI, 'agent', '-c', file], { stdio: ['ignore', output, output] });
  t.after(() => child.kill('SIGKILL'));
  const get = (name: string) => fetch(`http://127.0.0.1:${admin}${name}`, { headers: { connection: 'close' } });
  await listening(child, path);
  const haproxy = await Asking.at(path);
  t.after(() => haproxy.close());
  await haproxy.ask('check-request', [['ip', LISTED]]);
  return {
    pid: child.pid ?? 0,
    path,
    haproxy,
    async linesDropped() {
      const [, count = ''] = /^haverdict_log_lines_dropped_total (\d+)$/m.exec(await (await get('/metrics')).text()) ?? [];
      return Number(count);
    },
    isReady: async () => (await get('/readyz')).ok,
    async end() {
      child.kill('SIGTERM');
      const [code] = await once(child, 'exit');
      return code;
    },
  };
}

async function startBackend(t: TestContext): Promise<string> {
  const backend = createServer(async (request, response) => {
    const { subjects } = JSON.parse(Buffer.concat(await request.toArray()).toString()) as CheckRequest;
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

async function listening(child: ChildProcess, path: string): Promise<void> {
  for (;;) {
    assert.equal(child.exitCode, null, 'the agent ended');
    const socket = connect({ path });
    const isOpen = await Promise.race([once(socket, 'connect').then(() => true), once(socket, 'error').then(() => false)]).catch(() => false); // biome-ignore format: one line
    socket.destroy();
    if (isOpen) return;
    await pause(20);
  }
}

/** Every question gets its answer, from the cache and in time, while lines are to be logged; so do health checks. */
async function isAnswered({ haproxy, path, isReady }: StartedAgent): Promise<void> {
  for (let round = 0; round < ROUNDS; round++) {
    const streams = Array.from({ length: PER_ROUND }, () => haproxy.send('check-request', [['ip', LISTED]]));
    const last = streams.at(-1) as number; // there are some
    await haproxy.answer(last);
    await pause(100); // another second has another ten lines
  }
  assert.equal(haproxy.told.filter(({ action, source }) => action === 'deny' && source === 'cache').length >= ROUNDS * PER_ROUND, true); // biome-ignore format: one line
  const checker = await Client.connect({ path });
  checker.socket.write(HEALTH_CHECK);
  assert.equal((await checker.received(1))[0]?.type, FrameType.agentHello);
  checker.socket.destroy();
  assert.ok(await isReady());
}

function isInOrder({ lines }: StalledPipe): void {
  const byMessage = lines.map((line) => JSON.parse(line) as { time: string });
  for (const [index, { time }] of byMessage.entries())
    assert.ok(index === 0 || time >= (byMessage[index - 1]?.time ?? ''), lines[index]);
}

function opened(t: TestContext, path: string): number {
  const descriptor = openSync(path, 'w');
  t.after(() => closeSync(descriptor));
  return descriptor;
}
