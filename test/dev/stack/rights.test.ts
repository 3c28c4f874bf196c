import assert from 'node:assert/strict';
import { it } from 'node:test';
import { DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { DynamoConnection, type DynamoOptions } from '../../../blocklist/dynamodb/connection.ts';
import { DynamoEntries } from '../../../blocklist/dynamodb/entries.ts';
import { LOCAL_ACCESS } from '../../../blocklist/dynamodb/local-access.ts';
import { Mirror, segmentPath } from '../../../contract/mirror.ts';
import { type Assembly, readAssembly, type Template } from '../../../dev/local-cloud/assembly.ts';
import { deploy, type LocalCloud } from '../../../dev/local-cloud/deploy.ts';
import { synthesized } from '../../../dev/stack/synth.ts';
import { DynamoCanaries } from '../../../updates/dynamodb/canaries.ts';
import { logOfTable } from '../../../updates/dynamodb/log-of-table.ts';
import { describeNewer, describeUsual } from '../../support/scope.ts';
import { until } from '../../support/until.ts';
import { checkBody, signedFetch } from '../local-cloud/signed-fetch.ts';

const assembly = readAssembly(await synthesized());
const ENTRY = { subject: 'ip:203.0.113.7', list: 'manual', action: 'deny' } as const;

/** One right that the template gives: where its statement stands, and what it allows. */
interface Right {
  readonly path: readonly (string | number)[];
  readonly actions: readonly string[];
}

describeUsual('the rights in the template', () => {
  it('are enough for a rehearsal of everything', async () => {
    await rehearse(assembly);
  });

  it('are statements that the tests below find', () => {
    const actions = rightsOf(assembly.template).flatMap((right) => right.actions);
    for (const action of ['sts:AssumeRole', 'lambda:InvokeFunctionUrl', 'lambda:InvokeFunction', 'logs:PutLogEvents'])
      assert.ok(actions.includes(action), action);
  });
});

describeNewer('each right in the template', () => {
  for (const right of rightsOf(assembly.template)) {
    const [, policy, ...place] = right.path;
    it(`is needed: without ${right.actions.join(', ')} of ${policy} (${place.join('.')}) it says so`, async () => {
      const template = without(assembly.template, right.path);
      const hasBuilder = String(right.path[1]).includes('Builder');
      await assert.rejects(rehearse({ ...assembly, template }, hasBuilder), ({ message }: Error) => {
        const denied = /(?:not authorized to perform: )([a-z]+:[A-Za-z]+)/.exec(message)?.[1] ?? message;
        assert.ok(right.actions.includes(denied), message);
        return true;
      });
    });
  }
});

/**
 * What operators, readers, agents and the functions do all day; rejects at the first thing that is refused. The builder
 * takes longest.
 */
async function rehearse(assembly: Assembly, hasBuilder = true): Promise<void> {
  const cloud = await deploy(assembly);
  try {
    for (const source of cloud.sources.values()) source.pollMs = 10;
    const store = storeFor(cloud, 'OperatorPolicyArn');
    await store.put(ENTRY);
    await typeNonsense(cloud);
    for (const reading of [store, storeFor(cloud, 'ReaderPolicyArn')]) {
      await reading.lookup([ENTRY]);
      for (const entries of [reading.ofSubject(ENTRY.subject), reading.ofList(ENTRY.list)])
        for await (const found of entries) assert.equal(found.subject, ENTRY.subject);
    }
    await ask(cloud);
    await asFunction(cloud, assembly).write(['0'], Date.now());
    // on a busy machine events are late, and the next minute begins again
    const isBuilt = () => cloud.logs.some((logged) => logged.includes('"mirror made"'));
    for (let minutes = hasBuilder ? 3 : 0; minutes > 0 && !isBuilt(); minutes--)
      for (const rule of cloud.schedules.values()) await rule.fire();
    await untilUpdated(cloud, hasBuilder);
    if (hasBuilder) await loadMirror(cloud);
    const log = (await logOfTable(placeFor(cloud, 'OperatorPolicyArn'))) ?? assert.fail('no canary names the log');
    assert.ok((await log.tail()) !== undefined);
    await store.remove(ENTRY);
    for (const line of [
      '"Failures":',
      '"invalid entry ignored"',
      ...(hasBuilder ? ['"mirror made"', '"MirrorAge":'] : []),
    ])
      await until(
        () => cloud.denials.length > 0 || cloud.logs.some((logged) => logged.includes(line)),
        () => `no line with ${line}`,
      );
    assert.deepEqual(cloud.denials, []);
  } catch (error) {
    const denial = cloud.denials.at(-1);
    throw denial === undefined ? error : new Error(denial, { cause: error });
  } finally {
    await cloud.close();
  }
}

function storeFor(cloud: LocalCloud, policy: string): DynamoEntries {
  return new DynamoEntries(new DynamoConnection(placeFor(cloud, policy)));
}

function placeFor({ outputs, region, dynamodbEndpoint, issue }: LocalCloud, policy: string): DynamoOptions {
  const client = { endpoint: dynamodbEndpoint, region, credentials: issue(outputs[policy] ?? ''), maxAttempts: 1 };
  return { table: outputs.TableName ?? '', connectTimeoutMs: 1000, requestTimeoutMs: 5000, client };
}

async function ask({ outputs, region, issue }: LocalCloud): Promise<void> {
  const credentials = issue(outputs.AgentPolicyArn ?? '');
  const url = `${outputs.FunctionUrl}v1/check`;
  const answer = await signedFetch({ url, region, credentials, body: checkBody(ENTRY.subject) });
  const text = await answer.text();
  assert.equal(answer.status, 200, text);
  assert.match(text, /"action":"deny"/);
}

/** An item that a person typed wrong, which the writer reports. */
async function typeNonsense({ backDoorEndpoint }: LocalCloud): Promise<void> {
  const client = new DynamoDBClient({ endpoint: backDoorEndpoint, ...LOCAL_ACCESS });
  const Item = { subject: { S: 'ip:nowhere' }, list: { S: 'typed' } };
  await client.send(new PutItemCommand({ TableName: 'haverdict', Item }));
  client.destroy();
}

/** The canaries with the rights of the function, which writes them only when the proof is half a minute old. */
function asFunction({ issue, region, dynamodbEndpoint }: LocalCloud, { template, account, stackName }: Assembly) {
  const role = Object.keys(template.Resources).find(
    (id) => id.startsWith('BackendCheckRole') && !id.includes('Policy'),
  );
  const credentials = issue(`arn:aws:iam::${account}:role/${stackName}-${role}`);
  const client = { endpoint: dynamodbEndpoint, region, credentials, maxAttempts: 1 };
  const logTable = Object.keys(template.Resources).find((id) => id.startsWith('BackendUpdatesTable'));
  const place = { table: 'haverdict', connectTimeoutMs: 1000, requestTimeoutMs: 5000, client };
  return new DynamoCanaries(new DynamoConnection(place), region, `${stackName}-${logTable}`);
}

/** Asks for updates until the log has something, or even a proof, or something was refused. */
async function untilUpdated({ outputs, region, issue, denials }: LocalCloud, hasBuilder: boolean): Promise<void> {
  const credentials = issue(outputs.AgentPolicyArn ?? '');
  await until(
    async () => {
      const url = `${outputs.FunctionUrl}v1/updates?lists=manual`;
      const answer = await signedFetch({ method: 'GET', url, region, credentials });
      const text = await answer.text();
      if (answer.status !== 200) throw new Error(text);
      return (
        denials.length > 0 || (hasBuilder ? JSON.parse(text).provenAgeMs !== null : JSON.parse(text).cursor !== '0.0.0')
      );
    },
    () => 'no proof',
  );
}

/** The manifest and a segment, as an agent loads them. */
async function loadMirror({ outputs, region, issue }: LocalCloud): Promise<void> {
  const credentials = issue(outputs.AgentPolicyArn ?? '');
  const get = async (path: string) => {
    const answer = await signedFetch({ method: 'GET', url: `${outputs.FunctionUrl}${path}`, region, credentials });
    const text = await answer.text();
    assert.equal(answer.status, 200, text);
    return text;
  };
  const mirror = Mirror.parse(JSON.parse(await get('v1/mirror?lists=manual')));
  const [{ n } = assert.fail('no segment')] = mirror.segments;
  assert.ok((await get(segmentPath(mirror.id, n).slice(1))).includes(ENTRY.subject));
}

/** Every statement of every policy, and every permission on the function. */
function rightsOf({ Resources }: Template): Right[] {
  return Object.entries(Resources).flatMap(([id, { Type, Properties }]) =>
    Type === 'AWS::Lambda::Permission'
      ? [{ path: ['Resources', id], actions: [String(Properties?.Action)] }]
      : statementsIn(Properties, ['Resources', id, 'Properties']),
  );
}

function statementsIn(part: unknown, path: readonly (string | number)[]): Right[] {
  if (typeof part !== 'object' || part === null) return [];
  const { Statement } = part as { Statement?: { Action: string | string[]; Resource?: unknown }[] }; // only policies have one
  if (Array.isArray(Statement))
    return Statement.flatMap(({ Action, Resource }, index) => {
      const at = [...path, 'Statement', index];
      const actions = [Action].flat();
      const isOfTables = Array.isArray(Resource) && actions.every((action) => action.startsWith('dynamodb:'));
      const resources = isOfTables ? Resource.map((_, one) => [...at, 'Resource', one]) : [];
      return [at, ...resources].map((path) => ({ path, actions }));
    });
  return Object.entries(part).flatMap(([name, inner]) => statementsIn(inner, [...path, name]));
}

/** A copy without what stands there. */
function without<Whole>(whole: Whole, [first = '', ...rest]: readonly (string | number)[]): Whole {
  const entries = Object.entries(whole as object).flatMap(([name, part]) => {
    if (name !== String(first)) return [[name, part]];
    return rest.length === 0 ? [] : [[name, without(part, rest)]];
  });
  const copy = Array.isArray(whole) ? entries.map(([, part]) => part) : Object.fromEntries(entries);
  return copy as Whole; // the same but for one part
}
