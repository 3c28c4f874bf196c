import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { DegradationDetector } from '../../agent/decision/degradation-detector.ts';
import { NO_MIRROR } from '../../agent/decision/mirror-answers.ts';
import { openGeneration } from '../../agent/generation.ts';
import { openCache } from '../../agent/lifecycle/persistent-cache.ts';
import { createLog } from '../../agent/log.ts';
import { LogOutput } from '../../agent/log-output.ts';
import { ReferenceIds } from '../../agent/server/reference-id.ts';
import { DecisionStats } from '../../agent/state/decision-stats.ts';
import { ProcessMetrics } from '../../agent/state/process-metrics.ts';
import { loadSettings } from '../../config/load.ts';
import type { CheckRequest } from '../../contract/check.ts';
import { HandClock } from './clock.ts';
import { configFile } from './config-file.ts';
import { frameIn } from './spop/frames.ts';
import { ipv4, type Message, notify, type Pair, parseActions } from './spop/naive-codec.ts';
import { until } from './until.ts';

export type Config = Readonly<Record<string, unknown>>;

/** As of an ACK with HAProxy's usual buffers. */
const ROOM = 790;
export const CLIENT = ipv4(203, 0, 113, 7);
/** What the function says about a path; all else is denied. */
const ENTRIES: Readonly<Record<string, object>> = {
  'path:/route': { action: 'route', vars: { backend: 'green' } },
  'path:/header': { action: 'allow', vars: { 'req.set.x-tier': 'gold' } },
};

export type World = Awaited<ReturnType<typeof openedGeneration>>;

/** What one configuration makes of the agent, before a function that denies everything, once it is let. */
export async function openedGeneration(t: TestContext, config: Config) {
  const held: (() => void)[] = [];
  const broken = { status: 200 };
  const calls: { path: string | undefined; body: CheckRequest }[] = [];
  const server = createServer(async (request, response) => {
    const body = JSON.parse(Buffer.concat(await request.toArray()).toString()) as CheckRequest; // the agent's own
    calls.push({ path: request.url, body });
    held.push(() => (broken.status === 200 ? answer(body, response) : response.writeHead(broken.status).end()));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo; // it listens
  const backend = { url: `http://127.0.0.1:${port}`, ...(config.backend as object) };
  const settings = loadSettings(configFile(t, JSON.stringify({ ...config, backend })), {});
  const clock = new HandClock();
  const log = createLog('error', new LogOutput(2));
  const metrics = new ProcessMetrics();
  const degradation = new DegradationDetector(clock, { degraded() {}, recovered() {} });
  const stats = new DecisionStats(clock);
  const mirror = NO_MIRROR;
  const shared = { log, clock, metrics, stats, references: new ReferenceIds(), degradation, mirror };
  const generation = await openGeneration(settings, openCache(settings, clock, log), shared);
  t.after(async () => {
    await generation.close();
    metrics.close();
    server.close();
    server.closeAllConnections();
  });
  const scopes = new Set<string>();
  const ask = async (...message: Message) => {
    const { full } = await generation.handler.answer(frameIn(notify(1, 1, message)), clock.nowMs(), ROOM);
    const set = parseActions(full).flatMap((action) => (action.type === 'set-var' ? [action] : []));
    for (const { scope } of set) scopes.add(scope);
    return Object.fromEntries(set.map(({ name, value }) => [name, 'value' in value ? plain(value.value) : undefined]));
  };
  const called = (times = 1) =>
    until(
      () => calls.length >= times,
      () => `${calls.length} calls`,
    );
  const letAnswer = () => {
    for (const release of held.splice(0)) release();
  };
  return { generation, clock, metrics, stats, degradation, log, calls, broken, scopes, ask, called, letAnswer };
}

function answer({ subjects, lists }: CheckRequest, response: ServerResponse): void {
  const verdicts = subjects.map((subject) => ({
    subject,
    entry: { action: 'deny', ...ENTRIES[subject], list: lists[0], subject },
  }));
  response.end(JSON.stringify({ verdicts, ttl: 3600 }));
}

function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString();
  return typeof value === 'bigint' ? Number(value) : value;
}

export async function firstCall({ ask, clock, called, calls }: World, argument: Pair = ['ip', CLIENT]) {
  void ask('check-request', argument);
  clock.advance(1);
  await called();
  return calls[0] ?? assert.fail('no call');
}

/** Sends a message, lets the function answer, and returns what HAProxy is told. */
export async function answered(
  { ask, clock, calls, called, letAnswer }: World,
  message = 'check-request',
  argument: Pair = ['ip', CLIENT],
) {
  const before = calls.length;
  const answer = ask(message, argument);
  const isAtOnce = await Promise.race([answer.then(() => true), turn(false)]);
  if (isAtOnce) return answer;
  clock.advance(1);
  await called(before + 1);
  letAnswer();
  return answer;
}
