import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { describe, it, type TestContext } from 'node:test';
import fc from 'fast-check';
import { BackendClient } from '../../agent/backend/client.ts';
import { systemClock } from '../../agent/decision/clock.ts';
import type { StoredEntry } from '../../blocklist/entry.ts';
import { check } from '../../blocklist/service.ts';
import type { CheckRequest, Entry } from '../../contract/check.ts';
import { isPermitted, type ListActions } from '../../contract/permitted-actions.ts';
import { startAgentProcess } from '../../dev/agent-process.ts';
import { Asking, type Told } from '../support/asking.ts';
import { checkDeps } from '../support/check-deps.ts';
import { temporaryFolder } from '../support/config-file.ts';
import { overSocket } from '../support/http-over-socket.ts';
import { MemoryStore } from '../support/memory-store.ts';
import { naiveWinner } from '../support/naive-winner.ts';
import { longRuns } from '../support/scope.ts';
import {
  askedLists,
  askedSubject,
  heldLists,
  heldWorld,
  NOW_SECONDS,
  trialLists,
  worldEntries,
} from '../support/small-world.ts';
import { ipv4 } from '../support/spop/naive-codec.ts';
import { startTableFunction } from '../support/table-function.ts';
import { until } from '../support/until.ts';

const VISITOR = ipv4(203, 0, 113, 7);
const BY_FEED = ipv4(203, 0, 113, 8);
const METRIC = 'haverdict_backend_entries_not_counted_total';

