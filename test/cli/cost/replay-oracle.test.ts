import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import type { Estimate } from '../../../cli/cost/estimate.ts';
import { estimateFromAssumptions, estimateFromLogs } from '../../../cli/cost/estimate.ts';
import { readPrices } from '../../../cli/cost/prices.ts';
import { replayLog } from '../../../cli/cost/replay.ts';
import { formatAddress } from '../../../contract/address.ts';
import { temporaryFolder } from '../../support/config-file.ts';
import { type ReplayedRequest, replayThroughAgent, type Work } from './agent-replay.ts';

const MONTH_SECONDS = (365 * 86_400) / 12;
const SETUP = { allowTtl: 60, denyTtl: 300, functionTtl: 300, refreshSeconds: 5, deniedShare: 0, lists: 1, batchMs: 1 };
const SIZE = { memoryMb: 512, durationMs: 10, logBytes: 600, egressBytes: 700 };
const NOTHING_FIXED = { writes: 0, metrics: 0, alarmMetrics: 0, dashboards: 0 };
const BASIS = { setup: SETUP, size: SIZE, fixed: NOTHING_FIXED, prices: readPrices(undefined), updates: undefined };
const DEFAULTS = { requests: 3_000_000, clients: 1000, visits: 5, visitSeconds: 60, hosts: 2 };

/** The costs of `haverdict cost` beside those of the agent's own cache under traffic of that kind. */
const SCENARIOS = [
  { name: 'a small site', traffic: DEFAULTS, setup: SETUP, seconds: 86_400 / 4 },
  {
    name: 'a shop with two lists',
    traffic: { ...DEFAULTS, requests: 300_000_000, clients: 100_000 },
    setup: { ...SETUP, lists: 2 },
    seconds: 240,
  },
  {
    name: 'a busy host: long visits, and calls that several lookups share',
    traffic: { requests: 6_000_000_000, clients: 3_000_000, visits: 5, visitSeconds: 15, hosts: 1 },
    setup: { ...SETUP, allowTtl: 4, refreshSeconds: 1 },
    seconds: 5,
  },
] as const;

describe('haverdict cost', () => {
  for (const { name, traffic, setup, seconds } of SCENARIOS)
    it(`is within 5 % of what the agent does: ${name}`, async () => {
      const random = randomFrom(name.length);
      const byHost = requestsOf({ ...traffic, seconds }, () => anyAddress(random), random);
      const works = await Promise.all(
        byHost.map((requests) => replayThroughAgent(requests, setup, traffic.visitSeconds * 1000)),
      );
      const work = aMonthOf(works, seconds);
      assertClose(estimateFromAssumptions(traffic, 0.4, { ...BASIS, setup }), work);
    });

  it('is within 5 % of what the agent does with the requests of a log, whose clients are neighbours', async (t) => {
    const random = randomFrom(7);
    const traffic = { requests: 6_000_000_000, clients: 3_000_000, visits: 5, visitSeconds: 4, hosts: 2, seconds: 9 };
    const setup = { ...SETUP, allowTtl: 2, refreshSeconds: 1 };
    const byHost = requestsOf(traffic, () => neighbour(random), random);
    const logs = [];
    const works = [];
    let seconds = 0;
    for (const requests of byHost) {
      seconds = Math.max(seconds, ((requests.at(-1)?.atMs ?? 0) - (requests[0]?.atMs ?? 0)) / 1000);
      works.push(await replayThroughAgent(requests, setup));
      logs.push(await replayLog(logOf(t, requests), setup, 1_000_000));
    }
    assertClose(estimateFromLogs(logs, { ...BASIS, setup }), aMonthOf(works, seconds));
  });
});

function assertClose({ usage, totalUsd }: Estimate, { calls, keys }: Work): void {
  const usd =
    (calls / 1e6) * 0.2 +
    calls * 0.01 * 0.5 * 0.0000133334 +
    ((keys * 0.5) / 1e6) * 0.125 +
    ((calls * 600) / 1e9) * 0.5 +
    ((calls * 700) / 1e9) * 0.09;
  const off = (is: number, was: number) => Math.round((is / was - 1) * 1000) / 10;
  const found = `calls ${off(usage.calls, calls)} %, keys ${off(usage.keys, keys)} %, USD ${off(totalUsd, usd)} %`;
  assert.ok(
    [usage.calls / calls, usage.keys / keys, totalUsd / usd].every((ratio) => Math.abs(ratio - 1) < 0.05),
    found,
  );
}

function aMonthOf(works: readonly Work[], seconds: number): Work {
  const month = (of: (work: Work) => number) =>
    (works.reduce((sum, work) => sum + of(work), 0) * MONTH_SECONDS) / seconds;
  return { calls: month(({ calls }) => calls), keys: month(({ keys }) => keys) };
}

interface ReplayedTraffic {
  readonly requests: number;
  readonly clients: number;
  readonly visits: number;
  readonly visitSeconds: number;
  readonly hosts: number;
  readonly seconds: number;
}

/**
 * The requests of each host: visits begin at any time of the period and one visit before it, a visit makes its requests at
 * any time, and each goes to any host.
 */
function requestsOf(traffic: ReplayedTraffic, addressOf: () => string, random: () => number): ReplayedRequest[][] {
  const { requests, clients, visits, visitSeconds, hosts, seconds } = traffic;
  const visitsASecond = (clients * visits) / 86_400;
  const requestsAVisit = requests / (visitsASecond * MONTH_SECONDS);
  const byHost: ReplayedRequest[][] = Array.from({ length: hosts }, () => []);
  const endMs = (visitSeconds + seconds) * 1000;
  for (let visit = Math.round(visitsASecond * (visitSeconds + seconds)); visit > 0; visit--) {
    const address = addressOf();
    const beginsAtMs = random() * endMs;
    for (let left = requestsAVisit; random() < left; left--) {
      const atMs = beginsAtMs + random() * visitSeconds * 1000;
      if (atMs < endMs) byHost[Math.floor(random() * hosts)]?.push({ atMs, address });
    }
  }
  for (const all of byHost) all.sort((a, b) => a.atMs - b.atMs);
  return byHost;
}

function logOf(t: TestContext, requests: readonly ReplayedRequest[]): string {
  const file = join(temporaryFolder(t), 'haproxy.log');
  const lines = requests.map(({ atMs, address }) => `${address} ${new Date(1.79e12 + atMs).toISOString()}`);
  writeFileSync(file, lines.join('\n'));
  return file;
}

function anyAddress(random: () => number): string {
  const bytes = Uint8Array.from({ length: random() < 0.4 ? 16 : 4 }, () => random() * 256);
  return formatAddress(bytes);
}

/** Half of the clients have one of a few providers. */
function neighbour(random: () => number): string {
  const provider = Math.floor(random() * 6);
  const rest = () => random() * 256;
  if (random() < 0.4)
    return formatAddress(Uint8Array.from([0x2a, provider, 0x4c, ...Array.from({ length: 13 }, rest)]));
  return formatAddress(Uint8Array.from([80 + provider, provider, rest(), rest()]));
}

/** Numbers from 0 to 1, the same in every run. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return ((state >>> 8) ^ ((state << 4) & 0xffffff)) / 0x1000000;
  };
}
