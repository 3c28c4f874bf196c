import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { HAPROXY_STREAMS } from '../../spop/ack-payload.ts';
import { longRuns } from '../support/scope.ts';
import { Conversation, NOTHING, settled } from '../support/spop/conversation.ts';
import { hello, notify } from '../support/spop/naive-codec.ts';

const DEADLINE_MS = 100;
/** How long it waits for a moment without an awaited answer. */
const AWAITING_MS = 1000;
/** HAProxy waits so much longer than the deadline. */
const MARGIN_MS = 20;
/** How long the connection waits for a question, before anything else. */
const FIRST_MS = 60;

interface Traffic {
  /** A question each so many milliseconds, while HAProxy may send one. */
  readonly everyMs: number;
  /** How long the function takes for the first, the second … and again; zero is at once. */
  readonly tookMs: readonly number[];
}

/** HAProxy, which goes on asking one agent that shuts down; what became of its questions. */
async function stopUnder({ everyMs, tookMs }: Traffic) {
  const sentAtMs = new Map<string, number>();
  const unanswered = new Set<string>();
  let longestMs = 0;
  const talk = new Conversation(
    (streamId) => {
      const ms = tookMs[Number(streamId / 2n) % tookMs.length] ?? 0;
      if (ms === 0) return NOTHING;
      return new Promise((resolve) => talk.clock.after(Math.min(ms, DEADLINE_MS), () => resolve(NOTHING)));
    },
    undefined,
    DEADLINE_MS,
  ).receive(hello());
  talk.said();
  const read = () => {
    for (const said of talk.said()) {
      const id = /^ack (\d+)/.exec(said)?.[1];
      if (id === undefined) continue;
      assert.ok(unanswered.delete(id), `${id} is answered once`);
      longestMs = Math.max(longestMs, talk.clock.nowMs() - (sentAtMs.get(id) ?? 0));
    }
  };
  let nextId = 1;
  let endedAtMs = 0;
  const drainAtMs = talk.clock.nowMs() + 2 * DEADLINE_MS;
  for (; talk.ended === 0; talk.clock.advance(1)) {
    const sinceMs = talk.clock.nowMs() - drainAtMs;
    assert.ok(sinceMs < 2 * AWAITING_MS, 'it ends');
    if (sinceMs === 0) talk.connection.drain();
    if (sinceMs % everyMs === 0 && unanswered.size < HAPROXY_STREAMS) {
      unanswered.add(`${nextId}`);
      sentAtMs.set(`${nextId}`, talk.clock.nowMs());
      talk.receive(notify(nextId, 1));
      nextId += 2;
    }
    await settled();
    read();
    endedAtMs = sinceMs;
  }
  await settled();
  read();
  assert.equal(talk.clock.timers - unanswered.size <= 0, true, 'nothing of the connection is left');
  return { endedAfterMs: endedAtMs, longestMs, lost: unanswered.size };
}

describe('a shutdown under traffic that does not stop', () => {
  const traffic = fc.record({
    everyMs: fc.integer({ min: 1, max: 40 }),
    tookMs: fc.array(fc.constantFrom(0, 1, 3, 10, 30, 60, 99, 100, 1000), { minLength: 1, maxLength: 5 }),
  });

  it('is over a second and the deadline later, and answers nothing later than HAProxy waits', async () => {
    await fc.assert(
      fc.asyncProperty(traffic, async (given) => {
        const { endedAfterMs, longestMs, lost } = await stopUnder(given);
        assert.ok(endedAfterMs <= FIRST_MS + AWAITING_MS + DEADLINE_MS + 2, `over after ${endedAfterMs} ms`);
        assert.ok(longestMs <= DEADLINE_MS + MARGIN_MS, `answered after ${longestMs} ms`);
        assert.ok(lost <= HAPROXY_STREAMS);
      }),
      { numRuns: longRuns(300, 12) },
    );
  });

  for (const [what, given] of Object.entries<Traffic>({
    'answers at once': { everyMs: 1, tookMs: [0] },
    'answers quickly, and is asked as much as can be': { everyMs: 1, tookMs: [5] },
    'answers quickly, and is asked now and then': { everyMs: 15, tookMs: [5] },
    'answers at once, or else after a lookup': { everyMs: 2, tookMs: [0, 0, 20] },
  }))
    it(`loses no question where a function ${what}, and takes less than the deadline`, async () => {
      const { endedAfterMs, lost } = await stopUnder(given);
      assert.deepEqual([lost, endedAfterMs < DEADLINE_MS], [0, true], `${endedAfterMs} ms`);
    });

  it('gives up what comes in the end where functions are as slow as they may be', async () => {
    const { endedAfterMs, lost } = await stopUnder({ everyMs: 20, tookMs: [99] });
    assert.ok(
      endedAfterMs > AWAITING_MS && endedAfterMs <= FIRST_MS + AWAITING_MS + DEADLINE_MS + 2,
      `${endedAfterMs}`,
    );
    assert.ok(lost > 0 && lost < HAPROXY_STREAMS, `${lost}`);
  });
});
