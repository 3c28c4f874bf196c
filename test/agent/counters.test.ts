import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { connectionEvents } from '../../agent/server/server-log.ts';
import type { Histogram } from '../../agent/state/histogram.ts';
import type { Counters, READINGS } from '../../agent/state/metric-definitions.ts';
import type { ValuesOf } from '../../agent/state/metric-types.ts';
import { processState } from '../../agent/state/process-state.ts';
import { LOAD_CAUSES } from '../../agent/updates/load-cause.ts';
import { ACTIONS } from '../../contract/actions.ts';
import { ConnectionLimiter } from '../../spop/server/connection-limiter.ts';
import { Listener } from '../../spop/server/listener.ts';
import { NO_MIRROR_READING } from '../support/agent-state.ts';
import { temporaryFolder } from '../support/config-file.ts';
import { answered, CLIENT, type Config, firstCall, openedGeneration, type World } from '../support/open-generation.ts';
import { Client } from '../support/spop/client.ts';
import { HEALTH_CHECK, hello, ipv4, notify, str } from '../support/spop/naive-codec.ts';
import { until } from '../support/until.ts';

interface Case {
  readonly config?: Config;
  /** Makes it happen. */
  readonly by: (world: World, t: TestContext) => Promise<void>;
  /** What the counter is then. */
  readonly is: unknown;
}

const PATHS = { check: { subjects: { path: 'path' } } };

/** What makes each counter count, with all parts as an agent has them: a counter that is not here does not compile. */
const CASES: Readonly<Record<keyof Counters, Case>> = {
  misses: { by: twoLookups, is: 2 },
  calls: { by: twoLookups, is: 2 },
  subjects: { by: twoLookups, is: 2 },
  backendTime: { by: async (world) => void (await slowAnswer(world, 7)), is: counted(0.01) },
  failures: { by: failed(500), is: { unreachable: 0, failing: 1, refused: 0, ours: 0 } },
  throttled: { by: failed(429), is: 1 },
  notCounted: {
    config: { lists: [{ name: 'manual', actions: ['allow'] }] },
    by: async (world) => void (await answered(world)),
    is: 1,
  },
  budgetWaits: {
    config: { backend: { maxCallsPerSecond: 1, batch: { maxSubjects: 1 } }, deadlineMs: 5000 },
    async by({ ask, clock }) {
      for (const host of [1, 2]) void ask('check-request', ['ip', ipv4(198, 51, 100, host)]);
      clock.advance(1);
    },
    is: 2,
  },
  refused: {
    config: { messages: PATHS, backend: { maxKeysPerSecond: 2 } },
    async by({ ask }) {
      for (const path of ['/a', '/b', '/c']) void ask('check', ['path', str(path)]);
    },
    is: { timeout: 0, breaker_open: 0, overload: 2 },
  },
  changes: {
    by: async ({ metrics }) => metrics.followed({ isStart: false, changes: [1, 2] }, 0),
    is: 2,
  },
  starts: { by: async ({ metrics }) => metrics.followed({ isStart: true, changes: [] }, 9000), is: 1 },
  delay: {
    by: async ({ metrics }) => metrics.followed({ isStart: false, changes: [1] }, 1100),
    is: counted(1.25),
  },
  loads: {
    by: async ({ metrics }) => metrics.mirrorLoaded('gone'),
    is: { ...Object.fromEntries(LOAD_CAUSES.map((cause) => [cause, 0])), gone: 1 },
  },
  loadFailures: { by: async ({ metrics }) => metrics.mirrorFailed('no', 0), is: 1 },
  mismatches: { by: async ({ metrics }) => metrics.mirrorMismatched(), is: 1 },
  unsupported: {
    config: { messages: PATHS },
    by: async (world) => void (await answered(world, 'check', ['path', str('/route')])),
    is: { ...Object.fromEntries(ACTIONS.map((action) => [action, 0])), route: 1 },
  },
  accepted: { by: async (world, t) => void (await connected(world, t)), is: 1 },
  healthChecks: { by: async (world, t) => void (await connected(world, t, HEALTH_CHECK)), is: 1 },
  errors: {
    async by(world, t) {
      const haproxy = await connected(world, t);
      haproxy.socket.write(Uint8Array.of(0xff, 0xff, 0xff, 0xff));
      await haproxy.closed();
    },
    is: { 3: 1 },
  },
  frames: { by: twoFrames, is: 2 },
  decisionTime: { by: twoFrames, is: counted(0.00001, 0.01) },
  deadlineMargin: { by: twoFrames, is: counted(0.04) },
};

