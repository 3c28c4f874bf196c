import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { Degradation } from '../../agent/decision/degradation.ts';
import { openGeneration } from '../../agent/generation.ts';
import { openCache } from '../../agent/lifecycle/kept-cache.ts';
import { createLog } from '../../agent/log.ts';
import { LogOutput } from '../../agent/log-output.ts';
import { ReferenceIds } from '../../agent/server/reference-id.ts';
import { Ledger } from '../../agent/state/ledger.ts';
import { Meters } from '../../agent/state/meters.ts';
import { loadSettings } from '../../config/load.ts';
import type { CheckRequest } from '../../contract/check.ts';
import { HandClock } from '../support/clock.ts';
import { configFile } from '../support/config-file.ts';
import { frameIn } from '../support/spop/frames.ts';
import { ipv4, type Message, notify, type Pair, parseActions, str } from '../support/spop/naive-codec.ts';
import { until } from '../support/until.ts';

type Config = Readonly<Record<string, unknown>>;

/** As of an ACK with HAProxy's usual buffers. */
const ROOM = 790;
const CLIENT = ipv4(203, 0, 113, 7);
const IPV6: Pair = [
  'ip',
  { type: 'ipv6', value: Uint8Array.from([0x20, 1, 0x0d, 0xb8, 0, 1, 0, 2, ...Array(8).fill(9)]) },
];
/** What the function says about a path; all else is denied. */
const ENTRIES: Readonly<Record<string, object>> = {
  'path:/route': { action: 'route', vars: { backend: 'green' } },
  'path:/header': { action: 'allow', vars: { 'req.set.x-tier': 'gold' } },
};
const PATHS = { check: { subjects: { path: 'path' } } };
const ONE_EACH = { windowMs: 0, maxSubjects: 1 };

/** One configuration, and what follows from it. */
interface Case {
  readonly config: Config;
  readonly is: unknown;
}

