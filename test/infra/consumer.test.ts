import './consumer/from-sources.ts';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks, HIPAASecurityChecks } from 'cdk-nag';
import { DynamoEntries } from '../../blocklist/dynamodb/entries.ts';
import { type Assembly, readAssembly } from '../../dev/local-cloud/assembly.ts';
import { deploy, type LocalCloud } from '../../dev/local-cloud/deploy.ts';
import { HaverdictStack } from '../../infra/stack.ts';
import { checkBody, signedFetch } from '../dev/local-cloud/signed-fetch.ts';
import { temporaryFolder } from '../support/config-file.ts';
import { namesBelow } from './reference-page.ts';
import { settingsOf, testApp } from './synthesized.ts';

const { edgeApp } = await import('./consumer/app.ts');

const ENTRY = { subject: 'ip:203.0.113.7', list: 'manual', action: 'deny' } as const;
const TAKES_TAGS = ['AWS::IAM::Role', 'AWS::Lambda::Function', 'AWS::Logs::LogGroup', 'AWS::KMS::Key'];

/** Our app beside one that a customer would write: consumer/app.ts. */
const folder = temporaryFolder({ after });
const app = testApp({ folder });
new HaverdictStack(app, settingsOf());
edgeApp(app);
Validations.of(app).addPlugins(new AwsSolutionsChecks(app), new HIPAASecurityChecks(app));
assert.throws(() => app.synth(), /Validation failed/); // with the findings of the test below