describe('a list that is held to actions', () => {
  it('is as if it had nothing else, for any table, whether the function knows of it or not', async (t) => {
    const asks = await backendOver(t);
    await fc.assert(
      fc.asyncProperty(
        worldEntries,
        fc.uniqueArray(askedSubject, { minLength: 1, maxLength: 5 }),
        askedLists,
        trialLists,
        heldLists,
        async (world, subjects, lists, shadowLists, held) => {
          const winners = (of: readonly StoredEntry[]) =>
            subjects.map((subject) => naiveWinner(subject, of, lists, shadowLists, NOW_SECONDS));
          const told = await asks({ world, subjects, lists, shadowLists, held, isOld: false });
          assert.deepEqual(told.map(nameOf), winners(heldWorld(world, held)).map(nameOf));
          const blindly = await asks({ world, subjects, lists, shadowLists, held, isOld: true });
          winners(world).forEach((winner, index) => {
            const entry = blindly[index];
            assert.ok(entry === undefined || isPermitted(held, entry), JSON.stringify(entry));
            if (winner !== undefined && isPermitted(held, winner)) assert.deepEqual(nameOf(entry), nameOf(winner));
          });
        },
      ),
      { numRuns: longRuns(500, 100) },
    );
  });

  it('does nothing else in any worker, after a reload and out of the file of the cache', async (t) => {
    const site = await setUp(t);
    const holds = async () => {
      for (const told of await site.askEveryWorker(VISITOR)) assert.deepEqual(told, { action: 'deny', list: 'manual' });
      for (const told of await site.askEveryWorker(BY_FEED)) assert.deepEqual(told, { action: 'deny', list: 'feed' });
    };
    await holds();
    const { list, action, entry } = await site.seen('entry ignored');
    assert.deepEqual({ list, action, entry }, { list: 'feed', action: 'allow', entry: 'ip:203.0.0.0/16' });
    const metrics = await site.metrics();
    assert.match(metrics, new RegExp(`^${METRIC} [1-9]`, 'm'));
    assert.match(metrics, /haverdict_decisions_total\{.*action="deny".*list="feed"/);
    assert.doesNotMatch(metrics, /haverdict_decisions_total\{.*action="(redirect|drop)".*list="feed"/);

    await site.restart(['manual', 'feed']);
    for (const told of await site.askEveryWorker(VISITOR)) assert.deepEqual(told, { action: 'allow', list: 'feed' });
    await site.reload(['manual', { name: 'feed', actions: ['deny'] }]);
    await holds();
    await site.reload(['manual', 'feed']);
    for (const told of await site.askEveryWorker(VISITOR)) assert.deepEqual(told, { action: 'allow', list: 'feed' });
    await site.restart(['manual', { name: 'feed', actions: ['deny'] }]);
    await holds();
  });
});

interface Question {
  readonly world: readonly StoredEntry[];
  readonly subjects: string[];
  readonly lists: readonly string[];
  readonly shadowLists: readonly string[];
  readonly held: ListActions;
  /** Of before there were such lists. */
  readonly isOld: boolean;
}

/** The agent's client and the function's rules over a table that each question brings along. */
async function backendOver(t: TestContext) {
  let [store, isOld] = [new MemoryStore(), false];
  const server = createServer(async (request, response) => {
    const { listActions, ...asked } = (await json(request)) as CheckRequest; // of our client
    response.end(
      JSON.stringify(await check({ ...asked, ...(!isOld && listActions && { listActions }) }, checkDeps(store))),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  const url = `http://127.0.0.1:${(server.address() as { port: number }).port}`; // it listens
  const events = { badEntry() {}, ignoresShadow() {}, notCounted() {} };
  return async (question: Question): Promise<(Entry | undefined)[]> => {
    store = new MemoryStore();
    isOld = question.isOld;
    for (const entry of question.world) store.type(entry);
    const settings = {
      url,
      timeoutMs: 5000,
      maxConcurrent: 1,
      shadowLists: question.shadowLists,
      listActions: question.held,
    };
    const client = new BackendClient(settings, question.lists, events, systemClock);
    const { lookups } = await client.check(question.subjects);
    await client.close();
    return lookups.map((lookup) => ('entry' in lookup && lookup.entry) || undefined);
  };
}

function nameOf(entry: Entry | undefined): string {
  return `${entry?.subject} ${entry?.list} ${entry?.action} ${entry?.shadow}`;
}

/** Two workers that keep their cache, over a table in which a feed has an allow around what another list denies. */
async function setUp(t: TestContext) {
  const folder = temporaryFolder(t);
  const table = await startTableFunction(3600);
  t.after(() => table.close());
  table.type({ subject: 'ip:203.0.113.7', action: 'deny' });
  table.type({ subject: 'ip:203.0.0.0/16', list: 'feed', action: 'allow' });
  table.type({ subject: 'ip:203.0.113.8', list: 'feed', action: 'deny' });
  const path = join(folder, 'agent.sock');
  const admin = join(folder, 'status.sock');
  const configuration = (lists: unknown) => ({
    listen: [{ unix: path }],
    backend: { url: table.url, timeoutMs: 10_000 },
    deadlineMs: 10_000,
    workers: 2,
    lists,
    cache: { file: join(folder, 'cache'), allowTtlSeconds: 3600, denyTtlSeconds: 3600 },
    admin: { listen: { unix: admin } },
  });
  let agent = await startAgentProcess(configuration(['manual', { name: 'feed', actions: ['deny'] }]), folder);
  t.after(async () => void (await agent.kill('SIGKILL')));
  const seen = async (pattern: string, times = 1) => {
    const found = () => agent.lines.filter((line) => line.includes(pattern));
    await until(
      () => found().length >= times,
      () => agent.lines.join('\n'),
    );
    return JSON.parse(found()[0] ?? '{}');
  };
  return {
    seen,
    async metrics(): Promise<string> {
      await seen('admin HTTP server is listening'); // its file is there before
      return (await overSocket(admin, { path: '/metrics' })).body;
    },
    /** Connections go to the workers in turn. */
    async askEveryWorker(address: typeof VISITOR): Promise<Told[]> {
      const all: Told[] = [];
      for (let connection = 0; connection < 4; connection++) {
        const haproxy = await Asking.at(path);
        const { action = '', list = '' } = await haproxy.ask('check-request', [['ip', address]]);
        haproxy.close();
        all.push({ action, list });
      }
      return all;
    },
    async reload(lists: unknown): Promise<void> {
      const times = agent.lines.filter((line) => line.includes('configuration reloaded')).length;
      writeFileSync(join(folder, 'haverdict.yaml'), JSON.stringify(configuration(lists)));
      process.kill(agent.pid, 'SIGHUP');
      await seen('configuration reloaded', times + 2);
    },
    async restart(lists: unknown): Promise<void> {
      await agent.kill('SIGTERM');
      agent = await startAgentProcess(configuration(lists), folder);
    },
  };
}
