import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { describe, it } from 'node:test';
import { promisify } from 'node:util';
import { dynamoBlocklist } from '../../../blocklist/dynamodb/blocklist.ts';
import { type Assembly, readAssembly } from '../../../dev/local-cloud/assembly.ts';
import { deploy } from '../../../dev/local-cloud/deploy.ts';
import { PROGRAM } from '../../../dev/program-path.ts';
import { HaverdictStack } from '../../../infra/stack.ts';
import { settingsOf, testApp } from '../../infra/synthesized.ts';
import { configFile } from '../../support/config-file.ts';
import { checkBody, signedFetch } from '../local-cloud/signed-fetch.ts';

const INVOKE = ['lambda:InvokeFunctionUrl', 'lambda:InvokeFunction'];
const roleOf = (name: string) => `arn:aws:iam::444455556666:role/${name}`;
const EDGE = roleOf('edge');

/** Roles of another account, each with the policy that the guide tells to give it, for these actions. */
const FOREIGN_ROLES = Object.fromEntries(
  Object.entries({ edge: INVOKE, half: INVOKE.slice(0, 1), without: ['lambda:GetFunction'], other: INVOKE }).map(
    ([name, Action]) => [
      roleOf(name),
      { Statement: [{ Effect: 'Allow', Action, Resource: 'arn:aws:lambda:us-east-1:*:function:*:live' }] },
    ],
  ),
);

describe('an agent in another account', () => {
  const named = assemblyWith({ agentRoles: ['edge', 'half', 'without'].map(roleOf) });
  const CASES: readonly (readonly [string, Assembly, Readonly<Record<string, number>>])[] = [
    ['a function that names its role', named, { edge: 200, half: 403, without: 403, other: 403 }],
    [
      'a function that names its whole account',
      assemblyWith({ agentRoles: ['arn:aws:iam::444455556666:root'] }),
      { edge: 200, half: 403, without: 403, other: 200 },
    ],
    ['a function that names nobody', assemblyWith({}), { edge: 403, other: 403 }],
  ];
  for (const [title, assembly, statuses] of CASES)
    it(`calls ${title} if its own account allows it too: ${JSON.stringify(statuses)}`, async (t) => {
      const cloud = await deploy(assembly, { foreignRoles: FOREIGN_ROLES });
      t.after(() => cloud.close());
      const { region, outputs } = cloud;
      const body = checkBody('ip:203.0.113.7');
      for (const [name, status] of Object.entries(statuses)) {
        const credentials = cloud.issue(roleOf(name));
        const answer = await signedFetch({ url: `${outputs.FunctionUrl}v1/check`, region, credentials, body });
        assert.equal(answer.status, status, `${name}: ${await answer.text()}`);
      }
    });

  it('does so with the profile of the guide and the configuration that the stack prints', async (t) => {
    const cloud = await deploy(named, { foreignRoles: FOREIGN_ROLES, profiles: { haverdict: EDGE } });
    t.after(() => cloud.close());
    const file = configFile(
      t,
      `${cloud.outputs.AgentConfig}\nmessages: { check-request: { subjects: { ip: src } } }\n`,
    );
    const { AWS_REGION: _printed, ...profile } = cloud.environmentOf('haverdict');
    const env = { ...profile, AWS_EC2_METADATA_DISABLED: 'true', PATH: process.env.PATH };
    const args = [PROGRAM, 'check-backend', '-c', file, '--calls', '1', '--timeout', '30000'];
    // It fails where this machine is slow, which is not what this is about.
    const { stdout } = await promisify(execFile)(process.execPath, args, { env }).catch((failure) => failure);
    assert.match(stdout, /^ok +settings +http:\S+, signed for us-east-1/);
    assert.match(stdout, /^ok +check /m);
  });
});

describe('a reader', () => {
  it('reads everything and changes nothing', async (t) => {
    const cloud = await deploy(assemblyWith({}));
    t.after(() => cloud.close());
    const storeOf = (output: string) =>
      dynamoBlocklist({
        ...{ table: cloud.outputs.TableName ?? '', connectTimeoutMs: 1000, requestTimeoutMs: 5000 },
        client: {
          endpoint: cloud.dynamodbEndpoint,
          region: cloud.region,
          credentials: cloud.issue(cloud.outputs[output] ?? ''),
          maxAttempts: 1,
        },
      });
    const entry = { subject: 'ip:203.0.113.7', list: 'manual', action: 'deny' } as const;
    await storeOf('OperatorPolicyArn').entries.put(entry);
    const { entries, bulk } = storeOf('ReaderPolicyArn');
    assert.equal((await entries.lookup([entry])).items.length, 1);
    for (const found of [entries.ofSubject(entry.subject), entries.ofList('manual'), bulk.scan()])
      assert.equal((await Array.fromAsync(found)).length, 1);
    assert.equal((await bulk.read([entry])).length, 1);
    assert.deepEqual(cloud.denials, []);
    for (const change of [
      () => entries.put(entry),
      () => entries.remove(entry),
      () => bulk.put([entry]),
      () => bulk.remove([entry]),
    ])
      await assert.rejects(change, /not authorized to perform: dynamodb:(PutItem|DeleteItem|BatchWriteItem)/);
  });
});

function assemblyWith(settings: Readonly<Record<string, unknown>>): Assembly {
  const app = testApp();
  new HaverdictStack(app, settingsOf({ unqualifiedUrl: false, ...settings }));
  return readAssembly(app.synth().directory);
}
