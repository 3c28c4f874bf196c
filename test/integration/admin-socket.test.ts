import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, it, type TestContext } from 'node:test';
import type { ExplainedSubject, Explanation } from '../../agent/admin/socket/protocol.ts';
import type { CheckRequest } from '../../contract/check.ts';
import { startAgentProcess } from '../../dev/agent-process.ts';
import { PROGRAM } from '../../dev/program-path.ts';
import { exchange } from '../support/admin-socket.ts';
import { temporaryFolder } from '../support/config-file.ts';
import type { Run } from '../support/haverdict.ts';
import { Client } from '../support/spop/client.ts';
import { hello, ipv4, notify } from '../support/spop/naive-codec.ts';
import { until } from '../support/until.ts';
import { untilListening } from '../support/until-listening.ts';

for (const workers of [1, 2]) {
  describe(`the admin socket of an agent with ${workers === 1 ? 'one process' : 'two workers'}`, () => {
    it('tells and forgets what requests brought into the cache', async (t) => {
      const { socket, config, ask } = await runningAgent(t, workers);
      assert.equal(statSync(socket).mode & 0o777, 0o660);
      const none = await haverdict('flush', '203.0.113.7', '-c', config);
      assert.deepEqual(none, {
        status: 0,
        stdout: 'removed from the cache: 0\nnot cached: ip:203.0.113.7\n',
        stderr: '',
      });
      await ask();

      const state = await haverdict('top', '--once', '--json', '--interval', '0.1', '--socket', socket);
      const { recent, workers: running } = JSON.parse(state.stdout);
      assert.deepEqual([running, recent[0].subject, recent[0].list], [workers, 'ip:203.0.113.7', 'manual']);

      const [explained] = await exchange(socket, '{"version":1,"command":"explain","subjects":["203.0.113.7"]}');
      const { processes } = (explained as { result: Explanation }).result.subjects[0] as ExplainedSubject; // of our own agent
      const nexts = processes.map(({ cached, next }) => [cached?.action, next]);
      // Connections go round: one of them was asked.
      assert.deepEqual(
        nexts.toSorted(),
        [['deny', 'cache'], ...Array(workers - 1).fill([undefined, 'lookup'])].toSorted(),
      );

      const flushed = await haverdict('flush', '203.0.113.7', '--socket', socket, '--json');
      assert.deepEqual(JSON.parse(flushed.stdout), { forgotten: 1, unknown: [] });
      await ask();
      assert.equal((await haverdict('flush', '--all', '--socket', socket)).stdout, 'removed from the cache: 1\n');
    });

    it('changes what is logged until the next reload, and says what became of that', async (t) => {
      const { socket, config, settings, agent } = await runningAgent(t, workers);
      const told = () => agent.lines.filter((line) => line.includes('"command":"flush"')).length;
      const level = await haverdict('log-level', 'error', '--socket', socket);
      assert.equal(level.stdout, 'log level error until the next reload\n');
      await haverdict('flush', '--all', '--socket', socket);

      writeFileSync(config, JSON.stringify({ ...settings, polcy: 'open' }));
      const refused = await haverdict('reload', '--socket', socket);
      assert.equal(refused.status, 1);
      assert.match(refused.stderr, /^haverdict: the agent: the previous configuration stays in force: .*polcy.*\n$/);
      writeFileSync(config, JSON.stringify(settings));
      const reloaded = await haverdict('reload', '--socket', socket);
      assert.deepEqual(reloaded, { status: 0, stdout: 'configuration reloaded\n', stderr: '' });
      writeFileSync(config, JSON.stringify({ ...settings, admin: { socket, listen: 'tcp://127.0.0.1:1' } }));
      assert.equal(
        (await haverdict('reload', '--socket', socket)).stdout,
        'configuration reloaded, except admin: restart the agent to apply that\n',
      );
      assert.equal(told(), 0);
      await haverdict('flush', '--all', '--socket', socket);
      await until(
        () => told() === 1,
        () => agent.lines.join('\n'),
      );
    });

    it('is gone with the agent, which top tells and outlives', async (t) => {
      const { socket, agent } = await runningAgent(t, workers);
      const top = spawn(process.execPath, [PROGRAM, 'top', '--json', '--interval', '0.1', '--socket', socket]);
      t.after(() => top.kill('SIGKILL'));
      const lines = createInterface({ input: top.stdout })[Symbol.asyncIterator]();
      const next = async () => JSON.parse((await lines.next()).value ?? '{}');
      assert.equal((await next()).problem, null);
      assert.equal(await agent.kill('SIGTERM'), 0);
      assert.ok(!existsSync(socket));
      let status = await next();
      // A question that was under way is cut short first, or cannot be answered as the workers end.
      while (status.problem === null || !/does not exist/.test(status.problem)) {
        assert.match(status.problem ?? '', /^$|; retrying$/);
        status = await next();
      }
      assert.match(status.problem, /admin\.sock does not exist: is the agent running .*; retrying$/);
      const ended = once(top, 'exit');
      top.kill('SIGTERM');
      assert.deepEqual(await ended, [0, null]);
    });
  });
}

/** An agent that knows a deny for every client, and HAProxy's end of one connection to it. */
async function runningAgent(t: TestContext, workers: number) {
  const folder = temporaryFolder(t);
  const backend = createServer(async (request, response) => {
    if (request.method === 'GET') return void response.end('{}'); // the health that is asked for at the start
    const { subjects } = JSON.parse(Buffer.concat(await request.toArray()).toString()) as CheckRequest; // of our own agent
    const verdicts = subjects.map((subject) => ({ subject, entry: { subject, list: 'manual', action: 'deny' } }));
    response.end(JSON.stringify({ verdicts, ttl: 60 }));
  }).listen(0, '127.0.0.1');
  t.after(() => backend.close());
  await once(backend, 'listening');
  const url = `http://127.0.0.1:${(backend.address() as AddressInfo).port}`; // it listens
  const [path, socket] = [join(folder, 'agent.sock'), join(folder, 'admin.sock')];
  const settings = { listen: [{ unix: path }], backend: { url }, deadlineMs: 5000, workers, admin: { socket } };
  const agent = await startAgentProcess(settings, folder);
  t.after(() => agent.kill('SIGKILL'));
  await untilListening(socket, () => agent.lines.join('\n'));
  const haproxy = await Client.connect({ path });
  t.after(() => haproxy.socket.destroy());
  haproxy.socket.write(hello());
  await haproxy.received(1);
  const ask = async () => {
    const asked = haproxy.frames.length;
    haproxy.socket.write(notify(asked, 1, ['check-request', ['ip', ipv4(203, 0, 113, 7)]]));
    await haproxy.received(asked + 1);
  };
  return { agent, socket, settings, config: join(folder, 'haverdict.yaml'), ask };
}

/** Without blocking, as the backend runs in this process. */
function haverdict(...args: readonly string[]): Promise<Run> {
  return new Promise((resolve) =>
    execFile(process.execPath, [PROGRAM, ...args], (error, stdout, stderr) =>
      resolve({ status: error === null ? 0 : Number(error.code), stdout, stderr }),
    ),
  );
}
