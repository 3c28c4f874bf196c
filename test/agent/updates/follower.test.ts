import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { VerdictCache } from '../../../agent/decision/cache.ts';
import { Loader } from '../../../agent/decision/loader.ts';
import { LookupSubject } from '../../../agent/decision/lookup-subject.ts';
import { AppliedUpdates } from '../../../agent/updates/applied-updates.ts';
import { Follower } from '../../../agent/updates/follower.ts';
import { type Fault, LocalMirror, type MirrorSettings } from '../../../agent/updates/local-mirror.ts';
import { HandClock } from '../../support/clock.ts';
import { changeOf, MirrorBackend } from '../../support/mirror-backend.ts';
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
    faults.push(fault);
    follower.faulty(fault);
  });
  mirror.use({ ...SETTINGS, ...settings });
  const target = { cache, loader };
  const applied = new AppliedUpdates(() => target, mirror, clock, now);
  const source = { lists: ['manual'], maxEntries: settings.maxEntries ?? SETTINGS.maxEntries, pollMs: 1000 };
  const asked = {
    ...source,
    manifest: () => backend.manifest(),
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
      assert.ok(tries < 1000, `${mirror.state.state} instead of ${wanted}: ${told.join(', ')}`);
      await pass(50);
    }
  };
  const live = (text: string) => {
    const { address } = LookupSubject.parse(text);
    return (address ? mirror.liveAddress(address, clock.nowMs()) : mirror.live(text, clock.nowMs()))?.action;
  };
  const stale = (text: string) => mirror.stale(LookupSubject.parse(text))?.action;
  return { clock, backend, mirror, cache, world, follower, told, faults, pass, untilState, live, stale };
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
