import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { BatchGetItemCommand, DynamoDBClient, PutItemCommand, QueryCommand } from '@aws-sdk/client-dynamodb';
import { type Assembly, readAssembly } from '../../../dev/local-cloud/assembly.ts';
import type { Credentials } from '../../../dev/local-cloud/credentials.ts';
import { deploy, type LocalCloud } from '../../../dev/local-cloud/deploy.ts';
import { synthesized } from '../../../dev/stack/synth.ts';
import { checkBody, signedFetch } from './signed-fetch.ts';

const VERSION_OF_THE_CALL = `export const handler = async (event, { invokedFunctionArn: arn }) =>
  ({ version: process.env.AWS_LAMBDA_FUNCTION_VERSION, arn });`;

describe('a stack deployed to this machine', () => {
  let assembly: Assembly;
  let cloud: LocalCloud;
  before(async () => {
    assembly = readAssembly(await synthesized());
    cloud = await deploy(assembly);
  });
  after(() => cloud?.close());

  const output = (name: string) => cloud.outputs[name] ?? assert.fail(`there is no output ${name}`);
  const call = (credentials: Credentials, sentBody?: string) =>
    signedFetch({
      ...{ url: `${cloud.functionUrl.url}v1/check`, region: cloud.region, credentials },
      ...{ body: checkBody('ip:203.0.113.7'), ...(sentBody !== undefined && { sentBody }) },
    });
  const clientAs = (credentials: Credentials) =>
    new DynamoDBClient({ endpoint: cloud.dynamodbEndpoint, region: cloud.region, credentials, maxAttempts: 1 });
  const getAs = (credentials: Credentials) => {
    const RequestItems = { haverdict: { Keys: [{ subject: { S: 'ip:203.0.113.7' }, list: { S: 'manual' } }] } };
    return clientAs(credentials).send(new BatchGetItemCommand({ RequestItems }));
  };
  const putAs = (credentials: Credentials) => {
    const Item = { subject: { S: 'ip:203.0.113.0/24' }, list: { S: 'manual' }, action: { S: 'deny' } };
    return clientAs(credentials).send(new PutItemCommand({ TableName: 'haverdict', Item }));
  };
  const queryAs = (credentials: Credentials) => {
    const names = { '#list': 'list' };
    const values = { ':list': { S: 'manual' } };
    const index = { TableName: 'haverdict', IndexName: 'by-list', KeyConditionExpression: '#list = :list' };
    const query = { ...index, ExpressionAttributeNames: names, ExpressionAttributeValues: values };
    return clientAs(credentials).send(new QueryCommand(query));
  };
  const agent = (lifetimeSeconds?: number) => cloud.issue(output('AgentPolicyArn'), lifetimeSeconds);
  const operator = () => cloud.issue(output('OperatorPolicyArn'));
  const functionRole = () => {
    const [id] = Object.entries(assembly.template.Resources).find(([, { Type }]) => Type === 'AWS::IAM::Role') ?? [];
    return cloud.issue(`arn:aws:iam::${assembly.account}:role/${assembly.stackName}-${id}`);
  };

  it('has the outputs of the stack', () => {
    assert.equal(output('FunctionUrl'), cloud.functionUrl.url);
    assert.equal(output('TableArn'), `arn:aws:dynamodb:${output('Region')}:${assembly.account}:table/haverdict`);
    assert.ok(output('AgentConfig').includes(cloud.functionUrl.url));
  });

  it('answers an agent about what an operator wrote', async () => {
    await putAs(operator());
    const answer = await call(agent());
    assert.equal(answer.status, 200);
    const { verdicts } = (await answer.json()) as { verdicts: { entry: { subject: string } }[] }; // the contract's tests check the rest
    assert.equal(verdicts[0]?.entry.subject, 'ip:203.0.113.0/24');
  });

  it('runs the very asset of the assembly', async () => {
    await call(agent());
    assert.ok(cloud.pool.initsMs.length > 0);
    const empty = { ...assembly, assets: new Map() };
    await assert.rejects(deploy(empty), /the assembly has no code for [0-9a-f]{64}\.zip/);
  });

  it('answers 403 to a call without a signature', async () => {
    const answer = await fetch(`${cloud.functionUrl.url}v1/check`, { method: 'POST', body: '{}' });
    assert.deepEqual(
      [answer.status, await answer.json()],
      [403, { message: 'Request is missing Authentication Token' }],
    );
  });

  it('answers 403 to a call that was tampered with', async () => {
    await refused(await call(agent(), checkBody('ip:198.51.100.1')), /does not match the signature you provided/);
  });

  it('answers 403 to expired credentials', async () => {
    await refused(await call(agent(-1)), /security token included in the request is expired/);
  });

  it('answers 403 to credentials that it did not give out', async () => {
    await refused(await call({ ...agent(), accessKeyId: 'ASIAFOREIGN' }), /security token .* is invalid/);
  });

  it('answers 403 to a role that is not an agent, and names the action', async () => {
    for (const credentials of [operator(), functionRole()])
      await refused(
        await call(credentials),
        /not authorized to perform: lambda:InvokeFunctionUrl on resource: arn:aws:lambda/,
      );
  });

  it('gives the function the rights of its role and no others', async () => {
    await getAs(functionRole());
    await assert.rejects(putAs(functionRole()), denied('dynamodb:PutItem', /table\/haverdict because/));
    await assert.rejects(queryAs(functionRole()), denied('dynamodb:Query', /table\/haverdict\/index\/by-list because/));
  });

  it('gives an agent no rights on the table', async () => {
    await assert.rejects(getAs(agent()), denied('dynamodb:BatchGetItem', /table\/haverdict because/));
  });

  it('refuses a wrong signature for DynamoDB, and credentials that have expired', async () => {
    const foreign = { ...operator(), secretAccessKey: 'other' };
    await assert.rejects(getAs(foreign), { name: 'InvalidSignatureException' });
    const expired = cloud.issue(output('OperatorPolicyArn'), -1);
    await assert.rejects(getAs(expired), { name: 'ExpiredTokenException' });
  });

  it('refuses operations of DynamoDB that it does not know', async () => {
    const headers = { 'x-amz-target': 'DynamoDB_20120810.TransactWriteItems' };
    const answer = await fetch(cloud.dynamodbEndpoint, { method: 'POST', headers, body: '{}' });
    assert.match(await answer.text(), /UnknownOperationException.*dynamodb:TransactWriteItems is not imitated/);
  });

  it('keeps what the function logs', async () => {
    const { length } = cloud.logs;
    await call(agent());
    assert.ok(cloud.logs.length > length);
  });

  it('says what it left out', () => {
    assert.deepEqual(cloud.skipped.toSorted(), ['AWS::CloudWatch::Alarm', 'AWS::CloudWatch::Dashboard']);
  });

  it('has the URL of the alias, and beside it the one of the function, which runs the newest code', async (t) => {
    const code = mkdtempSync(join(tmpdir(), 'haverdict-version-'));
    writeFileSync(join(code, 'index.mjs'), VERSION_OF_THE_CALL);
    const assets = new Map([...assembly.assets.keys()].map((key) => [key, code]));
    const told = await deploy({ ...assembly, assets });
    t.after(() => told.close().then(() => rmSync(code, { recursive: true })));
    const versionAt = async (url = '') => {
      const credentials = told.issue(output('AgentPolicyArn'));
      const answer = await signedFetch({ url: `${url}v1/check`, region: told.region, credentials, body: '{}' });
      return await answer.json();
    };
    const arn = `arn:aws:lambda:${told.region}:${assembly.account}:function:${told.outputs.FunctionName}`;
    assert.equal(told.outputs.FunctionUrl, told.functionUrl.url);
    assert.deepEqual(await versionAt(told.outputs.FunctionUrl), { version: '1', arn: `${arn}:live` });
    assert.deepEqual(await versionAt(told.outputs.UnqualifiedUrl), { version: '$LATEST', arn });
  });

  for (const isOfAlias of [true, false])
    it(`lets in who has a permission of the ${isOfAlias ? 'alias, and only there' : 'function, and only there'}`, async (t) => {
      const { Resources } = assembly.template;
      const idOf = (type: string) => Object.keys(Resources).find((id) => Resources[id]?.Type === type);
      const FunctionName = isOfAlias
        ? { Ref: idOf('AWS::Lambda::Alias') }
        : { 'Fn::GetAtt': [idOf('AWS::Lambda::Function'), 'Arn'] };
      const Principal = `arn:aws:iam::${assembly.account}:role/${output('OperatorPolicyArn').split('/').at(-1)}`;
      const permission = (properties: object) => ({
        Type: 'AWS::Lambda::Permission',
        Properties: { FunctionName, Principal, ...properties },
      });
      const permissions = {
        Url: permission({ Action: 'lambda:InvokeFunctionUrl', FunctionUrlAuthType: 'AWS_IAM' }),
        Function: permission({ Action: 'lambda:InvokeFunction', InvokedViaFunctionUrl: true }),
      };
      const template = { ...assembly.template, Resources: { ...Resources, ...permissions } };
      const open = await deploy({ ...assembly, template });
      t.after(() => open.close());
      const statuses = ['FunctionUrl', 'UnqualifiedUrl'].map(async (name) => {
        const credentials = open.issue(output('OperatorPolicyArn'));
        const url = `${open.outputs[name]}v1/check`;
        const asked = { url, region: open.region, credentials, body: checkBody('ip:203.0.113.7') };
        let { status } = await signedFetch(asked);
        // on a busy machine a function that begins may find its table too slow
        for (let time = 0; time < 3 && status === 503; time++) ({ status } = await signedFetch(asked));
        return status;
      });
      assert.deepEqual(await Promise.all(statuses), isOfAlias ? [200, 403] : [403, 200]);
    });

  const UNKNOWN: readonly { what: string; type: string; change: object; says: RegExp }[] = [
    {
      what: 'a resource of another type',
      type: 'AWS::Logs::LogGroup',
      change: { Type: 'AWS::SQS::Queue' },
      says: /is of type AWS::SQS::Queue, which is not imitated/,
    },
    {
      what: 'a policy of the table',
      type: 'AWS::DynamoDB::GlobalTable',
      change: { Properties: { Replicas: [{ ResourcePolicy: {} }] } },
      says: /ResourcePolicy of table .* is not imitated/,
    },
    {
      what: 'a filter of an event source',
      type: 'AWS::Lambda::EventSourceMapping',
      change: { Properties: { FilterCriteria: {} } },
      says: /FilterCriteria of event source mapping .* is not imitated/,
    },
    {
      what: 'several batches of a shard at a time',
      type: 'AWS::Lambda::EventSourceMapping',
      change: { Properties: { ParallelizationFactor: 2 } },
      says: /is imitated from TRIM_HORIZON and with ParallelizationFactor 1 only/,
    },
    {
      what: 'a rule that is no rate',
      type: 'AWS::Events::Rule',
      change: { Properties: { ScheduleExpression: 'cron(0 12 * * ? *)' } },
      says: /schedule cron.* is not imitated/,
    },
    {
      what: 'a rule whose function is called again where it failed',
      type: 'AWS::Lambda::EventInvokeConfig',
      change: { Properties: { MaximumRetryAttempts: 1 } },
      says: /retries of arn:.* are not imitated: set MaximumRetryAttempts 0/,
    },
    {
      what: 'a policy of AWS that is not in the template',
      type: 'AWS::IAM::Role',
      change: { Properties: { ManagedPolicyArns: ['arn:aws:iam::aws:policy/ReadOnlyAccess'] } },
      says: /policy arn:aws:iam::aws:policy\/ReadOnlyAccess of .* is not in the template/,
    },
    {
      what: 'a version that gets a part of the calls',
      type: 'AWS::Lambda::Alias',
      change: { Properties: { RoutingConfig: { AdditionalVersionWeights: [] } } },
      says: /RoutingConfig of alias .* is not imitated/,
    },
    {
      what: 'a URL of an alias that is not in the template',
      type: 'AWS::Lambda::Url',
      change: { Properties: { Qualifier: 'other' } },
      says: /function URL .* is for .*:other, which is not in the template/,
    },
    {
      what: 'another runtime',
      type: 'AWS::Lambda::Function',
      change: { Properties: { Runtime: 'python3.14' } },
      says: /runtime python3\.14 of .* is not imitated/,
    },
  ];
  for (const { what, type, change, says } of UNKNOWN) {
    it(`stops with an error at ${what}`, async () => {
      await assert.rejects(deploy(changed(assembly, type, change)), says);
    });
  }
});

/** The error of the SDK for what AWS denies. */
function denied(action: string, resource: RegExp) {
  return (error: Error) => {
    assert.equal(error.name, 'AccessDeniedException');
    assert.match(error.message, /^User: arn:aws:sts::\d+:assumed-role\//);
    assert.ok(error.message.includes(`is not authorized to perform: ${action} on resource: arn:aws:dynamodb:`));
    assert.match(error.message, resource);
    return true;
  };
}

async function refused(answer: Response, says: RegExp): Promise<void> {
  assert.equal(answer.status, 403);
  assert.match(await answer.text(), says);
}

/** The assembly with the first resource of this type changed. */
function changed(
  assembly: Assembly,
  type: string,
  { Type = type, Properties = {} }: { Type?: string; Properties?: object },
): Assembly {
  const [id = '', resource] =
    Object.entries(assembly.template.Resources).find(([, found]) => found.Type === type) ?? [];
  const other = { ...resource, Type, Properties: { ...resource?.Properties, ...Properties } };
  return {
    ...assembly,
    template: { ...assembly.template, Resources: { ...assembly.template.Resources, [id]: other } },
  };
}
