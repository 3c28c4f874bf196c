import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { DeleteItemCommand, DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { type Site, startSite, warmUp } from '../../dev/guarded-site.ts';
import { deployStack, type LocalStack } from '../../dev/stack/local-stack.ts';
import { longRuns } from '../support/scope.ts';
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
  const put = (subject: string) => {
    const Item = { subject: { S: subject }, list: { S: 'manual' }, action: { S: 'deny' } };
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
