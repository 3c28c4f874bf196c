import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import fc from 'fast-check';
import { VerdictCache } from '../../../agent/decision/cache.ts';
import { Loader } from '../../../agent/decision/loader.ts';
import { LookupSubject } from '../../../agent/decision/lookup-subject.ts';
import { AppliedUpdates } from '../../../agent/updates/applied-updates.ts';
import { Follower } from '../../../agent/updates/follower.ts';
import { type Fault, LocalMirror, type MirrorSettings } from '../../../agent/updates/local-mirror.ts';
import type { Change } from '../../../contract/updates.ts';
import { HandClock } from '../../support/clock.ts';
import { changeOf, MirrorBackend } from '../../support/mirror-backend.ts';
import { longRuns } from '../../support/scope.ts';
import { ScriptedBackend } from '../../support/scripted-backend.ts';
import { settled } from '../../support/spop/conversation.ts';

const START_MS = 1_790_000_000_000;
const SETTINGS: MirrorSettings = {
  ...{ asked: { lists: ['manual'] }, key: 'one', maxEntries: 1000 },
  ...{ allowTtlMs: 60_000, denyTtlMs: 300_000, listedMs: 86_400_000, unlistedMs: 600_000 },
};
const LISTED = 'ip:198.51.100.7';
const OTHER = 'ip:198.51.100.8';

/** The parts that follow a backend, with a clock in hand. */
function setUp(t: TestContext, settings: Partial<MirrorSettings> = {}) {
  const clock = new HandClock(START_MS);
  const backend = new MirrorBackend(['manual'], () => clock.epochMs());
  const cache = new VerdictCache(
    { maxEntries: 1000, allowTtlSeconds: 60, denyTtlSeconds: 300, policyTtlSeconds: 1 },
    { ifErrorSeconds: 600, revalidateSeconds: 0 },
    clock,
  );
  const loader = new Loader(new ScriptedBackend(), cache, clock, {
    ...{ maxConcurrent: 1, maxCallsPerSecond: 1e6, deadlineMs: 1e6, batch: { windowMs: 1, maxSubjects: 1 } },
  });
  const now = () => ({ bootMs: clock.nowMs(), epochMs: clock.epochMs() });
  const told: string[] = [];
  const faults: Fault[] = [];
  const mirror = new LocalMirror(clock, now, (fault) => {
    if (fault !== 'sync' || mirror.held !== undefined) faults.push(fault);
    follower.faulty(fault);
  });
  mirror.use({ ...SETTINGS, ...settings });
  const target = { cache, loader };
  const applied = new AppliedUpdates(() => target, mirror, clock, now);
  const source = { lists: ['manual'], maxEntries: settings.maxEntries ?? SETTINGS.maxEntries, pollMs: 1000 };
  const asked = {
    ...source,
    manifest: backend.manifest.bind(backend),
    segment: backend.segment.bind(backend),
    updates: (place: Parameters<typeof backend.updates>[0]) => backend.updates(place),
  };
  const world = { asked: asked as typeof asked | undefined };
  const follower = new Follower(
    {
      updates: () => world.asked,
      mirror: () => world.asked,
      apply: (step) => applied.apply(step),
      position: () => mirror.held?.position,
      followed() {},
      failed: (error) => void told.push(`not followed: ${error.message}`),
      load: {
        loaded: (cause, { id, entries }) => void told.push(`loaded ${id} because of ${cause}: ${entries}`),
        failed: (error, times) => void told.push(`failed ${times}: ${error.message}`),
        none: (_, isForNow) => void told.push(isForNow ? 'none yet' : 'none'),
        tooLarge: (entries, most) => void told.push(`${entries} of ${most}`),
        stillMismatched: (id) => void told.push(`still ${id}`),
      },
    },
    { info() {}, warn() {}, error() {} },
    clock,
    now,
    () => 0.5,
  );
  t.after(() => {
    follower.close();
    mirror.close();
  });
  /** Lets the time pass. */
  const pass = async (ms: number) => {
    const untilMs = clock.nowMs() + ms;
    for (;;) {
      await settled();
      await new Promise((resolve) => setImmediate(resolve));
      const leftMs = untilMs - clock.nowMs();
      if (leftMs <= 0) return;
      clock.advance(Math.min(leftMs, Math.max(1, clock.nextInMs)));
    }
  };
  const untilState = async (wanted: string) => {
    for (let tries = 0; mirror.state.state !== wanted; tries++) {
      assert.ok(tries < 10_000, `${mirror.state.state} instead of ${wanted}: ${told.join(', ')}`);
      await pass(50);
    }
  };
  /** A segment is unpacked in another thread, so that loads take some real time. */
  const untilTold = async (line: string) => {
    for (let tries = 0; told.at(-1) !== line; tries++) {
      assert.ok(tries < 1000, `not told: ${line}, but ${told.join(', ')}`);
      await pass(500);
    }
  };
  const live = (text: string) => {
    const { address } = LookupSubject.parse(text);
    return (address ? mirror.liveAddress(address, clock.nowMs()) : mirror.live(text, clock.nowMs()))?.action;
  };
  const stale = (text: string) => mirror.stale(LookupSubject.parse(text))?.action;
  return { clock, backend, mirror, cache, world, follower, told, faults, pass, untilState, untilTold, live, stale };
}