describe('a counter counts what happens in the parts', () => {
  for (const [name, { config = {}, by, is }] of Object.entries(CASES))
    it(name, async (t) => {
      const world = await openedGeneration(t, config);
      await by(world, t);
      const value = () => bucketsOf(world.metrics.counters[name as keyof Counters]);
      await until(
        () => JSON.stringify(value()) === JSON.stringify(is),
        () => JSON.stringify(value()),
      ).catch(() => {});
      assert.deepEqual(value(), is);
    });
});

type Read = Omit<ValuesOf<(typeof READINGS)['cache']> & ValuesOf<(typeof READINGS)['backend']>, 'bytes'>;

/** What is read from the parts. */
const READ: Readonly<Record<keyof Read, Case>> = {
  hits: { by: askedTwice, is: 1 },
  stale: { by: asksAfterTheEnd, is: 1 },
  evicted: { config: { cache: { maxEntries: 1 } }, by: twoLookups, is: 1 },
  entries: { by: twoLookups, is: 2 },
  maxEntries: { config: { cache: { maxEntries: 77 } }, async by() {}, is: 77 },
  breaker: { by: asksAfterTheEnd, is: 'open' },
  queued: { by: async ({ ask }) => void ask('check-request', ['ip', CLIENT]), is: 1 },
  inFlight: { by: async (world) => void (await firstCall(world)), is: 1 },
  callsPerSecond: { config: { backend: { maxCallsPerSecond: 70 } }, async by() {}, is: 70 },
};

describe('a state has what the parts have now', () => {
  for (const [name, { config = {}, by, is }] of Object.entries(READ))
    it(name, async (t) => {
      const world = await openedGeneration(t, config);
      await by(world, t);
      const { cache, backend } = stateOf(world);
      assert.deepEqual({ ...cache, ...backend }[name as keyof Read], is);
    });

  it('hits and stale, without decisions that looked nothing up', async (t) => {
    const world = await openedGeneration(t, {});
    world.stats.counterOf('without-subjects', { action: 'allow', source: 'cache' }).count++;
    assert.equal(stateOf(world).cache.hits, 0);
  });

  const followed = { updates: { mode: 'invalidate' }, cache: { allowTtlSeconds: 60 } };
  const never = Number.POSITIVE_INFINITY;
  for (const [what, config, updates, is] of [
    ['off by the settings', {}, { isOff: false, ageMs: 0 }, { state: 'off', ageSeconds: null }],
    ['off without updates of the backend', followed, { isOff: true, ageMs: 0 }, { state: 'off', ageSeconds: null }],
    ['live', followed, { isOff: false, ageMs: 60_000 }, { state: 'live', ageSeconds: 60 }],
    ['behind', followed, { isOff: false, ageMs: 60_001 }, { state: 'behind', ageSeconds: 60.001 }],
    ['behind without a proof', followed, { isOff: false, ageMs: never }, { state: 'behind', ageSeconds: null }],
  ] as const)
    it(`updates that are ${what}`, async (t) => {
      const { state, ageSeconds } = stateOf(await openedGeneration(t, config), updates).updates;
      assert.deepEqual({ state, ageSeconds }, is);
    });

  it('decisions, and how many of the last lookups the policy decided', async (t) => {
    const world = await openedGeneration(t, {});
    world.broken.status = 500;
    await answered(world);
    const { decisions, degradation } = stateOf(world);
    assert.deepEqual(
      decisions.map(({ source, reason, count }) => [source, reason, count]),
      [['policy', 'backend_error', 1]],
    );
    const { lookups, byPolicy, calls, failedCalls } = degradation;
    assert.deepEqual([lookups, byPolicy.backend_error, calls, failedCalls], [1, 1, 1, 1]);
  });
});

