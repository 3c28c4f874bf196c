import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it, type TestContext } from 'node:test';
import { billFor, total, updatesBill, usdOf } from '../../../cli/cost/bill.ts';
import { checkpoints, loads, minutes, mirrors } from '../../../cli/cost/mirror.ts';
import { readPrices } from '../../../cli/cost/prices.ts';
import { changes, NO_WORK, polls, proof, usualPollMs } from '../../../cli/cost/updates.ts';
import { TRIAL } from '../../../updates/canary.ts';
import { describeNewer } from '../../support/scope.ts';
import type { Counted } from './counted-tables.ts';
import { UpdatesReplay } from './updates-replay.ts';

const PRICES = readPrices(undefined);
const GUIDE = readFileSync(new URL('../../../docs/guides/cost.md', import.meta.url), 'utf8');
const DAY_MS = 86_400_000;
const MONTH_MS = (365 * DAY_MS) / 12;

describe('what haverdict cost says of updates', () => {
  testOf(4, 2);

  it('is within 5 % of what the writer does with entries that come as from a feed, and of what agents get of them', async (t) => {
    const setup = { agents: 2, pollMs: 1000, writes: 8000 };
    const { replay } = await begun(t, setup.agents, setup.pollMs);
    await replay.passRenewals(1);
    const without = replay.take();
    await replay.pass(300); // what is written now comes after the canaries
    for (let seconds = 0; seconds < 20; seconds++) {
      replay.write(400);
      await replay.pass(1000);
    }
    await replay.passRenewals(1);
    // A record has about 2 KB, so that it is two or three units; keys cost more.
    assertClose(changes(setup), sum(replay.take(), times(without, -1)), ['calls', 'readUnits', 'egressBytes', 'usd']);
  });

  it('is what the guide says of 1, 4 and 100 agents', () => {
    const rows = [...GUIDE.matchAll(/^\| (\d+) \| (\d) s \|.*$/gm)];
    const expected = [1, 4, 100].map((agents) => {
      const setup = { agents, pollMs: usualPollMs(agents), writes: 50_000, entries: 50_000 };
      const bill = updatesBill(setup, true, 512, PRICES);
      const of = (name: RegExp) => total(bill.filter((item) => name.test(item.name)));
      const usd = [of(/polls/), of(/proof/), of(/changes/), of(/^Mirror/), total(bill)];
      return `| ${agents} | ${setup.pollMs / 1000} s | ${usd.map((part) => part.toFixed(2)).join(' | ')} |`;
    });
    assert.deepEqual(
      rows.map(([row]) => row),
      expected,
    );
  });

  it('is what the guide says of a large site, line by line, and at most $5 beside metrics, alarms and dashboard', () => {
    const size = { memoryMb: 512, durationMs: 10, logBytes: 600, egressBytes: 700 };
    const fixed = { writes: 50_000, metrics: 0, alarmMetrics: 0, dashboards: 0 };
    const setup = { agents: 4, pollMs: usualPollMs(4), writes: fixed.writes, entries: 1_000_000 };
    const bill = [...billFor({ calls: 0, keys: 0 }, size, fixed, PRICES), ...updatesBill(setup, true, 512, PRICES)];
    const lines = bill.filter(({ usd }) => usd > 0).map(({ name, usd }) => [name, usd.toFixed(2)]);
    const [table = ''] = /\| Line \|[^]*?\n\n/.exec(GUIDE) ?? [];
    const rows = [...table.matchAll(/^\| (.+?) \| .* \| (\d\.\d\d) \|$/gm)].map(([, name, usd]) => [name, usd]);
    assert.deepEqual(rows, [...lines, ['**In all**', total(bill).toFixed(2)]]);
    assert.ok(total(bill) <= 5, `${total(bill)}`);
  });

  it('proves only in trials where no agent polls, but the same for each agent', () => {
    const work = (agents: number) => proof({ agents, pollMs: 1000, writes: 0 });
    assert.ok(work(0).writeUnits < work(1).writeUnits / 15);
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

describeNewer('what haverdict cost says of a mirror', () => {
  it('is within 5 % of what the builder does in a day, and of what an agent loads', async (t) => {
    const setup = { agents: 1, pollMs: 5000, writes: 0, entries: 60_000 };
    const { replay } = await begun(t, setup.agents, setup.pollMs, setup.entries);
    await replay.pass(DAY_MS / 2);
    const half = replay.take();
    await replay.load();
    assertClose(times(loads(setup), 12 / 365), replay.take(), ['calls', 'readUnits', 'egressBytes', 'usd']);
    await replay.pass(DAY_MS / 2 + 300_000); // so that the scan of the next day is in it
    const day = sum(half, replay.take());
    const all = [polls, proof, minutes, checkpoints, mirrors].map((of): Counted => of(setup)).reduce(sum);
    assertClose(times(all, 12 / 365), day);
  });

  it('is within 5 % of what the builder does where no agent polls', async (t) => {
    const setup = { agents: 0, pollMs: 1000, writes: 0, entries: 40_000 };
    const { replay } = await begun(t, setup.agents, setup.pollMs, setup.entries);
    await replay.pass(DAY_MS + 300_000); // so that the scan of the next day is in it
    const all = [proof, minutes, checkpoints, mirrors].map((of): Counted => of(setup)).reduce(sum);
    assertClose(times(all, 12 / 365), replay.take(), ['calls', 'readUnits', 'writeUnits', 'usd']);
  });
});

function testOf(agents: number, renewals: number): void {
  it(`is within 5 % of what agents, function, writer and trial do: ${agents} of them`, async (t) => {
    const setup = { agents, pollMs: usualPollMs(agents), writes: 0 };
    const { replay, trial } = await begun(t, agents, setup.pollMs);
    const tookMs = await replay.passRenewals(renewals);
    const month = sum(times(replay.take(), MONTH_MS / tookMs), times(trial, MONTH_MS / TRIAL.everyMs));
    const minute = minutes({ ...setup, entries: 0 });
    assertClose(sum(sum(polls(setup), proof(setup)), minute), month);
  });
}

async function begun(t: TestContext, agents: number, pollMs: number, entries = 0) {
  const replay = new UpdatesReplay();
  t.after(() => replay.close());
  replay.seed(entries);
  await replay.begin();
  replay.take();
  await replay.tryCanaries();
  const trial = replay.take();
  replay.start(agents, pollMs);
  if (agents > 0) await replay.passRenewals(1);
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
  const [one, other] = [is, was].map((work) => ({
    ...work,
    usd: usdOf({ ...NO_WORK, ...work, functionMs: 0, logBytes: 0 }, 512, PRICES),
  }));
  const off = names.map(
    (name) => [name, Math.round(((one?.[name] ?? 0) / (other?.[name] ?? 0) - 1) * 1000) / 10] as const,
  );
  assert.ok(
    off.every(([, percent]) => Math.abs(percent) < 5),
    `off by ${off.join(' %, ')} %: ${JSON.stringify(is)} instead of ${JSON.stringify(was)}`,
  );
}