describe('a mirror that is followed', () => {
  it('is loaded, and answers at once: what is listed, what is not, and what changes', async (t) => {
    const { backend, untilState, pass, live, mirror, told } = setUp(t);
    backend.put(changeOf(LISTED));
    backend.build('one');
    backend.put(changeOf('ip:203.0.113.0/24'));
    assert.equal(mirror.state.state, 'loading');
    assert.equal(live(LISTED), undefined);
    await untilState('live');
    assert.deepEqual([LISTED, OTHER, 'ip:203.0.113.9'].map(live), ['deny', 'allow', 'deny']);
    backend.put(changeOf(LISTED, null), changeOf(OTHER, { action: 'tarpit' }));
    await pass(1100);
    assert.deepEqual([LISTED, OTHER].map(live), ['allow', 'tarpit']);
    assert.deepEqual(told, ['loaded one because of start: 1']);
  });

  it('is waited for while the backend has none yet', async (t) => {
    const { backend, pass, untilState, told } = setUp(t);
    await pass(10_000);
    assert.ok(told.every((line) => line === 'none yet'));
    backend.put(changeOf(LISTED));
    backend.build('one');
    await untilState('live');
  });
});

describe('a mirror without new proofs', () => {
  it('goes on for what is not listed as long as a cached verdict would, and for the rest as long as that', async (t) => {
    const { backend, untilState, pass, live, stale, mirror } = setUp(t);
    backend.put(changeOf(LISTED), changeOf(OTHER, { action: 'allow' }));
    backend.build('one');
    await untilState('live');
    backend.provenAgeMs = 0;
    await pass(2000);
    backend.updates = () => Promise.reject(new Error('away'));
    await pass(58_000);
    assert.deepEqual([LISTED, OTHER, 'ip:192.0.2.1'].map(live), ['deny', 'allow', 'allow']);
    await pass(3000);
    assert.equal(mirror.state.state, 'behind');
    assert.deepEqual([LISTED, OTHER, 'ip:192.0.2.1'].map(live), ['deny', undefined, undefined]);
    assert.deepEqual([LISTED, OTHER, 'ip:192.0.2.1'].map(stale), ['deny', 'allow', 'allow']);
    await pass(240_000);
    assert.deepEqual([LISTED, OTHER].map(live), [undefined, undefined]);
    await pass(300_000);
    assert.deepEqual([LISTED, OTHER, 'ip:192.0.2.1'].map(stale), ['deny', undefined, undefined]);
    await pass(86_400_000);
    assert.deepEqual([LISTED, OTHER].map(stale), [undefined, undefined]);
  });
});

