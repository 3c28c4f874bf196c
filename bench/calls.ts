// Counts the calls to the backend for a million requests, in simulated time: visitors follow Zipf's law, as on most sites,
// and the backend answers after `ANSWER_MS`.

import { Address } from '../agent/decision/address.ts';
import type { Clock } from '../agent/decision/clock.ts';
import { composeEngine } from './engine.ts';
import { addressOf, isListed, randomFrom, zipfDraw } from './notify-pool.ts';

const REQUESTS = 1_000_000;
const VISITORS = 1_000_000;
const ANSWER_MS = 8;

/** The calls and lookups of one million requests at this rate, with the agent's default settings. */
export async function measureCalls(
  requestsPerSecond: number,
  zipf: number,
): Promise<{ calls: number; lookups: number }> {
  const clock = new SimulatedClock();
  let calls = 0;
  let lookups = 0;
  const backend = {
    check(subjects: readonly string[]) {
      calls++;
      lookups += subjects.length;
      const answer = { lookups: subjects.map((subject) => ({ entry: entryOf(subject) })), ttlSeconds: 300 };
      return new Promise<typeof answer>((resolve) => clock.after(ANSWER_MS, () => resolve(answer)));
    },
  };
  const { engine } = composeEngine({
    clock,
    backend,
    allowTtlSeconds: 60,
    denyTtlSeconds: 300,
    maxCallsPerSecond: 500,
  });
  const address = new Address();
  const question = {
    policy: { default: 'open' },
    address,
    texts: [],
    addressAt: 0,
    oddAt: -1,
    problem: undefined,
  } as const;
  const draw = zipfDraw(VISITORS, zipf, randomFrom(1));
  for (let sent = 0; sent < REQUESTS; sent++) {
    if (clock.advanceTo((sent / requestsPerSecond) * 1000)) await new Promise(setImmediate);
    address.readBytes(addressOf(draw(), 'ipv4'), 0, 4);
    engine.decide(question, clock.nowMs());
  }
  return { calls, lookups };
}

function entryOf(subject: string) {
  return isListed(subject.length) ? ({ subject, list: 'manual', action: 'deny' } as const) : null;
}

/** A clock whose time is advanced explicitly. */
class SimulatedClock implements Clock {
  #nowMs = 0;
  /** Timers with their due times; few enough for a linear search. */
  readonly #timers = new Set<{ readonly atMs: number; readonly task: () => void }>();

  nowMs(): number {
    return this.#nowMs;
  }

  epochMs(): number {
    return this.#nowMs;
  }

  after(delayMs: number, task: () => void): () => void {
    const timer = { atMs: this.#nowMs + delayMs, task };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  /** Runs the timers that are due by then; returns whether there were any. */
  advanceTo(ms: number): boolean {
    this.#nowMs = ms;
    const due = [...this.#timers].filter(({ atMs }) => atMs <= ms).sort((a, b) => a.atMs - b.atMs);
    for (const timer of due) {
      this.#timers.delete(timer);
      timer.task();
    }
    return due.length > 0;
  }
}
