import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it, type TestContext } from 'node:test';
import { updatesBill, usdOf } from '../../../cli/cost/bill.ts';
import { readPrices } from '../../../cli/cost/prices.ts';
import { changes, polls, proof, usualPollMs } from '../../../cli/cost/updates.ts';
import { TRIAL } from '../../../updates/canary.ts';
import { describeNewer } from '../../support/scope.ts';
import { type Counted, UpdatesReplay } from './updates-replay.ts';

const PRICES = readPrices(undefined);
const MONTH_MS = (365 * 86_400_000) / 12;

describe('what haverdict cost says of updates', () => {
  testOf(4, 2);

  it('is within 5 % of what the writer does with entries that come as from a feed, and of what agents get of them', async (t) => {
    const setup = { agents: 2, pollMs: 1000, writes: 8000 };
    const { replay } = await begun(t, setup.agents, setup.pollMs);
    await replay.passRenewals(1);
    const without = replay.take();
    for (let seconds = 0; seconds < 20; seconds++) {
      replay.write(400);
      await replay.pass(1000);
    }
    await replay.passRenewals(1);
    // A record has about 2 KB, so that it is two or three units; keys cost more.
    assertClose(changes(setup), sum(replay.take(), times(without, -1)), ['calls', 'readUnits', 'egressBytes', 'usd']);
  });

  it('is what the guide says of 1, 4 and 100 agents', () => {
    const guide = readFileSync(new URL('../../../docs/guides/cost.md', import.meta.url), 'utf8');
    const rows = [...guide.matchAll(/^\| (\d+) \| (\d) s \|.*$/gm)];
    const expected = [1, 4, 100].map((agents) => {
      const setup = { agents, pollMs: usualPollMs(agents), writes: 50_000 };
      const usd = updatesBill(setup, 512, PRICES).map((item) => item.usd);
      const all = usd.reduce((total, part) => total + part, 0);
      return `| ${agents} | ${setup.pollMs / 1000} s | ${[...usd, all].map((part) => part.toFixed(2)).join(' | ')} |`;
    });
    assert.deepEqual(
      rows.map(([row]) => row),
      expected,
    );
  });

  it('is only the trial where no agent polls, but the same for each agent', () => {
    const work = (agents: number) => proof({ agents, pollMs: 1000, writes: 0 });
    assert.ok(work(0).writeUnits < work(1).writeUnits / 20);
    assert.equal(polls({ agents: 0, pollMs: 1000, writes: 0 }).calls, 0);
    assert.equal(
      polls({ agents: 7, pollMs: 1000, writes: 0 }).calls,
      7 * polls({ agents: 1, pollMs: 1000, writes: 0 }).calls,
    );
  });
});

describeNewer('what haverdict cost says of updates of other fleets', () => {
  testOf(1, 12);
  testOf(100, 4);
});

function testOf(agents: number, renewals: number): void {
  it(`is within 5 % of what agents, function, writer and trial do: ${agents} of them`, async (t) => {
    const setup = { agents, pollMs: usualPollMs(agents), writes: 0 };
    const { replay, trial } = await begun(t, agents, setup.pollMs);
    const tookMs = await replay.passRenewals(renewals);
    const month = sum(times(replay.take(), MONTH_MS / tookMs), times(trial, MONTH_MS / TRIAL.everyMs));
    assertClose(sum(polls(setup), proof(setup)), month);
  });
}

async function begun(t: TestContext, agents: number, pollMs: number) {
  const replay = new UpdatesReplay();
  t.after(() => replay.close());
  await replay.begin();
  const trial = replay.take();
  replay.start(agents, pollMs);
  await replay.passRenewals(1);
  replay.take();
  return { replay, trial };
}

function sum(one: Counted, other: Counted): Counted {
  return each((name) => one[name] + other[name]);
}

function times(one: Counted, factor: number): Counted {
  return each((name) => one[name] * factor);
}

function each(of: (name: keyof Counted) => number): Counted {
  return {
    ...{ calls: of('calls'), readUnits: of('readUnits'), writeUnits: of('writeUnits'), egressBytes: of('egressBytes') },
  };
}

const ALL = ['calls', 'readUnits', 'writeUnits', 'egressBytes', 'usd'] as const;

function assertClose(is: Counted, was: Counted, names: readonly (typeof ALL)[number][] = ALL): void {
  const [one, other] = [is, was].map((work) => ({ ...work, usd: usdOf({ ...work, functionMs: 0 }, 512, PRICES) }));
  const off = names.map(
    (name) => [name, Math.round(((one?.[name] ?? 0) / (other?.[name] ?? 0) - 1) * 1000) / 10] as const,
  );
  assert.ok(
    off.every(([, percent]) => Math.abs(percent) < 5),
    `off by ${off.join(' %, ')} %: ${JSON.stringify(is)} instead of ${JSON.stringify(was)}`,
  );
}