describe('a mirror that misses its place in the log', () => {
  it('stays as a stale one until another one is loaded', async (t) => {
    const { backend, untilState, pass, live, stale, told, mirror } = setUp(t);
    backend.put(changeOf(LISTED));
    backend.build('one');
    await untilState('live');
    backend.replaceLog();
    backend.onTheWay = () => 'gone';
    await pass(70_000);
    assert.equal(mirror.state.state, 'behind');
    assert.deepEqual([live(LISTED), stale(LISTED), stale(OTHER)], ['deny', 'deny', 'allow']);
    backend.onTheWay = (packed) => packed;
    backend.put(changeOf(OTHER));
    backend.build('two');
    await untilState('live');
    assert.deepEqual([LISTED, OTHER].map(live), ['deny', 'deny']);
    assert.equal(told.at(-1), 'loaded two because of gone: 2');
  });

  it('is replaced after a failover to another backend', async (t) => {
    const { backend, untilState, untilTold, stale, live } = setUp(t);
    backend.put(changeOf(LISTED));
    backend.build('one');
    await untilState('live');
    backend.url = 'https://two.example';
    backend.replaceLog();
    backend.build('two');
    await untilTold('loaded two because of gone: 1');
    assert.deepEqual([live(LISTED), stale(LISTED)], ['deny', 'deny']);
  });

  it('is replaced where a newer one is 2,000 records ahead, and only then', async (t) => {
    const { backend, clock, untilState, pass, told, untilTold, live } = setUp(t);
    backend.recordsAPage = 10;
    backend.put(changeOf(LISTED));
    backend.build('one');
    await untilState('live');
    for (let n = 0; n < 1900; n++) backend.put(changeOf(OTHER, n % 2 === 0 ? {} : null));
    backend.build('two');
    await pass(15_000);
    assert.equal(told.length, 1);
    const { updates } = backend;
    for (let n = 0; n < 2100; n++) backend.put(changeOf('ip:203.0.113.1'));
    backend.build('three');
    // a page takes a second, so that the mirror is there before the pages are
    backend.updates = async (place) => {
      if (place?.cursor !== `a.${backend.position}.x`) await new Promise<void>((resolve) => clock.after(1000, resolve));
      return updates.call(backend, place);
    };
    await untilTold('loaded three because of backlog: 2');
    assert.equal(live('ip:203.0.113.1'), 'deny');
  });
});

