import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { DeleteItemCommand, DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { type Site, startSite } from '../../dev/guarded-site.ts';
import { deployStack, type LocalStack } from '../../dev/stack/local-stack.ts';
import { until } from '../support/until.ts';
import { untilMirrorBuilt } from '../support/until-built.ts';

const RUN_MS = 600_000;
/** What the cache would keep, and so what a mirror may be behind while it says that it is live; proofs come each 35 s. */
const TTL_MS = 45_000;
/** From a decision to the time that the test notes, on a busy machine; and the other way round. */
const SLACK_MS = 2000;
const CLIENTS = 40;

/** Since when a client is listed or not, as the table has acknowledged it. */
interface Fact {
  readonly isListed: boolean;
  readonly sinceMs: number;
}

/** Processes of functions, writer and builder: children of this one. */
function functionProcesses(): number[] {
  return readdirSync('/proc').flatMap((name) => {
    try {
      const parent = Number(readFileSync(`/proc/${name}/stat`, 'utf8').split(') ')[1]?.split(' ')[1]);
      const isFunction = readFileSync(`/proc/${name}/cmdline`, 'utf8').includes('bootstrap.mjs');
      return parent === process.pid && isFunction ? [Number(name)] : [];
    } catch {
      return []; // no process, or none any more
    }
  });
}

describe('a site with a mirror in which everything is killed at random', () => {
  const folder = mkdtempSync(join(tmpdir(), 'haverdict-chaos-'));
  let cloud: LocalStack;
  let site: Site;
  let client: DynamoDBClient;
  before(async () => {
    cloud = await deployStack({});
    await cloud.pool.prepare(1);
    const { dynamodbEndpoint: endpoint, region } = cloud;
    client = new DynamoDBClient({ endpoint, region, credentials: cloud.issue(cloud.outputs.OperatorPolicyArn ?? '') });
    await untilMirrorBuilt(cloud);
    site = await startSite({
      backendUrl: cloud.outputs.FunctionUrl ?? '',
      config: {
        ...{ deadlineMs: 200, policy: 'open' },
        cache: { allowTtlSeconds: TTL_MS / 1000, denyTtlSeconds: TTL_MS / 1000 },
        updates: { mode: 'mirror', pollMs: 200, file: join(folder, 'mirror') },
        backend: { auth: 'iam', region: cloud.outputs.Region, timeoutMs: 2000 },
        messages: { 'check-request': { subjects: { ip: 'req.hdr_ip(x-client)' } } },
      },
      env: cloud.environmentOf('agent'),
    });
  });
  after(async () => {
    client?.destroy();
    await site?.stop();
    await cloud?.close();
    rmSync(folder, { recursive: true });
  });

  it('lets no listed client in, and denies no other, while the mirror is live', {
    timeout: RUN_MS + 120_000,
  }, async (t) => {
    const facts = new Map<string, Fact>();
    const sources: Record<string, number> = {};
    let compared = 0;
    const troubles: Record<string, number> = {};
    const untilMs = performance.now() + RUN_MS;
    const isOver = () => performance.now() >= untilMs;
    const pick = <Item>(items: readonly Item[]) => items[Math.floor(Math.random() * items.length)] as Item;
    const addressOf = (n: number) => `10.9.0.${n}`;

    const change = async () => {
      while (!isOver()) {
        const ip = addressOf(Math.floor(Math.random() * CLIENTS));
        const isListed = !(facts.get(ip)?.isListed ?? false);
        facts.delete(ip); // neither holds meanwhile
        const Key = { subject: { S: `ip:${ip}` }, list: { S: 'manual' } };
        const TableName = cloud.outputs.TableName;
        await (isListed
          ? client.send(new PutItemCommand({ TableName, Item: { ...Key, action: { S: 'deny' } } }))
          : client.send(new DeleteItemCommand({ TableName, Key })));
        facts.set(ip, { isListed, sinceMs: performance.now() });
        await pause(3000);
      }
    };
    const visit = async () => {
      while (!isOver()) {
        const ip = addressOf(Math.floor(Math.random() * CLIENTS));
        const fact = facts.get(ip);
        const askedMs = performance.now();
        const answer = await site.visit('127.0.0.1', { headers: { 'x-client': ip } }).catch(() => undefined);
        if (answer === undefined) continue;
        await pause(5);
        const source = answer.headers['x-haverdict-source'] ?? 'none';
        sources[source] = (sources[source] ?? 0) + 1;
        const isSettled = fact !== undefined && fact === facts.get(ip) && askedMs - fact.sinceMs > TTL_MS + SLACK_MS;
        if (source !== 'mirror' || !isSettled) continue;
        compared++;
        assert.equal(answer.status, fact.isListed ? 403 : 200, `${ip} after ${Math.round(askedMs - fact.sinceMs)} ms`);
      }
    };
    const kills: Readonly<Record<string, () => Promise<void>>> = {
      async agent() {
        await site.agent.kill('SIGKILL');
        await site.startAgent();
      },
      async functions() {
        const running = functionProcesses();
        if (running.length > 0) process.kill(pick(running), 'SIGKILL');
      },
      async url() {
        await cloud.functionUrl.close();
        await pause(2000);
        await cloud.functionUrl.open();
      },
      async builder() {
        for (const rule of cloud.schedules.values()) await rule.fire().catch(() => {});
      },
    };
    const kill = async () => {
      while (!isOver()) {
        const what = pick(Object.keys(kills));
        troubles[what] = (troubles[what] ?? 0) + 1;
        await kills[what]?.();
        await pause(Math.random() * 8000);
      }
    };
    await Promise.all([change(), kill(), visit(), visit(), visit()]);
    t.diagnostic(`${compared} compared, sources ${JSON.stringify(sources)}, killed ${JSON.stringify(troubles)}`);
    assert.ok(compared > 0, 'the mirror was never live for long enough');
    const settles = async () => {
      for (const [ip, { isListed }] of facts) {
        const { status } = await site.visit('127.0.0.1', { headers: { 'x-client': ip } });
        if (status !== (isListed ? 403 : 200)) return false;
      }
      return true;
    };
    await until(settles, () => 'it does not settle', 30_000);
    const mismatches = site.agent.lines.filter((line) => line.includes('differs from the lists'));
    assert.deepEqual(mismatches, []);
  });
});
