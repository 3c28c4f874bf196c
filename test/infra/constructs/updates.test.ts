import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Duration, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { TableV2 } from 'aws-cdk-lib/aws-dynamodb';
import { BUILDER } from '../../../cli/cost/mirror.ts';
import { HaverdictBackend } from '../../../infra/backend.ts';
import { idOf, only, statementsOf, templateOf, testApp } from '../synthesized.ts';

const TABLE = 'AWS::DynamoDB::GlobalTable';

describe('updates', () => {
  const template = templateOf();
  const blocklist = { 'Fn::GetAtt': [idOf(template, TABLE, 'BackendTable'), 'Arn'] };
  const log = { 'Fn::GetAtt': [idOf(template, TABLE, 'BackendUpdates'), 'Arn'] };
  const stream = { 'Fn::GetAtt': [idOf(template, TABLE, 'BackendTable'), 'StreamArn'] };
  const writerId = idOf(template, 'AWS::Lambda::Function', 'BackendUpdatesWriter');
  const ofTable = { Effect: 'Allow', Resource: blocklist };
  const canaries = {
    ...{ ...ofTable, Action: 'dynamodb:UpdateItem' },
    Condition: { 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': ['@canary:*:*'] } },
  };

  it('deliver each shard in its order, one batch at a time, from the beginning, until it succeeds: the proof needs that', () => {
    const source = only(template, 'AWS::Lambda::EventSourceMapping');
    assert.deepEqual(source.Properties, {
      BatchSize: 500,
      EventSourceArn: stream,
      FunctionName: { Ref: writerId },
      ParallelizationFactor: 1,
      StartingPosition: 'TRIM_HORIZON', // without retries, ages, bisections and filters: Lambda's defaults are to lose nothing
    });
  });

  it('keep the type of the stream with and without replicas, since it cannot be changed', () => {
    for (const replicas of [[], ['eu-west-1']])
      assert.deepEqual(only(templateOf({ replicas }), TABLE, 'BackendTable').Properties.StreamSpecification, {
        StreamViewType: 'NEW_AND_OLD_IMAGES',
      });
  });

  it('have a log of their own, which forgets, and goes with the stack', () => {
    const { Properties, DeletionPolicy } = only(template, TABLE, 'BackendUpdates');
    assert.deepEqual(Properties.KeySchema, [
      { AttributeName: 'part', KeyType: 'HASH' },
      { AttributeName: 'at', KeyType: 'RANGE' },
    ]);
    assert.deepEqual(Properties.TimeToLiveSpecification, { AttributeName: 'expiresAt', Enabled: true });
    assert.equal(DeletionPolicy, 'Delete');
  });

  it('have a builder of the size that `haverdict cost` bills', () => {
    const { MemorySize, Environment } = only(template, 'AWS::Lambda::Function', 'BackendUpdatesBuilder').Properties;
    const { Variables } = Environment as { Variables: Record<string, unknown> };
    const scanUnitsASecond = Number(Variables.HAVERDICT_READ_UNITS_PER_SECOND);
    assert.deepEqual({ memoryMb: MemorySize, scanUnitsASecond }, BUILDER);
  });

  it('let the writer read the stream and its items, and append', () => {
    assert.deepEqual(statementsOf(template, 'BackendUpdatesWriterRoleDefaultPolicy').slice(1), [
      { ...ofTable, Action: 'dynamodb:BatchGetItem' },
      { Action: ['dynamodb:PutItem', 'dynamodb:Query'], Effect: 'Allow', Resource: log },
      {
        Action: ['DescribeStream', 'GetRecords', 'GetShardIterator', 'ListStreams'].map((name) => `dynamodb:${name}`),
        ...{ Effect: 'Allow', Resource: stream },
      },
    ]);
  });

  it('let the builder scan, write canaries and append, and the function write canaries and read log and mirror', () => {
    assert.deepEqual(statementsOf(template, 'BackendUpdatesBuilderRoleDefaultPolicy').slice(1), [
      { ...ofTable, Action: ['dynamodb:BatchGetItem', 'dynamodb:Scan'] },
      { Action: ['dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:Query'], Effect: 'Allow', Resource: log },
      canaries,
    ]);
    assert.deepEqual(statementsOf(template, 'BackendCheckRoleDefaultPolicy').slice(1), [
      { ...ofTable, Action: 'dynamodb:BatchGetItem' },
      { Action: ['dynamodb:GetItem', 'dynamodb:Query'], Effect: 'Allow', Resource: log },
      canaries,
    ]);
  });

  it('leave half of the reads of the table to lookups: a quarter is for the writers, a quarter for a scan', () => {
    const writes = (context: object) =>
      environmentOf(templateOf({ ...context }), 'BackendUpdatesWriter').HAVERDICT_READS_PER_SECOND;
    const scans = (context: object) =>
      environmentOf(templateOf({ ...context }), 'BackendUpdatesBuilder').HAVERDICT_READ_UNITS_PER_SECOND;
    const contexts = [{}, { maxReadUnits: 4000 }, { maxReadUnits: 1 }];
    assert.deepEqual(
      [contexts.map(writes), contexts.map(scans)],
      [
        ['125', '250', '20'],
        ['500', '1000', '20'],
      ],
    );
  });

  it('run the builder each minute, with the time and memory for a large table, and never twice for one minute', () => {
    const builderId = idOf(template, 'AWS::Lambda::Function', 'BackendUpdatesBuilder');
    const { Timeout, MemorySize } = only(template, 'AWS::Lambda::Function', 'BackendUpdatesBuilder').Properties;
    assert.deepEqual([Timeout, MemorySize], [900, 2048]);
    const { ScheduleExpression, Targets } = only(template, 'AWS::Events::Rule').Properties;
    const target = { Arn: { 'Fn::GetAtt': [builderId, 'Arn'] } };
    const never = { MaximumEventAgeInSeconds: 60, MaximumRetryAttempts: 0 };
    assert.equal(ScheduleExpression, 'rate(1 minute)');
    assert.deepEqual(Targets, [{ Id: 'Target0', ...target, RetryPolicy: never }]);
    const config = only(template, 'AWS::Lambda::EventInvokeConfig').Properties;
    assert.deepEqual(config, { FunctionName: { Ref: builderId }, Qualifier: '$LATEST', ...never });
  });

  it('are asked for once a second, or as seldom as leaves half of the calls to checks', () => {
    const pollMs = (context: object) =>
      environmentOf(templateOf({ ...context }), 'BackendCheck').HAVERDICT_UPDATE_POLL_MS;
    assert.deepEqual(
      [pollMs({}), pollMs({ agents: 50 }), pollMs({ agents: 100 }), pollMs({ updatePollMs: 5000 })],
      ['1000', '1000', '2000', '5000'],
    );
    assert.throws(
      () => templateOf({ agents: 100, updatePollMs: 1000 }),
      /must be at least 2000 with agents 100 and reservedConcurrency 10, .*, got 1000$/,
    );
  });

  it('are left out altogether if nobody wants them', () => {
    const without = templateOf({ updates: false });
    const ids = Object.keys(without.toJSON().Resources);
    assert.deepEqual(
      ids.filter((id) => /update/i.test(id)),
      [],
    );
    assert.equal(only(without, TABLE).Properties.StreamSpecification, undefined);
    assert.deepEqual(Object.keys(environmentOf(without, 'BackendCheck')).sort(), [
      'HAVERDICT_TABLE',
      'HAVERDICT_TTL_SECONDS',
    ]);
  });

  it('need a stream of a table that exists already, and are not there unless told so', () => {
    const backend = (props: { updates?: boolean; updatePoll?: Duration }, tableStreamArn?: string) => {
      const stack = new Stack(testApp(), 'Theirs');
      const tableArn = 'arn:aws:dynamodb:us-east-1:123456789012:table/theirs';
      const table = TableV2.fromTableAttributes(stack, 'T', { tableArn, ...(tableStreamArn && { tableStreamArn }) });
      new HaverdictBackend(stack, 'Blocklist', { table, ...props });
      return Object.keys(Template.fromStack(stack).findResources('AWS::Lambda::EventSourceMapping')).length;
    };
    const streamArn = 'arn:aws:dynamodb:us-east-1:123456789012:table/theirs/stream/2026-01-01T00:00:00.000';
    assert.deepEqual([backend({}), backend({}, streamArn), backend({ updates: true }, streamArn)], [0, 0, 1]);
    assert.throws(() => backend({ updates: true }), /updates must be false, or `table` one with a stream/);
    assert.throws(() => backend({ updatePoll: Duration.seconds(1) }), /updatePoll must be left out without `updates`/);
    assert.throws(
      () => backend({ updates: true, updatePoll: Duration.seconds(16) }, streamArn),
      /updatePoll must be a Duration from/,
    );
  });
});

function environmentOf(template: Template, idStart: string): Record<string, unknown> {
  const { Environment } = only(template, 'AWS::Lambda::Function', idStart).Properties;
  return (Environment as { Variables: Record<string, unknown> }).Variables; // ours have some
}