describe('a mirror that is not what the backend has', () => {
  /** Something in memory changes without a change in the log. */
  const corrupt = ({ mirror }: ReturnType<typeof setUp>, subject: string) =>
    mirror.held?.tables.apply(changeOf(subject, null));

  it('is behind from the next checkpoint on, says of nothing that it is not listed, and is loaded again', async (t) => {
    const world = setUp(t);
    const { backend, untilState, untilTold, pass, live, stale, faults, mirror } = world;
    backend.put(changeOf(LISTED), changeOf(OTHER));
    backend.build('one');
    await untilState('live');
    corrupt(world, LISTED);
    backend.put(changeOf('ip:203.0.113.1'));
    await pass(2000);
    assert.deepEqual(faults, []);
    backend.put(changeOf('ip:203.0.113.2'));
    backend.countsAt = backend.position;
    await pass(1100);
    assert.deepEqual([faults, mirror.state.state], [['mismatch'], 'behind']);
    assert.deepEqual([LISTED, OTHER, 'ip:203.0.113.9'].map(live), [undefined, undefined, undefined]);
    assert.deepEqual([LISTED, OTHER, 'ip:203.0.113.9'].map(stale), [undefined, 'deny', undefined]);
    await untilTold('loaded one because of mismatch: 2');
    assert.deepEqual([LISTED, OTHER, 'ip:203.0.113.9'].map(live), ['deny', 'deny', 'allow']);
  });

  it('is waited for if the mirror of the backend has the fault itself', async (t) => {
    const { backend, untilState, untilTold, told, mirror } = setUp(t);
    backend.put(changeOf(LISTED));
    backend.build('one');
    await untilState('live');
    const { states } = backend;
    Object.defineProperty(backend, 'states', {
      get: () => ({ manual: { ...states.manual, count: 7 } }),
      configurable: true,
    });
    backend.countsAt = backend.position;
    await untilTold('still one');
    assert.equal(mirror.state.state, 'behind');
    assert.deepEqual(told.slice(0, 3), [
      'loaded one because of start: 1',
      'loaded one because of mismatch: 1',
      'still one',
    ]);
    assert.deepEqual(new Set(told.slice(2)), new Set(['still one']));
    const manifests = backend.asked.filter((what) => what.includes('manifest'));
    assert.deepEqual(manifests.slice(0, 3), ['manifest', 'the same manifest', 'the same manifest']);
    Object.defineProperty(backend, 'states', { value: states, configurable: true });
    backend.build('two');
    await untilTold('loaded two because of mismatch: 1');
    assert.equal(mirror.state.state, 'live');
  });

  it('is found within an hour without any checkpoint, if its sums are kept but its tables are not', async (t) => {
    const { backend, untilState, untilTold, pass, faults, mirror } = setUp(t);
    backend.put(changeOf(LISTED));
    backend.build('one');
    await untilState('live');
    const tables = mirror.held?.tables ?? assert.fail();
    tables.recompute = function* () {
      yield;
      return ['manual'];
    };
    await pass(3_600_000);
    assert.deepEqual(faults, ['mismatch']);
    await untilTold('loaded one because of mismatch: 1');
  });

  it('is asked for with its manifest after a load that failed: what is known of that may be the fault', async (t) => {
    const { backend, untilTold } = setUp(t);
    backend.put(changeOf(LISTED));
    backend.build('one');
    let isSpoilt = true;
    backend.onTheWay = (packed) => (isSpoilt ? new Uint8Array() : packed);
    await untilTold('failed 2: segment 0 of the mirror has another digest than the manifest says');
    isSpoilt = false;
    await untilTold('loaded one because of start: 1');
    assert.ok(backend.asked.every((what) => what !== 'the same manifest'));
  });

  const spoilt: readonly (readonly [what: string, way: (packed: Uint8Array) => Uint8Array])[] = [
    ['a flipped bit', (packed) => packed.map((byte, at) => (at === 20 ? byte ^ 1 : byte))],
    ['half of it', (packed) => packed.subarray(0, packed.length >> 1)],
    ['nothing', () => new Uint8Array()],
    ['other lines', () => Buffer.from('{"action":"deny"}\n"ip:192.0.2.1"\n')],
  ];
  for (const [what, onTheWay] of spoilt)
    it(`is not taken from a segment that came with ${what}`, async (t) => {
      const { backend, pass, untilState, told, mirror } = setUp(t);
      backend.put(changeOf(LISTED));
      backend.build('one');
      backend.onTheWay = onTheWay;
      for (let tries = 0; told.length === 0; tries++) {
        assert.ok(tries < 1000 && mirror.state.state === 'loading');
        await pass(50);
      }
      assert.match(told[0] ?? '', /^failed 1: /);
      backend.onTheWay = (packed) => packed;
      await untilState('live');
    });
});

describe('a mirror that there is no room for', () => {
  it('is not loaded, or dropped when it becomes too large', async (t) => {
    const { backend, pass, told, untilTold, mirror, live, faults } = setUp(t, { maxEntries: 2 });
    backend.put(changeOf(LISTED), changeOf(OTHER), changeOf('ip:203.0.113.1'));
    backend.build('one');
    await pass(1000);
    assert.deepEqual([told, mirror.state.state], [['3 of 2'], 'loading']);
    backend.put(changeOf(OTHER, null));
    backend.build('two');
    await untilTold('loaded two because of start: 2');
    assert.equal(live(LISTED), 'deny');
    backend.put(changeOf(OTHER));
    await pass(1100);
    assert.deepEqual([live(LISTED), faults], [undefined, ['over']]);
  });
});