/** Each setting that crosses from the configuration to the parts, with two values and what a part makes of either. */
const SETTINGS: readonly (readonly [setting: string, see: (world: World) => unknown, ...cases: readonly Case[]])[] = [
  [
    'backend.maxCallsPerSecond is shared by the workers',
    ({ generation }) => generation.loader.state.callsPerSecond,
    { config: { backend: { maxCallsPerSecond: 600 } }, is: 600 },
    { config: { backend: { maxCallsPerSecond: 600 }, workers: 3 }, is: 200 },
    { config: { backend: { maxCallsPerSecond: 90 }, workers: 3 }, is: 30 },
  ],
  [
    'backend.maxConcurrent is shared by the workers',
    callsAtOnce,
    { config: { backend: { maxConcurrent: 4, batch: ONE_EACH } }, is: 4 },
    { config: { backend: { maxConcurrent: 4, batch: ONE_EACH }, workers: 2 }, is: 2 },
    { config: { backend: { maxConcurrent: 6, batch: ONE_EACH }, workers: 4 }, is: 2 },
  ],
  [
    'backend.maxKeysPerSecond is shared by the workers, and an additional list costs as much again',
    pathsRefused,
    { config: { messages: PATHS, backend: { maxKeysPerSecond: 20 } }, is: 10 },
    { config: { messages: PATHS, backend: { maxKeysPerSecond: 40 } }, is: 0 },
    { config: { messages: PATHS, backend: { maxKeysPerSecond: 40 }, workers: 2 }, is: 10 },
    { config: { messages: PATHS, backend: { maxKeysPerSecond: 40 }, lists: ['manual', 'feed'] }, is: 10 },
  ],
  [
    'backend.batch.windowMs',
    ({ clock, ask }) => {
      void ask('check-request', ['ip', CLIENT]);
      return clock.nextInMs;
    },
    { config: { backend: { batch: { windowMs: 3 } } }, is: 3 },
    { config: { backend: { batch: { windowMs: 7 } } }, is: 7 },
  ],
  [
    'backend.batch.maxSubjects',
    async ({ clock, ask, called, calls }) => {
      for (let host = 0; host < 6; host++) void ask('check-request', ['ip', ipv4(198, 51, 100, host)]);
      clock.advance(1);
      await called();
      return calls[0]?.body.subjects.length;
    },
    { config: { backend: { batch: { maxSubjects: 2 } } }, is: 2 },
    { config: { backend: { batch: { maxSubjects: 5 } } }, is: 5 },
  ],
  [
    'lists, shadowLists and the actions of a list are in each call',
    async (world) => {
      const { subjects: _, ...rest } = (await firstCall(world)).body;
      return rest;
    },
    { config: { lists: ['one', 'two'] }, is: { lists: ['one', 'two'] } },
    { config: { lists: ['one', 'two'], shadowLists: ['two'] }, is: { lists: ['one', 'two'], shadowLists: ['two'] } },
    {
      config: { lists: [{ name: 'one', actions: ['deny'] }] },
      is: { lists: ['one'], listActions: { one: ['deny'] } },
    },
  ],
  [
    'ipv6Prefix',
    async (world) => (await firstCall(world, IPV6)).body.subjects,
    { config: {}, is: ['ip:2001:db8:1:2:909:909:909:909'] },
    { config: { ipv6Prefix: 48 }, is: ['ip:2001:db8:1::/48'] },
    { config: { ipv6Prefix: 64 }, is: ['ip:2001:db8:1:2::/64'] },
  ],
  [
    'deadlineMs is when the policy answers',
    answeredAfter,
    { config: { deadlineMs: 25 }, is: 25 },
    { config: { deadlineMs: 60 }, is: 60 },
  ],
  [
    'policy, also of one message alone',
    async (world) => {
      const told = [world.ask('one', ['ip', CLIENT]), world.ask('two', ['ip', CLIENT])];
      world.clock.advance(1000); // past the deadline
      return (await Promise.all(told)).map((vars) => vars.action ?? vars['two.action']);
    },
    { config: { messages: policyOf({}), policy: 'open' }, is: ['allow', 'allow'] },
    { config: { messages: policyOf({}), policy: 'closed' }, is: ['deny', 'deny'] },
    { config: { messages: policyOf({ policy: 'closed' }) }, is: ['deny', 'allow'] },
  ],
  [
    'messages.NAME.shadow',
    async (world) => (await answered(world)).action,
    { config: {}, is: 'deny' },
    { config: { messages: { 'check-request': { subjects: { ip: 'src' }, shadow: true } } }, is: 'log' },
  ],
  [
    'messages.NAME.required',
    async ({ ask }) => (await ask('check')).status,
    { config: { messages: { check: { subjects: { country: 'src,country' }, required: ['country'] } } }, is: 400 },
    { config: { messages: { check: { subjects: { country: 'src,country' } } } }, is: undefined },
  ],
  [
    'messages.NAME.oddPaths',
    async (world) => (await answered(world, 'check', ['path', str('/a%2Fb')])).source,
    { config: { messages: PATHS }, is: 'policy' },
    { config: { messages: { check: { subjects: { path: 'path' }, oddPaths: 'pass' } } }, is: 'backend' },
  ],
  [
    'messages.NAME.event is the scope of the variables',
    async ({ ask, scopes }) => {
      await ask('check');
      return [...scopes];
    },
    { config: { messages: { check: { subjects: { ip: 'src' }, event: 'on-client-session' } } }, is: ['sess'] },
    { config: { messages: { check: { subjects: { ip: 'src' }, event: 'on-frontend-http-request' } } }, is: ['txn'] },
  ],
  [
    'messages.NAME.group is part of the names of the variables',
    async ({ ask }) => Object.keys(await ask('check'))[0],
    {
      config: { messages: { check: { subjects: { ip: 'src' }, group: 'late', condition: 'TRUE' } } },
      is: 'late.action',
    },
    { config: { messages: { check: { subjects: { ip: 'src' } } } }, is: 'action' },
  ],
  [
    'haproxy.backends',
    async (world) => (await answered(world, 'check', ['path', str('/route')])).backend,
    { config: { messages: PATHS, haproxy: { backends: ['green'] } }, is: 'green' },
    { config: { messages: PATHS, haproxy: { backends: ['blue'] } }, is: undefined },
  ],
  [
    'haproxy.requestHeaders',
    async (world) => (await answered(world, 'check', ['path', str('/header')]))['req.set.x_tier'],
    { config: { messages: PATHS, haproxy: { requestHeaders: ['X-Tier'] } }, is: 'gold' },
    { config: { messages: PATHS }, is: undefined },
  ],
  [
    'messages.NAME.subjects.cookie.NAME',
    async (world) => {
      void world.ask('check', ['cookie', str('theme=dark; session=one')]);
      world.clock.advance(1);
      await world.called();
      return world.calls[0]?.body.subjects;
    },
    {
      config: { messages: { check: { subjects: { 'cookie.session': 'req.cook(session)' } } } },
      is: ['cookie.session:one'],
    },
    { config: { messages: { check: { subjects: { 'cookie.theme': 'req.cook(theme)' } } } }, is: ['cookie.theme:dark'] },
  ],
];

