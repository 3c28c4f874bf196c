import { Address } from '../../../agent/decision/address.ts';
import { VerdictCache } from '../../../agent/decision/cache.ts';
import { Engine } from '../../../agent/decision/engine.ts';
import { Loader } from '../../../agent/decision/loader.ts';
import { InvalidEntryLog } from '../../../blocklist/invalid-entry-log.ts';
import { check } from '../../../blocklist/service.ts';
import { parseAddress } from '../../../contract/address.ts';
import { HandClock } from '../../support/clock.ts';

export interface ReplayedRequest {
  readonly atMs: number;
  readonly address: string;
}

/** What the function and the table had to do. */
export interface Work {
  calls: number;
  keys: number;
}

export interface ReplaySettings {
  readonly allowTtl: number;
  readonly refreshSeconds: number;
  readonly lists: number;
  readonly batchMs: number;
}

/**
 * Sends the requests, in order, through the agent's own cache, loader and engine on a clock in hand, and its calls through
 * the function's own check. Counts what happens from `countFromMs` on.
 */
export async function replayThroughAgent(
  requests: readonly ReplayedRequest[],
  { allowTtl, refreshSeconds, lists, batchMs }: ReplaySettings,
  countFromMs = 0,
): Promise<Work> {
  const work: Work = { calls: 0, keys: 0 };
  const clock = new HandClock();
  const startMs = clock.nowMs();
  const names = Array.from({ length: lists }, (_, index) => `list-${index}`);
  const backend = {
    async check(subjects: readonly string[]) {
      const counts = clock.nowMs() - startMs >= countFromMs;
      const { verdicts, ttl } = await check(
        { subjects: [...subjects], lists: names },
        {
          store: { lookup: async () => ({ items: [], unread: [], throttles: 0 }) },
          log: () => {},
          measure: ({ keys }) => {
            if (!counts) return;
            work.calls++;
            work.keys += keys;
          },
          invalidEntryLog: new InvalidEntryLog(),
          clock: () => clock.epochMs(),
          ttlSeconds: 300,
        },
      );
      return { lookups: verdicts.map(() => ({ entry: null })), ttlSeconds: ttl };
    },
  };
  const cache = new VerdictCache(
    { maxEntries: 1_000_000, allowTtlSeconds: allowTtl, denyTtlSeconds: 300, policyTtlSeconds: 1 },
    { ifErrorSeconds: 600, revalidateSeconds: refreshSeconds },
    clock,
  );
  const limits = { maxConcurrent: 1000, maxCallsPerSecond: 1_000_000, deadlineMs: 40 };
  const loader = new Loader(backend, cache, clock, { ...limits, batch: { windowMs: batchMs, maxSubjects: 100 } });
  const engine = new Engine({ cache, loader, clock }, limits.deadlineMs);
  const address = new Address();
  /** Stops at each call on the way, so that its answer is cached at its time. */
  const advanceTo = async (atMs: number) => {
    for (let leftMs = startMs + atMs - clock.nowMs(); leftMs > 0; leftMs = startMs + atMs - clock.nowMs()) {
      clock.advance(Math.min(leftMs, clock.nextInMs));
      while (loader.state.inFlight > 0) await Promise.resolve();
    }
  };
  for (const { atMs, address: text } of requests) {
    await advanceTo(atMs);
    const bytes = parseAddress(text) ?? new Uint8Array();
    address.readBytes(bytes, 0, bytes.length);
    engine.decideAddress(address, engine.cached(address, clock.nowMs()), { default: 'open' }, clock.nowMs());
  }
  await advanceTo((requests.at(-1)?.atMs ?? 0) + 1000);
  return work;
}
