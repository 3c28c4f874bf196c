import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { DynamoEntries } from '../../blocklist/dynamodb/entries.ts';
import { type Site, startSite, warmUp } from '../../dev/guarded-site.ts';
import { type Assembly, readAssembly } from '../../dev/local-cloud/assembly.ts';
import { deployStack, type LocalStack, type StackOptions } from '../../dev/stack/local-stack.ts';
import { synthesized } from '../../dev/stack/synth.ts';
import { describeNewer, describeUsual } from '../support/scope.ts';
import { until } from '../support/until.ts';

/** Long enough that only a refusal, never a busy machine, makes the policy answer. */
const DEADLINE_MS = 5000;
/** The agent looks for new credentials every ten seconds when they live this short. */
const CREDENTIAL_SECONDS = 14;
const LOAD_MS = 17_000;

describeUsual('a site whose backend asks for IAM', () => {
  let place: Place;
  before(async () => {
    place = await startPlace({});
    await warmUp(place.site);
  });
  after(() => place?.stop());

  it('denies what an operator blocked with the rights of the stack', async () => {
    const { cloud, site } = place;
    const store = new DynamoEntries({
      ...{ table: cloud.outputs.TableName ?? '', connectTimeoutMs: 1000, requestTimeoutMs: 5000 },
      client: {
        ...{ endpoint: cloud.dynamodbEndpoint, region: cloud.region },
        credentials: cloud.issue(cloud.outputs.OperatorPolicyArn ?? ''),
      },
    });
    await store.put({ subject: 'ip:127.9.0.1', list: 'manual', action: 'deny', reason: 'abuse' });
    const [blocked, stranger] = [await site.visit('127.9.0.1'), await site.visit('127.9.0.2')];
    assert.deepEqual([blocked.status, blocked.headers['x-haverdict-reason']], [403, 'abuse']);
    assert.deepEqual([stranger.status, stranger.headers['x-haverdict-source']], [200, 'backend']);
  });
});

describeNewer('a site whose backend asks for IAM', () => {
  it('answers every visitor from the backend while the credentials of its agent change', async (t) => {
    const { cloud, site, stop } = await startPlace({ credentialSeconds: CREDENTIAL_SECONDS });
    t.after(stop);
    await warmUp(site);
    const before = new Set(cloud.callers);
    const endMs = performance.now() + LOAD_MS;
    const answers: (string | undefined)[] = [];
    for (let visitor = 1; performance.now() < endMs || answers.length <= 100; visitor++) {
      const { headers } = await site.visit(`127.10.${visitor >> 8}.${visitor & 255}`);
      answers.push(headers['x-haverdict-source']);
      await pause(40);
    }
    assert.deepEqual([...new Set(answers)], ['backend'], site.agent.lines.slice(-5).join('\n'));
    assert.ok(cloud.callers.size > before.size, 'the credentials never changed');
    assert.deepEqual(cloud.denials, []);
  });
});

describeUsual('a site whose agent lacks a right', () => {
  it('answers as the policy says, and the local cloud names the right', async (t) => {
    const { cloud, site, stop } = await startPlace({
      assembly: withoutAgentsRights(readAssembly(await synthesized())),
    });
    t.after(stop);
    const visit = await site.visit('127.9.1.1');
    assert.deepEqual([visit.status, visit.headers['x-haverdict-source']], [200, 'policy']);
    assert.match(cloud.denials.join('\n'), /is not authorized to perform: lambda:InvokeFunctionUrl/);
    await until(
      () => site.agent.lines.some((line) => line.includes('answered status 403')),
      () => site.agent.lines.join('\n'),
    );
  });
});

interface Place {
  readonly cloud: LocalStack;
  readonly site: Site;
  stop(): Promise<void>;
}

async function startPlace(options: StackOptions): Promise<Place> {
  const cloud = await deployStack(options);
  await cloud.pool.prepare(1);
  const site = await startSite({
    backendUrl: cloud.outputs.FunctionUrl ?? '',
    config: {
      deadlineMs: DEADLINE_MS,
      policy: 'open',
      backend: { auth: 'iam', region: cloud.outputs.Region, timeoutMs: DEADLINE_MS },
    },
    env: cloud.environmentOf('agent'),
  });
  const stop = async () => {
    await site.stop();
    await cloud.close();
  };
  return { cloud, site, stop };
}

/** The policy of the agents stays, with nothing in it. */
function withoutAgentsRights(assembly: Assembly): Assembly {
  const { Resources, Outputs } = assembly.template;
  const { Ref: id } = (Outputs?.AgentPolicyArn?.Value ?? {}) as { Ref?: string }; // as the stack writes it
  assert.ok(id, 'the output AgentPolicyArn names no policy of the template');
  const policy = { Type: 'AWS::IAM::ManagedPolicy', Properties: { PolicyDocument: { Statement: [] } } };
  return { ...assembly, template: { ...assembly.template, Resources: { ...Resources, [id]: policy } } };
}
