import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { BatchWriteItemCommand, DeleteItemCommand, DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { chunksOf } from '../../blocklist/dynamodb/connection.ts';
import { MAX_REASON } from '../../contract/check.ts';
import { MAX_VARS_BYTES } from '../../contract/entry-vars.ts';
import { UpdatesPage } from '../../contract/updates.ts';
import { type Site, startSite, warmUp } from '../../dev/guarded-site.ts';
import { deployStack, type LocalStack } from '../../dev/stack/local-stack.ts';
import { signedFetch } from '../dev/local-cloud/signed-fetch.ts';
import { temporaryFolder } from '../support/config-file.ts';
import { runAround } from '../support/haverdict-on-table.ts';
import { hasNewer, longRuns } from '../support/scope.ts';
import { until } from '../support/until.ts';

const DEADLINE_MS = 5000;
/** Nothing that a cached verdict would do by itself. */
const TTL_SECONDS = 3600;

describe('a site whose agent follows the updates of its backend', () => {
  let cloud: LocalStack;
  let site: Site;
  let client: DynamoDBClient;
  before(async () => {
    cloud = await deployStack({});
    await cloud.pool.prepare(1);
    const cache = { allowTtlSeconds: TTL_SECONDS, denyTtlSeconds: TTL_SECONDS };
    site = await startSite({
      backendUrl: cloud.outputs.FunctionUrl ?? '',
      config: {
        ...{ deadlineMs: DEADLINE_MS, policy: 'open', cache, workers: 2, updates: { mode: 'invalidate', pollMs: 200 } },
        backend: { auth: 'iam', region: cloud.outputs.Region, timeoutMs: DEADLINE_MS },
      },
      env: cloud.environmentOf('agent'),
    });
    const { dynamodbEndpoint: endpoint, region } = cloud;
    client = new DynamoDBClient({ endpoint, region, credentials: cloud.issue(cloud.outputs.OperatorPolicyArn ?? '') });
    for (const rule of cloud.schedules.values()) await rule.fire(); // the canaries name the log
    await warmUp(site);
    await until(
      () => site.agent.lines.some((line) => line.includes('updates are followed')),
      () => site.agent.lines.join('\n'),
    );
  });
  after(async () => {
    client?.destroy();
    await site?.stop();
    await cloud?.close();
  });

  /** Both workers have a verdict of their own: HAProxy's connections go to one after the other. */
  const visits = async (from: string) => {
    const all = await Promise.all(Array.from({ length: 6 }, () => site.visit(from)));
    return all.map(({ status }) => status);
  };
  const put = (subject: string, expiresAt?: number) => {
    const expiry = expiresAt === undefined ? {} : { expiresAt: { N: String(expiresAt) } };
    const Item = { subject: { S: subject }, list: { S: 'manual' }, action: { S: 'deny' }, ...expiry };
    return client.send(new PutItemCommand({ TableName: cloud.outputs.TableName, Item }));
  };
  const remove = (subject: string) =>
    client.send(
      new DeleteItemCommand({
        TableName: cloud.outputs.TableName,
        Key: { subject: { S: subject }, list: { S: 'manual' } },
      }),
    );
  /** How long from the write's answer until every visit has this status. */
  const untilAll = async (from: string, status: number) => {
    const fromMs = performance.now();
    await until(
      async () => (await visits(from)).every((each) => each === status),
      () => `${from} is not answered ${status}: ${site.agent.lines.slice(-5).join('\n')}`,
    );
    return performance.now() - fromMs;
  };

  const run = (...args: string[]) =>
    runAround({ env: { ...cloud.environmentOf('operator') } }, cloud.dynamodbEndpoint, ...args);

  it('is waited for by the command line until the log has the change', async () => {
    const logged = /^in the log of changes after \d+\.\d\d s: agents that follow it have it with their next poll$/m;
    const blocked = await run('block', '127.9.2.1', '--force', '--wait');
    assert.match(blocked.stdout, logged, blocked.stderr);
    await untilAll('127.9.2.1', 403);
    const removed = await run('remove', '127.9.2.1', '127.9.2.2', '--wait-limit', '30s');
    assert.match(removed.stdout, logged, removed.stderr);
    assert.deepEqual([blocked.status, removed.status], [0, 0]);
  });

  it('is told of what DynamoDB deletes by itself once it has expired', async () => {
    const credentials = cloud.issue(cloud.outputs.AgentPolicyArn ?? '');
    const ask = async (after: string) => {
      const url = `${cloud.outputs.FunctionUrl}v1/updates?lists=manual${after}`;
      const answer = await signedFetch({ method: 'GET', url, region: cloud.region, credentials });
      return UpdatesPage.parse(await answer.json());
    };
    const begin = await ask('');
    await put('ip:127.9.5.1', Math.floor(Date.now() / 1000) - 5);
    assert.equal(await cloud.deleteExpired(), 1);
    const entryOf = async () => {
      const { changes } = await ask(`&after=${begin.cursor}`);
      return changes.findLast(({ key }) => key.subject === 'ip:127.9.5.1')?.entry;
    };
    await until(
      async () => (await entryOf()) === null,
      () => 'the deletion is not in the log',
    );
  });

  if (hasNewer)
    it('learns of 500 of the largest entries, written at once', async () => {
      // each with all that an entry may have; their addresses come last
      const path = (n: number) => `path:/${'p'.repeat(1000)}${n}`;
      const subjects = Array.from({ length: 500 }, (_, n) => (n < 400 ? path(n) : `ip:127.9.6.${n - 400}`));
      const body = { 'res.set.x-a': { S: 'v'.repeat(MAX_VARS_BYTES - 'res.set.x-a'.length - 8) } };
      const items = subjects.map((subject) => ({
        ...{ subject: { S: subject }, list: { S: 'manual' }, action: { S: 'deny' }, vars: { M: body } },
        ...{ reason: { S: 'ä'.repeat(MAX_REASON) }, expiresAt: { N: '9999999999' } },
      }));
      assert.deepEqual(await visits('127.9.6.99'), Array(6).fill(200));
      const bulk = chunksOf(items, 25).map((some) => {
        const writes = some.map((Item) => ({ PutRequest: { Item } }));
        return client.send(new BatchWriteItemCommand({ RequestItems: { [cloud.outputs.TableName ?? '']: writes } }));
      });
      await Promise.all(bulk);
      for (const from of ['127.9.6.0', '127.9.6.99']) await untilAll(from, 403);
    });

  if (hasNewer)
    it('is waited for by imports and syncs, which give up at the limit if the writer is stuck', async (t) => {
      const folder = temporaryFolder(t);
      const feed = (name: string, from: number) => {
        const lines = Array.from(
          { length: 1500 },
          (_, index) => `198.18.${(from + index) >> 8}.${(from + index) & 255}`,
        );
        writeFileSync(join(folder, name), lines.join('\n'));
        return join(folder, name);
      };
      const logged = /^in the log of changes after \d+\.\d\d s/m;
      const imported = await run('import', feed('a.txt', 0), '--list', 'feed', '--wait');
      assert.match(imported.stdout, logged, imported.stderr);
      const again = await run('import', feed('a.txt', 0), '--list', 'feed', '--wait');
      assert.match(again.stdout, /^nothing was changed, so there is nothing to wait for$/m);
      const synced = await run('sync', feed('b.txt', 1000), '--list', 'feed', '--yes', '--wait');
      assert.match(synced.stdout, /: 1000 added, 0 changed, 1000 removed\nin the log of changes/, synced.stderr);
      for (const source of cloud.sources.values())
        source.trouble = { delayMs: () => 0, deliveries: () => 1, isStalled: () => true };
      const late = await run('block', '127.9.3.1', '--force', '--wait-limit', '1s');
      assert.deepEqual([late.status, late.stderr.split('\n').length], [75, 2], late.stderr);
      assert.match(late.stderr, /^haverdict: written, but not in the log of changes after 1 s: /);
      for (const source of cloud.sources.values())
        source.trouble = { delayMs: () => 0, deliveries: () => 1, isStalled: () => false };
      await untilAll('127.9.3.1', 403);
    });

  for (const [what, subject, from] of [
    ['an address', 'ip:127.9.0.1', '127.9.0.1'],
    ['a network', 'ip:127.9.1.0/24', '127.9.1.77'],
  ] as const)
    it(`denies ${what} put by hand, and no longer when it is deleted, whatever is cached`, async (t) => {
      for (let times = 1; times <= longRuns(30, 2); times++) {
        assert.deepEqual([...new Set(await visits(from))], [200]);
        await put(subject);
        const deniedMs = await untilAll(from, 403);
        await remove(subject);
        const allowedMs = await untilAll(from, 200);
        t.diagnostic(`${what}: denied after ${Math.round(deniedMs)} ms, let through after ${Math.round(allowedMs)} ms`);
      }
    });
});
