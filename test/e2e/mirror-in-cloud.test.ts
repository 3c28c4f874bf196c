import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, it } from 'node:test';
import { DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb';
import type { AgentState } from '../../agent/state/state.ts';
import { type Site, startSite } from '../../dev/guarded-site.ts';
import { deployStack, type LocalStack } from '../../dev/stack/local-stack.ts';
import { adminUrl } from '../support/agent-before.ts';
import { describeNewer } from '../support/scope.ts';
import { until } from '../support/until.ts';
import { untilMirrorBuilt } from '../support/until-built.ts';
import { runWrk } from '../support/wrk.ts';

const DEADLINE_MS = 500;

/** All parts as they are deployed: table, stream, writer, builder, function, agent, HAProxy. */
describeNewer('a site with a mirror, in the local cloud', () => {
  const folder = mkdtempSync(join(tmpdir(), 'haverdict-mirror-'));
  let cloud: LocalStack;
  let site: Site;
  let client: DynamoDBClient;
  before(async () => {
    cloud = await deployStack({});
    await cloud.pool.prepare(1);
    const { dynamodbEndpoint: endpoint, region } = cloud;
    client = new DynamoDBClient({ endpoint, region, credentials: cloud.issue(cloud.outputs.OperatorPolicyArn ?? '') });
    await put('ip:10.7.1.0/24');
    await put('ip:10.9.0.1');
    await untilMirrorBuilt(cloud);
    site = await startSite({
      backendUrl: cloud.outputs.FunctionUrl ?? '',
      config: {
        ...{ deadlineMs: DEADLINE_MS, policy: 'open', admin: { listen: 'tcp://127.0.0.1:0' } },
        updates: { mode: 'mirror', pollMs: 200, file: join(folder, 'mirror') },
        backend: { auth: 'iam', region: cloud.outputs.Region, timeoutMs: 5000 },
        messages: { 'check-request': { subjects: { ip: 'req.hdr_ip(x-client)' } } },
      },
      env: cloud.environmentOf('agent'),
    });
    await untilState('live');
  });
  after(async () => {
    client?.destroy();
    await site?.stop();
    await cloud?.close();
    rmSync(folder, { recursive: true });
  });

  const put = (subject: string) => {
    const Item = { subject: { S: subject }, list: { S: 'manual' }, action: { S: 'deny' } };
    return client.send(new PutItemCommand({ TableName: cloud.outputs.TableName, Item }));
  };
  const stateNow = async (): Promise<AgentState> => {
    const answer = await fetch(`${await adminUrl(site.agent)}/state.json`);
    return (await answer.json()) as AgentState;
  };
  const untilState = (wanted: AgentState['mirror']['state']) =>
    until(
      async () => (await stateNow()).mirror.state === wanted,
      () => `not ${wanted}: ${site.agent.lines.slice(-5).join('\n')}\n${cloud.logs.slice(-5).join('\n')}`,
    );
  const visit = async (from: string) => {
    const { status, headers } = await site.visit('127.0.0.1', { headers: { 'x-client': from } });
    return `${status} ${headers['x-haverdict-source']}`;
  };

  it('denies the very first request of a listed visitor, and lets a stranger in', async () => {
    assert.equal(await visit('10.9.0.1'), '403 mirror');
    assert.equal(await visit('10.7.1.200'), '403 mirror');
    assert.equal(await visit('10.8.0.1'), '200 mirror');
  });

  it('does what a change says, within about a second', async (t) => {
    const fromMs = performance.now();
    await put('ip:10.9.0.2');
    await until(
      async () => (await visit('10.9.0.2')) === '403 mirror',
      () => 'not denied',
    );
    t.diagnostic(`denied after ${Math.round(performance.now() - fromMs)} ms`);
  });

  it('makes no call in a flood', async (t) => {
    const { backend } = await stateNow();
    const flood = await runWrk(site.port, 'strangers', 2);
    const after = await stateNow();
    t.diagnostic(`${after.decisions.reduce((sum, { count }) => sum + count, 0)} decisions`);
    assert.equal(after.backend.calls, backend.calls);
    assert.deepEqual(Object.keys(flood.sources), ['mirror']);
  });

  it('knows all lists while the function is away, over a restart too', async () => {
    await put('ip:10.9.0.3');
    await until(
      async () => (await visit('10.9.0.3')) === '403 mirror',
      () => 'not denied',
    );
    await cloud.functionUrl.close();
    assert.equal(await visit('10.9.0.3'), '403 mirror');
    assert.equal(await visit('10.8.0.3'), '200 mirror');
    await site.agent.kill('SIGKILL');
    await site.startAgent();
    await untilState('behind');
    await until(
      async () => (await visit('10.9.0.3')) === '403 stale',
      () => site.agent.lines.join('\n'),
    );
    assert.equal(await visit('10.7.1.9'), '403 stale');
    assert.equal(await visit('10.8.0.4'), '200 stale');
  });
});
