import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { it, type TestContext } from 'node:test';
import { type AgentProcess, startAgentProcess } from '../../dev/agent-process.ts';
import { Asking } from '../support/asking.ts';
import { childrenOf } from '../support/children.ts';
import { temporaryFolder } from '../support/config-file.ts';
import { describeNewer } from '../support/scope.ts';
import { ipv4 } from '../support/spop/naive-codec.ts';
import { until } from '../support/until.ts';

const WORKERS = 3;
const CLIENT = '198.51.100.7';

describeNewer('updates over several workers', () => {
  it('are polled by one, and by the one that replaces it when it is killed: then nothing cached counts as fresh', async (t) => {
    const { agent, backend, ask } = await setUp(t);
    const [first = 0] = (await childrenOf(agent.pid)).sort((one, other) => one - other);
    assert.deepEqual([backend.starts, backend.most], [1, 1], 'polls from the end of the log, and at a time');
    process.kill(first, 'SIGKILL');
    await until(
      () => agent.lines.some((line) => line.includes('worker exited: replacing it')),
      () => agent.lines.join('\n'),
    );
    backend.isListed = true; // nobody is told of this change
    assert.deepEqual(await ask(), ['allow', 'allow'], 'from the caches of the workers that are left');
    await until(
      () => backend.starts === 2,
      () => agent.lines.join('\n'),
    );
    await untilAll(ask, 'deny', agent);
    assert.equal(backend.most, 1);
  });

  it('reach a worker that replaces another one than the first, and the polls go on from their place', async (t) => {
    const { agent, backend, ask, connect } = await setUp(t);
    const [, , last = 0] = (await childrenOf(agent.pid)).sort((one, other) => one - other);
    process.kill(last, 'SIGKILL');
    await until(
      () => agent.lines.filter((line) => line.endsWith('"msg":"agent is listening"}')).length > WORKERS,
      () => agent.lines.join('\n'),
    );
    await connect();
    assert.deepEqual(await ask(), Array(2 * WORKERS - 1).fill('allow'));
    backend.isListed = true;
    backend.changes.push({ key: { subject: `ip:${CLIENT}`, list: 'manual' }, entry: null });
    await untilAll(ask, 'deny', agent);
    assert.deepEqual([backend.starts, backend.most], [1, 1]);
  });
});

/** A function that lists nobody, or everybody, and a log of changes with one record for each change. */
class Backend {
  isListed = false;
  readonly changes: object[] = [];
  /** Polls without a cursor. */
  starts = 0;
  /** Polls under way at the same time, at most. */
  most = 0;
  #polls = 0;
  readonly #server = createServer(async (request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '', 'http://function');
    if (pathname === '/v1/updates') {
      this.most = Math.max(this.most, ++this.#polls);
      response.once('close', () => this.#polls--);
      response.end(JSON.stringify(this.#page(searchParams.get('after'))));
    } else if (pathname === '/v1/check') response.end(JSON.stringify(this.#verdicts(JSON.parse(await text(request)))));
    else response.end('{"status":"ok"}');
  });

  async open(): Promise<string> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`; // a listening TCP server has one
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  #verdicts({ subjects }: { readonly subjects: readonly string[] }): object {
    const entryOf = (subject: string) => (this.isListed ? { subject, list: 'manual', action: 'deny' } : null);
    return { verdicts: subjects.map((subject) => ({ subject, entry: entryOf(subject) })), ttl: 3600 };
  }

  #page(after: string | null): object {
    if (after === null) this.starts++;
    const changes = after === null ? [] : this.changes.slice(Number(after));
    const place = { cursor: String(this.changes.length), more: false, waitMs: 200 };
    return { ...place, changes, provenAgeMs: 0, now: Date.now() };
  }
}

async function setUp(t: TestContext) {
  const backend = new Backend();
  const folder = temporaryFolder(t);
  const path = join(folder, 'agent.sock');
  const cache = { maxEntries: 1000, allowTtlSeconds: 3600 };
  const config = {
    listen: [{ unix: path }],
    backend: { url: await backend.open() },
    cache,
    workers: WORKERS,
    deadlineMs: 5000,
  };
  const agent = await startAgentProcess({ ...config, updates: { mode: 'invalidate', pollMs: 200 } }, folder);
  const connections = new Set<Asking>();
  t.after(async () => {
    for (const connection of connections) connection.close();
    await agent.kill('SIGKILL');
    backend.close();
  });
  /** One more connection to each worker: they go to one after the other. */
  const connect = async () => {
    for (let left = WORKERS; left > 0; left--) connections.add(await Asking.at(path));
  };
  /** What each connection is told whose worker is there. */
  const ask = async () => {
    const told = await Promise.all(
      [...connections].map(async (connection) => {
        try {
          return [(await connection.ask('check-request', [['ip', ipv4(...CLIENT.split('.').map(Number))]])).action];
        } catch {
          connections.delete(connection);
          return [];
        }
      }),
    );
    return told.flat();
  };
  await until(
    () => ['with all workers', 'updates are followed'].every((what) => agent.lines.some((line) => line.includes(what))),
    () => agent.lines.join('\n'),
  );
  await connect();
  for (let times = 0; times < 2; times++) assert.deepEqual(await ask(), Array(WORKERS).fill('allow'));
  return { agent, backend, ask, connect };
}

async function untilAll(ask: () => Promise<unknown[]>, action: string, agent: AgentProcess): Promise<void> {
  await until(
    async () => (await ask()).every((each) => each === action),
    () => agent.lines.join('\n'),
  );
}
