import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import type { LogAnswer, LogPlace } from '../../../agent/backend/backend.ts';
import type { UpdatesAnswer } from '../../../agent/backend/updates-page.ts';
import { Poller, type PollSource } from '../../../agent/updates/poller.ts';
import type { PageStep } from '../../../agent/updates/updates-step.ts';
import type { UpdatesPage } from '../../../contract/updates.ts';
import { HandClock } from '../../support/clock.ts';

const URL = 'https://one.example';
const page = (cursor: string, more: Partial<UpdatesPage> = {}): UpdatesPage => ({
  ...{ cursor, changes: [], provenAgeMs: 300, now: 0, more: false, waitMs: 1000 },
  ...more,
});
const change = (subject: string) => ({ key: { subject, list: 'manual' }, entry: null });

/** A poller whose polls wait for the test to answer them. */
function setUp(t: TestContext, changes: Partial<PollSource> = {}) {
  const clock = new HandClock();
  const polls: { place: LogPlace | undefined; answer(answer: LogAnswer): void; fail(error: Error): void }[] = [];
  const updates = (place: LogPlace | undefined) =>
    new Promise<LogAnswer>((answer, fail) => void polls.push({ place, answer, fail }));
  const world = {
    source: { lists: ['manual'], pollMs: 1000, updates, ...changes } as PollSource | undefined,
    applied: [] as PageStep[],
    told: [] as string[],
    applying: Promise.resolve(),
  };
  const poller = new Poller(
    () => world.source,
    async (step) => {
      await world.applying;
      world.applied.push(step);
    },
    {
      followed: (_, waitedMs) => void world.told.push(`followed ${waitedMs}`),
      failed: (error, times) => void world.told.push(`failed ${times}: ${error.message}`),
      none: (url) => void world.told.push(`none ${url}`),
      lost: (url) => void world.told.push(`lost ${url}`),
      lagging: () => void world.told.push('lagging'),
    },
    clock,
    () => ({ bootMs: clock.nowMs(), epochMs: clock.epochMs() }),
    () => 0.5,
  );
  t.after(() => poller.close());
  /** Answers the newest poll, and lets the answer take effect. */
  const answer = async (answer: UpdatesAnswer, url = URL) => {
    const { place, answer: settle } = polls.at(-1) ?? assert.fail('nothing is polled');
    settle({ url, isEnd: place?.url !== url, answer });
    await settled();
  };
  const fail = async (message: string) => {
    polls.at(-1)?.fail(new Error(message));
    await settled();
  };
  /** Waits for the next poll; returns after how long it came. */
  const untilPoll = () => {
    const fromMs = clock.nowMs();
    const before = polls.length;
    while (polls.length === before) {
      assert.ok(clock.nextInMs < Number.POSITIVE_INFINITY, 'nothing is polled any more');
      clock.advance(clock.nextInMs);
    }
    return clock.nowMs() - fromMs;
  };
  return { ...world, world, clock, polls, poller, answer, fail, untilPoll };
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

describe('polls of updates', () => {
  it('begin within a second at the end of the log, and go on from the cursor of each page', async (t) => {
    const { polls, answer, untilPoll, applied, told } = setUp(t);
    assert.equal(untilPoll(), 500);
    assert.equal(polls[0]?.place, undefined);
    await answer(page('1'));
    assert.equal(untilPoll(), 1000);
    assert.equal(polls[1]?.place?.cursor, '1');
    await answer(page('2', { changes: [change('ip:192.0.2.1')] }));
    assert.deepEqual(
      applied.map(({ isStart, changes, proof, place }) => ({ isStart, changes, ageMs: proof?.ageMs, place })),
      [
        { isStart: true, changes: [], ageMs: 300, place: { cursor: '1', position: 0 } },
        {
          ...{ isStart: false, changes: [change('ip:192.0.2.1')], ageMs: 300 },
          place: { after: '1', cursor: '2', position: 0 },
        },
      ],
    );
    assert.equal(told.at(-1), 'followed 1000');
  });

  const waits: readonly (readonly [what: string, page: Partial<UpdatesPage>, waitMs: number])[] = [
    ['almost at once if there are more', { more: true }, 10],
    ['as the settings say', { waitMs: 0 }, 1000],
    ['longer if the backend wants it', { waitMs: 5000 }, 5000],
    ['15 s at most', { waitMs: 60_000 }, 15_000],
  ];
  for (const [what, more, waitMs] of waits)
    it(`come ${what}`, async (t) => {
      const { answer, untilPoll } = setUp(t);
      untilPoll();
      await answer(page('1', more));
      assert.equal(untilPoll(), waitMs);
    });

  it('come one at a time, and wait until the page is applied', async (t) => {
    const { world, clock, polls, answer, untilPoll } = setUp(t);
    untilPoll();
    clock.advance(60_000);
    assert.equal(polls.length, 1);
    const applying = Promise.withResolvers<void>();
    world.applying = applying.promise;
    await answer(page('1'));
    clock.advance(60_000);
    assert.equal(polls.length, 1);
    applying.resolve();
    await settled();
    assert.equal(untilPoll(), 200);
  });

  it('that fail come again from the same place, with pauses of up to five seconds', async (t) => {
    const { polls, answer, fail, untilPoll, told } = setUp(t);
    untilPoll();
    await answer(page('1'));
    untilPoll();
    const pauses: number[] = [];
    for (let times = 1; times <= 6; times++) {
      await fail('no');
      pauses.push(untilPoll());
    }
    assert.deepEqual(pauses, [375, 750, 1500, 3000, 3750, 3750]);
    assert.equal(polls.at(-1)?.place?.cursor, '1');
    assert.equal(told.at(-1), 'failed 6: no');
    await answer(page('2'));
    assert.equal(untilPoll(), 1000);
  });

  it('begin anew where the place is gone, and say that changes were missed', async (t) => {
    const { polls, answer, untilPoll, applied, told } = setUp(t);
    untilPoll();
    await answer(page('1'));
    untilPoll();
    await answer('gone');
    assert.equal(untilPoll(), 250);
    assert.equal(polls.at(-1)?.place, undefined);
    await answer(page('9'));
    assert.deepEqual(
      applied.map(({ isStart }) => isStart),
      [true, true],
    );
    assert.ok(told.includes(`lost ${URL}`));
  });

  it('begin anew ever more rarely where every place is gone at once, since each time the whole cache expires', async (t) => {
    const { answer, untilPoll } = setUp(t);
    const begin = async () => {
      const afterMs = untilPoll();
      await answer(page('1'));
      untilPoll();
      await answer('gone');
      return afterMs;
    };
    await begin();
    assert.deepEqual(
      [await begin(), await begin(), await begin(), await begin(), await begin()],
      [250, 500, 1000, 2000, 2500],
    );
    untilPoll();
    for (const cursor of ['2', '3']) {
      await answer(page(cursor));
      untilPoll();
    }
    await answer('gone');
    assert.equal(untilPoll(), 250);
  });

  it('count as failed where even the end of the log is said to be gone', async (t) => {
    const { answer, untilPoll, told } = setUp(t);
    untilPoll();
    await answer('gone');
    assert.deepEqual(told, [`failed 1: ${URL} says 410 to a request without a cursor`]);
  });

  it('begin anew at another backend', async (t) => {
    const { polls, answer, untilPoll, applied, told } = setUp(t);
    untilPoll();
    await answer(page('1'));
    untilPoll();
    await answer(page('7'), 'https://two.example');
    assert.equal(applied.at(-1)?.isStart, true);
    assert.ok(told.includes('lost https://two.example'));
    untilPoll();
    assert.deepEqual([polls.at(-1)?.place?.url, polls.at(-1)?.place?.cursor], ['https://two.example', '7']);
  });

  it('pause for minutes where the backend has no log', async (t) => {
    const { answer, untilPoll, applied, told } = setUp(t);
    untilPoll();
    await answer('none');
    assert.deepEqual(applied, [{ kind: 'page', isStart: true, changes: [], isOff: true }]);
    assert.deepEqual(told, [`none ${URL}`]);
    assert.equal(untilPoll(), 225_000);
  });

  it('follow a reload: other lists begin anew, no source ends them, a new one begins', async (t) => {
    const { world, clock, polls, poller, answer, untilPoll } = setUp(t);
    untilPoll();
    await answer(page('1'));
    const { source } = world;
    world.source = { ...(source as PollSource), lists: ['manual', 'other'] };
    poller.reloaded();
    untilPoll();
    assert.equal(polls.at(-1)?.place, undefined);
    await answer(page('2'));
    world.source = undefined;
    poller.reloaded();
    clock.advance(60_000);
    await settled();
    assert.equal(world.applied.at(-1)?.isOff, true);
    assert.equal(clock.timers, 0);
    world.source = source;
    poller.reloaded();
    untilPoll();
    assert.equal(polls.at(-1)?.place, undefined);
  });

  it('go on from the place of a mirror that was loaded meanwhile', async (t) => {
    const { world, poller, polls, answer, untilPoll } = setUp(t);
    untilPoll();
    await answer(page('1'));
    untilPoll();
    poller.moveTo({ url: URL, cursor: '7' }, ['manual']);
    await answer(page('2', { changes: [change('ip:192.0.2.1')] }));
    assert.equal(world.applied.length, 1);
    untilPoll();
    assert.equal(polls.at(-1)?.place?.cursor, '7');
  });

  it('do not count if a reload came between', async (t) => {
    const { world, poller, polls, answer, untilPoll } = setUp(t);
    untilPoll();
    world.source = { ...(world.source as PollSource), lists: ['other'] };
    poller.reloaded();
    await answer(page('1', { changes: [change('ip:192.0.2.1')] }));
    assert.deepEqual(world.applied, []);
    untilPoll();
    assert.equal(polls.at(-1)?.place, undefined);
  });
});