function stateOf({ generation, metrics, stats, degradation }: World, updates = { isOff: true, ageMs: 0 }) {
  const { settings, cache, loader, credentialsExpireAtMs } = generation;
  const parts = { settings, metrics, stats, cache: cache.state, loader: loader.state, degradation: degradation.state };
  return processState({ ...parts, updates, mirror: NO_MIRROR_READING, connections: 0, credentialsExpireAtMs });
}

async function askedTwice(world: World): Promise<void> {
  await answered(world);
  await answered(world);
}

/** A verdict is past its lifetime when the function has failed so often that it is not asked. */
async function asksAfterTheEnd(world: World): Promise<void> {
  await answered(world);
  world.broken.status = 500;
  world.clock.advance(300_000);
  for (let host = 1; host <= 5; host++) await answered(world, 'check-request', ['ip', ipv4(198, 51, 100, host)]);
  await world.ask('check-request', ['ip', CLIENT]);
}

/** The buckets of a histogram into which one value fell each. */
function counted(...bounds: readonly number[]): object {
  return Object.fromEntries(bounds.map((bound) => [bound, 1]));
}

function bucketsOf(counter: Counters[keyof Counters]): unknown {
  if (typeof counter !== 'object' || !('sumSeconds' in counter)) return counter;
  const { bounds, counts } = counter as Histogram; // nothing else has a sum
  const filled = counts.flatMap((count, index) => (count === 0 ? [] : [[bounds[index] ?? '+Inf', count]]));
  return Object.fromEntries(filled);
}

async function twoLookups(world: World): Promise<void> {
  await answered(world);
  await answered(world, 'check-request', ['ip', ipv4(198, 51, 100, 1)]);
}

function failed(status: number): Case['by'] {
  return async (world) => {
    world.broken.status = status;
    await answered(world);
  };
}

/** The function takes so long for one subject. */
async function slowAnswer(world: World, ms: number): Promise<void> {
  await firstCall(world);
  world.clock.advance(ms);
  world.letAnswer();
  await world.generation.loader.idle();
}

/** One that waits 6 ms for the function, and one that is in the cache. */
async function twoFrames(world: World, t: TestContext): Promise<void> {
  const haproxy = await connected(world, t);
  haproxy.socket.write(notify(1, 1, ['check-request', ['ip', CLIENT]]));
  await until(
    () => world.metrics.counters.misses === 1,
    () => 'nothing is asked',
  );
  world.clock.advance(1);
  await world.called();
  world.clock.advance(5);
  world.letAnswer();
  await haproxy.received(2);
  haproxy.socket.write(notify(2, 1, ['check-request', ['ip', CLIENT]]));
  await haproxy.received(3);
}

/** HAProxy's end of a connection, after the HELLOs. */
async function connected({ generation, clock, metrics, log }: World, t: TestContext, first = hello()): Promise<Client> {
  const events = connectionEvents(log, clock, metrics, () => generation.settings.deadlineMs);
  const path = join(temporaryFolder(t), 'agent.sock');
  const limiter = new ConnectionLimiter(clock, () => {});
  const listener = new Listener({ type: 'unix', path }, { current: generation.handler }, clock, events, limiter);
  await listener.open();
  t.after(() => listener.destroy());
  const client = await Client.connect({ path });
  t.after(() => client.socket.destroy());
  client.socket.write(first);
  await client.received(1);
  return client;
}
