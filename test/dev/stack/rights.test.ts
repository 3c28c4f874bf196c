import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DynamoEntries } from '../../../blocklist/dynamodb/entries.ts';
import { type Assembly, readAssembly, type Template } from '../../../dev/local-cloud/assembly.ts';
import { deploy, type LocalCloud } from '../../../dev/local-cloud/deploy.ts';
import { synthesized } from '../../../dev/stack/synth.ts';
import { checkBody, signedFetch } from '../local-cloud/signed-fetch.ts';

const assembly = readAssembly(await synthesized());
const ENTRY = { subject: 'ip:203.0.113.7', list: 'manual', action: 'deny' } as const;

/** One right that the template gives: where its statement stands, and what it allows. */
interface Right {
  readonly path: readonly (string | number)[];
  readonly actions: readonly string[];
}

describe('the rights in the template', () => {
  it('are enough for a rehearsal of everything', async () => {
    await rehearse(assembly);
  });

  it('are statements that the test below finds', () => {
    const actions = rightsOf(assembly.template).flatMap((right) => right.actions);
    for (const action of ['sts:AssumeRole', 'lambda:InvokeFunctionUrl', 'lambda:InvokeFunction', 'logs:PutLogEvents'])
      assert.ok(actions.includes(action), action);
  });

  for (const right of rightsOf(assembly.template)) {
    it(`are all needed: without ${right.actions.join(', ')} of ${right.path[1]} it says so`, async () => {
      const template = without(assembly.template, right.path);
      await assert.rejects(rehearse({ ...assembly, template }), ({ message }: Error) => {
        const denied = /(?:not authorized to perform: )([a-z]+:[A-Za-z]+)/.exec(message)?.[1] ?? message;
        assert.ok(right.actions.includes(denied), message);
        return true;
      });
    });
  }
});

/** What operators, readers, agents and the function do all day; rejects at the first thing that is refused. */
async function rehearse(assembly: Assembly): Promise<void> {
  const cloud = await deploy(assembly);
  try {
    const store = storeFor(cloud, 'OperatorPolicyArn');
    await store.put(ENTRY);
    for (const reading of [store, storeFor(cloud, 'ReaderPolicyArn')]) {
      await reading.lookup([ENTRY]);
      for (const entries of [reading.ofSubject(ENTRY.subject), reading.ofList(ENTRY.list)])
        for await (const found of entries) assert.equal(found.subject, ENTRY.subject);
    }
    await ask(cloud);
    await store.remove(ENTRY);
    assert.deepEqual(cloud.denials, []);
    assert.ok(cloud.logs.length > 0, 'the function logs nothing');
  } catch (error) {
    const denial = cloud.denials.at(-1);
    throw denial === undefined ? error : new Error(denial, { cause: error });
  } finally {
    await cloud.close();
  }
}

function storeFor({ outputs, region, dynamodbEndpoint, issue }: LocalCloud, policy: string): DynamoEntries {
  const credentials = issue(outputs[policy] ?? '');
  return new DynamoEntries({
    ...{ table: outputs.TableName ?? '', connectTimeoutMs: 1000, requestTimeoutMs: 5000 },
    client: { endpoint: dynamodbEndpoint, region, credentials, maxAttempts: 1 },
  });
}

async function ask({ outputs, region, issue }: LocalCloud): Promise<void> {
  const credentials = issue(outputs.AgentPolicyArn ?? '');
  const url = `${outputs.FunctionUrl}v1/check`;
  const answer = await signedFetch({ url, region, credentials, body: checkBody(ENTRY.subject) });
  const text = await answer.text();
  assert.equal(answer.status, 200, text);
  assert.match(text, /"action":"deny"/);
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
  const { Statement } = part as { Statement?: { Action: string | string[] }[] }; // only policies have one
  if (Array.isArray(Statement))
    return Statement.map(({ Action }, index) => ({ path: [...path, 'Statement', index], actions: [Action].flat() }));
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