describe('a setting reaches the part that it is for', () => {
  for (const [setting, see, ...cases] of SETTINGS)
    for (const { config, is } of cases)
      it(`${setting}: ${JSON.stringify(config)}`, async (t) => {
        assert.deepEqual(await see(await opened(t, config)), is);
      });
});

describe('backend.timeoutMs', () => {
  it('is how long a call may take', async (t) => {
    const patient = await opened(t, { backend: { timeoutMs: 60_000 } });
    const hasty = await opened(t, { backend: { timeoutMs: 20 } });
    await firstCall(patient);
    await firstCall(hasty);
    await hasty.generation.loader.idle();
    assert.deepEqual(
      [hasty, patient].map(({ meters }) => meters.backendCalls.failures.failing),
      [1, 0],
    );
    assert.equal(patient.generation.loader.state.inFlight, 1);
  });
});

type World = Awaited<ReturnType<typeof opened>>;

/** What one configuration makes of the agent, before a function that denies everything, once it is let. */
async function opened(t: TestContext, config: Config) {
  const held: (() => void)[] = [];
  const calls: { path: string | undefined; body: CheckRequest }[] = [];
  const server = createServer(async (request, response) => {
    const body = JSON.parse(Buffer.concat(await request.toArray()).toString()) as CheckRequest; // the agent's own
    calls.push({ path: request.url, body });
    held.push(() => answer(body, response));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo; // it listens
  const backend = { url: `http://127.0.0.1:${port}`, ...(config.backend as object) };
  const settings = loadSettings(configFile(t, JSON.stringify({ ...config, backend })), {});
  const clock = new HandClock();
  const log = createLog('error', new LogOutput(2));
  const meters = new Meters();
  const degradation = new Degradation(clock, { degraded() {}, recovered() {} });
  const shared = { log, clock, meters, ledger: new Ledger(clock), references: new ReferenceIds(), degradation };
  const generation = await openGeneration(settings, openCache(settings, clock, log), shared);
  t.after(async () => {
    await generation.close();
    meters.close();
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
  return { generation, clock, meters, calls, scopes, ask, called, letAnswer };
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

function policyOf(one: object): object {
  return {
    one: { subjects: { ip: 'src' }, ...one },
    two: { subjects: { ip: 'src' }, group: 'two', condition: 'TRUE' },
  };
}

async function firstCall({ ask, clock, called, calls }: World, argument: Pair = ['ip', CLIENT]) {
  void ask('check-request', argument);
  clock.advance(1);
  await called();
  return calls[0] ?? assert.fail('no call');
}

/** Sends a message, lets the function answer, and returns what HAProxy is told. */
async function answered(
  { ask, clock, called, letAnswer }: World,
  message = 'check-request',
  argument: Pair = ['ip', CLIENT],
) {
  const answer = ask(message, argument);
  const isAtOnce = await Promise.race([answer.then(() => true), turn(false)]);
  if (isAtOnce) return answer;
  clock.advance(1);
  await called();
  letAnswer();
  return answer;
}

async function answeredAfter({ ask, clock }: World): Promise<number> {
  const beganMs = clock.nowMs();
  let atMs: number | undefined;
  void ask('check-request', ['ip', CLIENT]).then(() => {
    atMs ??= clock.nowMs() - beganMs;
  });
  while (atMs === undefined) {
    clock.advance(1);
    await turn();
  }
  return atMs;
}

async function callsAtOnce({ ask, generation, called, calls }: World): Promise<number> {
  for (let host = 0; host < 20; host++) void ask('check-request', ['ip', ipv4(198, 51, 100, host)]);
  await called(generation.loader.state.inFlight);
  return calls.length;
}

/** How many of 20 paths, each of which could stand under two keys of a list, are not asked about. */
function pathsRefused({ ask, meters }: World): number {
  for (let path = 0; path < 20; path++) void ask('check', ['path', str(`/${path}`)]);
  return meters.loader.refused.overload;
}
