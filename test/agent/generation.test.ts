import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import {
  answered,
  CLIENT,
  type Config,
  firstCall,
  openedGeneration as opened,
  type World,
} from '../support/open-generation.ts';
import { ipv4, type Pair, str } from '../support/spop/naive-codec.ts';

const IPV6: Pair = [
  'ip',
  { type: 'ipv6', value: Uint8Array.from([0x20, 1, 0x0d, 0xb8, 0, 1, 0, 2, ...Array(8).fill(9)]) },
];
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
    'updates.mode decides whether a verdict that comes after a reload is kept',
    keptAfterReload,
    { config: { updates: { mode: 'off' } }, is: 1 },
    { config: { updates: { mode: 'invalidate' } }, is: 0 },
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
      [hasty, patient].map(({ metrics }) => metrics.counters.failures.failing),
      [1, 0],
    );
    assert.equal(patient.generation.loader.state.inFlight, 1);
  });
});

function policyOf(one: object): object {
  return {
    one: { subjects: { ip: 'src' }, ...one },
    two: { subjects: { ip: 'src' }, group: 'two', condition: 'TRUE' },
  };
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
function pathsRefused({ ask, metrics }: World): number {
  for (let path = 0; path < 20; path++) void ask('check', ['path', str(`/${path}`)]);
  return metrics.counters.refused.overload;
}

async function keptAfterReload(world: World): Promise<number> {
  const { generation, letAnswer } = world;
  await firstCall(world);
  void generation.retire();
  letAnswer();
  await generation.loader.idle();
  return generation.cache.state.entries;
}