describe('an app of somebody else', () => {
  const [frankfurt, ireland, vault] = ['Frankfurt', 'Ireland', 'Vault'].map((name) => readAssembly(folder, name)) as [
    Assembly,
    Assembly,
    Assembly,
  ]; // three

  it('has two instances in one stack, of which the second reads the table of the first', () => {
    const [table, log = '', ...others] = idsOf(frankfurt, 'AWS::DynamoDB::GlobalTable');
    assert.match(log, /Updates/);
    assert.deepEqual(others, []);
    for (const { Environment } of propertiesOf(frankfurt, 'AWS::Lambda::Function'))
      assert.deepEqual(variablesOf(Environment).HAVERDICT_TABLE, { Ref: table });
  });

  it('has the function of the second region beside the replica, with rights on that', () => {
    assert.deepEqual(idsOf(ireland, 'AWS::DynamoDB::GlobalTable'), []);
    const [{ Environment }] = propertiesOf(ireland, 'AWS::Lambda::Function');
    assert.equal(variablesOf(Environment).HAVERDICT_TABLE, 'edge-blocklist');
    const arn = 'arn:aws:dynamodb:eu-west-1:111122223333:table/edge-blocklist';
    const policies = JSON.stringify(propertiesOf(ireland, 'AWS::IAM::Policy')).replaceAll(
      /\{"Fn::Join":\["",\["arn:",\{"Ref":"AWS::Partition"\},"([^"]+)"\]\]\}/g,
      '"arn:aws$1"',
    );
    assert.match(policies, new RegExp(`"dynamodb:BatchGetItem","Effect":"Allow","Resource":"${arn}"`));
  });

  it('deploys one and the same bundle everywhere', () => {
    const bundles = [frankfurt, ireland, vault].flatMap((stack) =>
      propertiesOf(stack, 'AWS::Lambda::Function')
        .filter(({ Description }) => /looks subjects up/.test(String(Description)))
        .map(({ Code }) => (Code as { S3Key: string }).S3Key),
    ); // a function has code
    assert.equal(bundles.length, 4);
    assert.equal(new Set(bundles).size, 1);
  });

  it('may leave values to CloudFormation', () => {
    const [{ ReservedConcurrentExecutions, MemorySize, Environment }] = propertiesOf(
      frankfurt,
      'AWS::Lambda::Function',
    );
    assert.deepEqual(
      [ReservedConcurrentExecutions, MemorySize, variablesOf(Environment).HAVERDICT_TTL_SECONDS],
      [{ Ref: 'Copies' }, { Ref: 'Memory' }, { Ref: 'Seconds' }],
    );
    const [{ TableName }] = propertiesOf(frankfurt, 'AWS::DynamoDB::GlobalTable');
    assert.deepEqual(TableName, { Ref: 'Name' });
  });

  it('sets a permissions boundary on every role, and tags on all that takes them', () => {
    const roles = propertiesOf(frankfurt, 'AWS::IAM::Role');
    assert.ok(roles.length >= 6);
    for (const { PermissionsBoundary } of roles) assert.ok(PermissionsBoundary !== undefined);
    for (const stack of [frankfurt, ireland, vault])
      for (const type of TAKES_TAGS)
        for (const { Tags } of propertiesOf(stack, type))
          assert.deepEqual(Tags, [{ Key: 'team', Value: 'edge' }], type);
  });

  it('deploys new code as a canary, with copies that are kept started', () => {
    const [alias] = Object.values(ireland.template.Resources).filter(({ Type }) => Type === 'AWS::Lambda::Alias');
    assert.deepEqual(alias?.Properties?.ProvisionedConcurrencyConfig, { ProvisionedConcurrentExecutions: 2 });
    const { UpdatePolicy } = alias as unknown as { UpdatePolicy: object }; // of what CDK writes
    assert.deepEqual(Object.keys(UpdatePolicy), ['CodeDeployLambdaAliasUpdate']);
  });

  it('has everything encrypted with its own key, which the logs may use too', () => {
    const [id = ''] = idsOf(vault, 'AWS::KMS::Key');
    const key = { 'Fn::GetAtt': [id, 'Arn'] };
    assert.deepEqual(propertiesOf(vault, 'AWS::Logs::LogGroup')[0].KmsKeyId, key);
    const [{ Replicas }] = propertiesOf(vault, 'AWS::DynamoDB::GlobalTable');
    assert.deepEqual((Replicas as { SSESpecification: object }[])[0]?.SSESpecification, { KMSMasterKeyId: key }); // there is one
    assert.match(JSON.stringify(propertiesOf(vault, 'AWS::KMS::Key')), /"Service":"logs\.eu-west-1\.amazonaws\.com"/);
    const [function_] = propertiesOf(vault, 'AWS::IAM::Policy').map((policy) => JSON.stringify(policy));
    assert.match(function_ ?? '', /"kms:Decrypt","kms:DescribeKey"/);
    const policies = JSON.stringify(propertiesOf(vault, 'AWS::IAM::Policy')).replaceAll('"@canary:*:*"', '');
    assert.doesNotMatch(policies, /\*/);
  });

  it('is told by cdk-nag what docs/reference/infra.md explains, and nothing else', () => {
    const { pluginReports } = JSON.parse(readFileSync(join(folder, 'validation-report.json'), 'utf8'));
    const violations: Violation[] = pluginReports.flatMap((report: { violations: Violation[] }) => report.violations);
    const ours = /^(Haverdict\/Backend|Frankfurt\/(Shop|Api)|Ireland\/Shop|Vault\/Blocklist)\//;
    const rules = violations
      .filter(({ violatingConstructs }) => violatingConstructs.some(({ constructPath }) => ours.test(constructPath)))
      .map(({ ruleName }) => /^[\w.-]+/.exec(ruleName)?.[0] ?? '');
    assert.deepEqual([...new Set(rules)].sort(), namesBelow('| Rule of cdk-nag |'));
  });
});

describe('an app of somebody else in the local cloud', () => {
  let cloud: LocalCloud;
  before(async () => {
    cloud = await deploy(readAssembly(folder, 'Frankfurt'));
    await storeAs('Operator').put(ENTRY);
  });
  after(() => cloud?.close());

  const credentialsOf = (role: string) => cloud.issue(cloud.outputs[`${role}Arn`] ?? '');
  const storeAs = (role: string) =>
    new DynamoEntries({
      ...{ table: cloud.outputs.TableName ?? '', connectTimeoutMs: 1000, requestTimeoutMs: 5000 },
      client: {
        endpoint: cloud.dynamodbEndpoint,
        ...{ region: cloud.region, credentials: credentialsOf(role), maxAttempts: 1 },
      },
    });
  const ask = (output: string, role: string) =>
    signedFetch({
      ...{ url: `${cloud.outputs[output]}v1/check`, region: cloud.region },
      ...{ credentials: credentialsOf(role), body: checkBody(ENTRY.subject) },
    });

  for (const url of ['ShopUrl', 'ApiUrl'])
    it(`answers at ${url}, within the permissions boundary`, async () => {
      const answer = await ask(url, 'Haproxy');
      assert.match(await answer.text(), /"action":"deny"/);
      assert.equal((await ask(url, 'Operator')).status, 403);
    });

  it('lets an auditor read, and not write', async () => {
    const store = storeAs('Auditor');
    assert.equal((await store.lookup([ENTRY])).items.length, 1);
    await assert.rejects(store.put(ENTRY), /dynamodb:/);
    for await (const { subject } of store.ofList(ENTRY.list)) assert.equal(subject, ENTRY.subject);
  });

  it('denies what the boundary leaves out', async (t) => {
    const assembly = readAssembly(folder, 'Frankfurt');
    const stream = '"dynamodb:DescribeStream","dynamodb:GetRecords","dynamodb:GetShardIterator","dynamodb:ListStreams"';
    const narrow = JSON.parse(JSON.stringify(assembly.template).replaceAll('"dynamodb:*"', stream));
    const other = await deploy({ ...assembly, template: narrow });
    t.after(() => other.close());
    const { ShopUrl, HaproxyArn = '' } = other.outputs;
    const answer = await signedFetch({
      ...{ url: `${ShopUrl}v1/check`, region: other.region },
      ...{ credentials: other.issue(HaproxyArn), body: checkBody(ENTRY.subject) },
    });
    assert.equal(answer.status, 503);
    assert.match(other.denials.join(), /because no permissions boundary allows the dynamodb:BatchGetItem action/);
  });
});

interface Violation {
  readonly ruleName: string;
  readonly violatingConstructs: readonly { readonly constructPath: string }[];
}

function idsOf({ template }: Assembly, type: string): string[] {
  return Object.entries(template.Resources).flatMap(([id, { Type }]) => (Type === type ? [id] : []));
}

/** The properties of all resources of this type; the first is named by tests that know of it. */
function propertiesOf({ template }: Assembly, type: string) {
  const resources = Object.values(template.Resources).filter(({ Type }) => Type === type);
  return resources.map(({ Properties }) => Properties) as [Record<string, unknown>];
}

function variablesOf(environment: unknown): Record<string, unknown> {
  return (environment as { Variables: Record<string, unknown> }).Variables; // of a function
}