describe('a reload of the configuration', () => {
  it('loads a mirror of the new lists, and keeps the one of the same lists', async (t) => {
    const { backend, untilState, live, mirror, world, follower, told } = setUp(t);
    backend.put(changeOf(LISTED));
    backend.build('one');
    await untilState('live');
    world.asked = world.asked && { ...world.asked };
    mirror.use({ ...SETTINGS, denyTtlMs: 1 });
    follower.reloaded();
    assert.equal(live(LISTED), undefined);
    assert.equal(mirror.state.state, 'live');
    mirror.use({ ...SETTINGS, key: 'two' });
    follower.reloaded();
    assert.equal(mirror.state.state, 'loading');
    await untilState('live');
    assert.equal(live(LISTED), 'deny');
    assert.equal(told.length, 2);
    world.asked = undefined;
    mirror.use(undefined);
    follower.reloaded();
    assert.equal(mirror.state.state, 'off');
  });
});

describe('the mirror of a worker that misses a step', () => {
  it('asks for another load', async (t) => {
    const { backend, untilState, untilTold, faults, mirror } = setUp(t);
    backend.put(changeOf(LISTED));
    backend.build('one');
    await untilState('live');
    const held = mirror.held ?? assert.fail();
    held.cursor = 'another';
    held.position = 0;
    await untilTold('loaded one because of worker: 1');
    assert.equal(faults[0], 'sync');
  });
});

const SUBJECTS = [
  LISTED,
  OTHER,
  'ip:198.51.100.0/24',
  'ip:2001:db8::/48',
  'host:a.example',
  'host:*.example',
  'path:/x',
];
const SPELLED = ['198.51.100.7', 'IP:198.51.100.7/32', 'host:A.example'];
const anyChange = fc
  .tuple(
    fc.constantFrom(...SUBJECTS, ...SPELLED),
    fc.option(
      fc.record(
        {
          action: fc.constantFrom('deny', 'allow', 'tarpit'),
          reason: fc.constantFrom('a', 'b'),
          expiresAt: fc.constantFrom(START_MS / 1000 - 5, START_MS / 1000 + 30),
          ofALaterVersion: fc.constantFrom(1, 2),
        },
        { requiredKeys: ['action'] },
      ),
    ),
  )
  .map(([key, entry]): Change => {
    const subject = key.toLowerCase().includes('198.51.100.7') ? LISTED : key.toLowerCase();
    return { key: { subject: key, list: 'manual' }, entry: entry && { subject, list: 'manual', ...entry } };
  });
/** What happens to table, log, backend and agent. */
const anyEvent = fc.oneof(
  { weight: 6, arbitrary: anyChange.map((change) => ({ change })) },
  { weight: 1, arbitrary: fc.constantFrom('build', 'replace log', 'another worker', 'pages of one record') },
  { weight: 2, arbitrary: fc.integer({ min: 100, max: 5000 }).map((passMs) => ({ passMs })) },
);

describe('a mirror whose backend counts at every page', () => {
  it('never differs, whatever happens, and has in the end what the backend has', async (t) => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyEvent, { minLength: 5, maxLength: 40 }), async (events) => {
        const { backend, pass, untilState, faults, mirror, follower, told } = setUp(t);
        backend.counts = true;
        backend.put();
        backend.build('m0');
        for (const [index, event] of events.entries()) {
          if (event === 'build') backend.build(`m${index}`);
          else if (event === 'replace log') {
            backend.replaceLog();
            backend.build(`m${index}`);
          } else if (event === 'another worker') follower.faulty('sync');
          else if (event === 'pages of one record') backend.recordsAPage = 1;
          else if ('change' in event) backend.put(event.change);
          else await pass(event.passMs);
        }
        await pass(1000);
        await untilState('live');
        for (let tries = 0; mirror.held?.cursor !== backend.cursor; tries++) {
          assert.ok(
            tries < 1000,
            `it does not catch up: ${told.join(', ')} ${mirror.held?.cursor} ${backend.cursor} ${JSON.stringify(backend.asked.slice(-20))}`,
          );
          await pass(500);
        }
        assert.deepEqual(mirror.held.differing(backend.states), []);
        assert.equal(faults.includes('mismatch'), false);
      }),
      { numRuns: longRuns(3000, 10) },
    );
  });
});
