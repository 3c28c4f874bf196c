import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { promisify } from 'node:util';
import fc from 'fast-check';
import type { CheckRequest } from '../../contract/check.ts';
import { startAgentProcess } from '../../dev/agent-process.ts';
import { PROGRAM } from '../../dev/program-path.ts';
import { exchange } from '../support/admin-socket.ts';
import { Asking } from '../support/asking.ts';
import { temporaryFolder } from '../support/config-file.ts';
import { overSocket } from '../support/http-over-socket.ts';
import { SECRETS, spellingsOf } from '../support/secrets.ts';
import { str } from '../support/spop/naive-codec.ts';
import { until } from '../support/until.ts';

const KINDS = ['cookie.session', 'header.authorization', 'key'];
const SUBJECTS = {
  'cookie.session': 'req.cook(session)',
  'header.authorization': 'req.fhdr(authorization)',
  key: 'req.fhdr(x-api-key)',
};

/** What a backend says of a secret, and what the agent has to tell because of it. */
const VERDICTS: Readonly<Record<string, (subject: string) => object>> = {
  denied: (subject) => ({ subject, entry: entry(subject) }),
  'in shadow mode': (subject) => ({ subject, entry: { ...entry(subject), list: 'shadowed' } }),
  'routed to nowhere': (subject) => ({
    subject,
    entry: { ...entry(subject), action: 'route', vars: { backend: 'nowhere' } },
  }),
  'listed wrong': (subject) => ({ subject, entry: { ...entry(subject), status: 302 } }),
  'listed as no entry': (subject) => ({ subject, entry: { ...entry(subject), action: subject } }),
  'not looked up': (subject) => ({ subject, error: `${subject} is too much` }),
  'answered for another': (subject) => ({ subject: `${subject}x`, entry: null }),
};

for (const workers of [1, 2])
  describe(`an agent with ${workers === 1 ? 'one process' : 'two workers'} that is asked about secrets`, () => {
    it('tells none of them: in log, page, state, metrics, answers and commands', async (t) => {
      const { agent, haproxy, config, socket, page } = await running(t, workers);
      const seed = Number(process.env.SEED ?? Date.now() % 2 ** 31);
      const secrets = fc.sample(SECRETS, { seed, numRuns: 2 * KINDS.length * Object.keys(VERDICTS).length });
      const told: string[] = [];
      for (const [nth, secret] of secrets.entries()) {
        const kind = KINDS[nth % KINDS.length] ?? '';
        told.push(JSON.stringify(await haproxy.ask('check-request', [[kind, str(secret)]])));
      }
      const subjects = secrets.slice(0, 100).map((secret, nth) => `${KINDS[nth % KINDS.length]}:${secret}`);
      for (const request of [
        { command: 'state' },
        { command: 'explain', subjects },
        { command: 'flush', subjects },
        { command: 'flush', subjects: [...subjects, `${subjects[0]}-unknown`] },
        ...subjects.map((subject) => ({ command: 'explain', subjects: [`${subject}\u0000`] })),
        ...subjects.map((subject) => ({ command: subject })),
        { command: 'log-level', level: subjects[0] },
        { command: 'reload' },
        { command: 'flush', all: true },
      ])
        told.push(JSON.stringify(await exchange(socket, JSON.stringify({ version: 1, ...request }))));
      for (const path of ['/', '/state.json', '/metrics', '/readyz?verbose'])
        told.push((await overSocket(page, { path })).body);
      for (const args of [
        ['top', '--once', '--interval', '0.1', '--socket', socket],
        ['explain', '--agent', subjects[0] ?? '', '--socket', socket],
        ['flush', subjects[0] ?? '', '--socket', socket],
        ['agent', '--check', '-c', config],
      ])
        told.push(await haverdict(args));
      process.kill(agent.pid, 'SIGUSR1');
      await until(
        () => agent.lines.some((line) => line.includes('"msg":"state"')),
        () => agent.lines.join('\n'),
      );
      told.push(...agent.lines);

      const all = told.join('\n');
      for (const telling of [
        '"msg":"denied"',
        'shadow mode: decision',
        'HAProxy has no rule',
        'invalid entry in an answer',
      ])
        assert.ok(all.includes(telling), telling);
      assert.match(all, /cookie\.session:sha256:[0-9a-f]{16}/);
      assert.match(all, /header\.authorization:sha256:[0-9a-f]{16}/);
      for (const secret of secrets)
        for (const spelling of spellingsOf(secret))
          assert.ok(!all.includes(spelling), `seed ${seed}: ${told.find((text) => text.includes(spelling))}`);
    });
  });

function entry(subject: string) {
  return { subject, list: 'manual', action: 'deny', reason: 'stolen' };
}

/** An agent that logs all it can, whose backend says one thing of every secret after the other. */
async function running(t: TestContext, workers: number) {
  const folder = temporaryFolder(t);
  const says = Object.values(VERDICTS);
  let asked = 0;
  const backend = createServer(async (request, response) => {
    if (request.method === 'GET') return void response.end('{}'); // the health that is asked for at the start
    const { subjects } = JSON.parse(Buffer.concat(await request.toArray()).toString()) as CheckRequest; // of our own agent
    const verdicts = subjects.map((subject) => says[Math.floor(asked++ / KINDS.length) % says.length]?.(subject));
    response.end(JSON.stringify({ verdicts, ttl: 60 }));
  }).listen(0, '127.0.0.1');
  t.after(() => void backend.close());
  await once(backend, 'listening');
  const [path, page, socket] = ['agent.sock', 'page.sock', 'admin.sock'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  const settings = {
    listen: [{ unix: path }],
    backend: {
      url: `http://127.0.0.1:${(backend.address() as AddressInfo).port}`, // it listens
      timeoutMs: 10_000,
    },
    deadlineMs: 10_000,
    lists: ['manual', 'shadowed'],
    shadowLists: ['shadowed'],
    messages: { 'check-request': { subjects: SUBJECTS } },
    admin: { listen: { unix: page }, socket },
    log: { level: 'trace' },
    cache: { file: join(folder, 'cache') },
    workers,
  };
  const agent = await startAgentProcess(settings, folder);
  t.after(() => agent.kill('SIGKILL'));
  await until(
    () => agent.lines.some((line) => line.includes('admin HTTP server is listening')),
    () => agent.lines.join('\n'),
  );
  const haproxy = await Asking.at(path);
  t.after(() => haproxy.close());
  const config = join(folder, 'agent.yaml');
  writeFileSync(config, JSON.stringify(settings));
  return { agent, haproxy, config, socket, page };
}

/** Whatever it prints. */
async function haverdict(args: readonly string[]): Promise<string> {
  const run = promisify(execFile)(process.execPath, [PROGRAM, ...args]);
  const { stdout, stderr } = await run.catch((failure: { stdout: string; stderr: string }) => failure);
  return stdout + stderr;
}
