import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import type { AgentState } from '../../agent/state/state.ts';
import type { DynamoOptions } from '../../blocklist/dynamodb/connection.ts';
import { type Site, startSite, warmUp } from '../../dev/guarded-site.ts';
import { deployStack } from '../../dev/stack/local-stack.ts';
import type { Visit } from '../../dev/visit.ts';
import { logOfTable } from '../../updates/dynamodb/log-of-table.ts';
import { unpack } from '../../updates/record.ts';
import { adminUrl } from '../support/agent-before.ts';
import { temporaryFolder } from '../support/config-file.ts';
import { runAround } from '../support/haverdict-on-table.ts';
import { until } from '../support/until.ts';

const ENTRIES = Number(process.env.IMPORT_ENTRIES ?? 100_000);
/** A quarter of the default `maxReadUnits`, and what is in hand when it begins: a batch for each of four shards. */
const WRITER_ITEMS_A_SECOND = 500;
const IN_HAND = 4 * 500;
const DEADLINE_MS = 500;
const KNOWN = 20;
const QUIET_MS = 15_000;
const LIMIT_MS = 3_600_000;

it(`an import of ${ENTRIES} entries while traffic flows`, { timeout: LIMIT_MS }, async (t) => {
  const cloud = await deployStack();
  t.after(() => cloud.close());
  const site = await startSite({
    backendUrl: cloud.outputs.FunctionUrl ?? '',
    config: {
      ...{ deadlineMs: DEADLINE_MS, policy: 'open', lists: ['manual', 'feed'], admin: { listen: 'tcp://127.0.0.1:0' } },
      ...{ updates: { mode: 'invalidate' }, backend: { auth: 'iam', region: cloud.region, timeoutMs: 5000 } },
    },
    env: cloud.environmentOf('agent'),
  });
  t.after(() => site.stop());
  for (const rule of cloud.schedules.values()) await rule.fire();
  await warmUp(site);
  const admin = await adminUrl(site.agent);
  const state = async () => (await (await fetch(`${admin}/state.json`)).json()) as AgentState;
  const isLive = async () => (await state()).updates.state === 'live';
  const traffic = new Traffic(site, state);
  await until(isLive, () => 'not live', 300_000);

  const before = await traffic.during(() => pause(QUIET_MS));
  const file = join(temporaryFolder(t), 'feed.txt');
  const address = (n: number) => `127.${100 + (n >> 16)}.${(n >> 8) & 255}.${n & 255}`;
  writeFileSync(file, Array.from({ length: ENTRIES }, (_, n) => address(n)).join('\n'));
  const importing = () =>
    runAround(
      { env: cloud.environmentOf('operator') },
      cloud.dynamodbEndpoint,
      ...['import', file, '--list', 'feed', '--force', '--yes', '--wait-limit', '3600s'],
    );
  let said = '';
  const meanwhile = await traffic.during(async () => {
    const { status, stdout, stderr } = await importing();
    assert.equal(status, 0, stderr);
    said = stdout.trim().replaceAll('\n', '; ');
  });
  const endedMs = performance.now();
  await until(isLive, () => 'not live again', 120_000);
  const liveAfterMs = performance.now() - endedMs;

  const credentials = cloud.issue(cloud.outputs.OperatorPolicyArn ?? '');
  const { changes, seconds } = await appended({
    ...{ table: cloud.outputs.TableName ?? '', connectTimeoutMs: 1000, requestTimeoutMs: 5000 },
    client: { endpoint: cloud.dynamodbEndpoint, region: cloud.region, credentials },
  });
  t.diagnostic(JSON.stringify({ before, meanwhile, said, liveAfterMs: Math.round(liveAfterMs), changes, seconds }));
  assert.ok(changes >= ENTRIES);
  assert.ok(changes - IN_HAND <= WRITER_ITEMS_A_SECOND * (seconds + 1), `${changes} changes in ${seconds} s`);
  assert.deepEqual([meanwhile.wrong, meanwhile.known.late, meanwhile.throttledCalls], [0, 0, 0]);
  for (const n of [0, ENTRIES >> 1, ENTRIES - 1])
    await until(
      async () => (await site.visit(address(n))).status === 403,
      () => `${address(n)} is let in`,
    );
});

/** Known clients, who are answered from the cache, and ever new ones, who are asked about. */
class Traffic {
  readonly #site: Site;
  readonly #state: () => Promise<AgentState>;
  #strangers = 0;

  constructor(site: Site, state: () => Promise<AgentState>) {
    this.#site = site;
    this.#state = state;
  }

  /** What the clients and the agent saw while this was done. */
  async during(work: () => Promise<unknown>) {
    const before = await this.#state();
    const [known, asked]: [Visit[], Visit[]] = [[], []];
    const lags: number[] = [];
    let behindSeconds = 0;
    let isOver = false;
    const clients = [
      this.#every(
        20,
        () => isOver,
        async (turn) => {
          const visit = await this.#site.visit(`127.20.0.${1 + (turn % KNOWN)}`);
          if (turn >= KNOWN) known.push(visit);
        },
      ),
      this.#every(
        100,
        () => isOver,
        async () => {
          const n = this.#strangers++;
          asked.push(await this.#site.visit(`127.21.${n >> 8}.${n & 255}`));
        },
      ),
      this.#every(
        1000,
        () => isOver,
        async () => {
          const { updates, eventLoopLag } = await this.#state();
          lags.push(eventLoopLag.max * 1000);
          if (updates.state === 'behind') behindSeconds++;
        },
      ),
    ];
    const fromMs = performance.now();
    await work();
    const seconds = Math.round((performance.now() - fromMs) / 1000);
    isOver = true;
    await Promise.all(clients);
    const after = await this.#state();
    const late = ({ headers }: Visit) => headers['x-haverdict-source'] === 'policy';
    return {
      ...{ seconds, behindSeconds, wrong: [...known, ...asked].filter(({ status }) => status !== 200).length },
      known: { ...timesOf(known), late: known.filter(late).length },
      asked: { ...timesOf(asked), late: asked.filter(late).length },
      lagMs: quantiles(lags),
      failedCalls: failuresOf(after) - failuresOf(before),
      throttledCalls: after.backend.throttled - before.backend.throttled,
    };
  }

  async #every(ms: number, isOver: () => boolean, visit: (turn: number) => Promise<void>): Promise<void> {
    for (let turn = 0; !isOver(); turn++) {
      await visit(turn);
      await pause(ms);
    }
  }
}

function timesOf(visits: readonly Visit[]) {
  return { visits: visits.length, ms: quantiles(visits.map(({ tookMs }) => tookMs)) };
}

function quantiles(values: readonly number[]) {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number) =>
    Number((sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0).toFixed(1));
  return { p50: at(0.5), p99: at(0.99), most: at(1) };
}

function failuresOf({ backend }: AgentState): number {
  return Object.values(backend.failures).reduce((sum, count) => sum + count, 0);
}

/** How many changes the log got, and in how many seconds. */
async function appended(place: DynamoOptions) {
  const log = (await logOfTable(place)) ?? assert.fail('no log');
  let changes = 0;
  const seconds: number[] = [];
  for (let number = 1; ; ) {
    const { records, isAll } = await log.from(number, { isConsistent: true });
    for (const record of records) {
      const own = unpack(record) ?? [];
      changes += own.length;
      if (own.length > 0) seconds.push(record.expiresAt);
      number = record.number + 1;
    }
    if (isAll) return { changes, seconds: Math.max(...seconds) - Math.min(...seconds) };
  }
}
