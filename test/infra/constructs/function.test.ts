import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { idOf, only, statementsOf, templateOf } from '../synthesized.ts';

const CHECK = 'BackendCheck';

describe('the function', () => {
  const template = templateOf({ updates: false });
  const { Properties } = only(template, 'AWS::Lambda::Function', CHECK);

  it('runs on the newest Node on arm64, with time and memory to answer in milliseconds', () => {
    const { Runtime, Architectures, MemorySize, Timeout, Handler } = Properties;
    assert.deepEqual(
      { Runtime, Architectures, MemorySize, Timeout, Handler },
      { Runtime: 'nodejs24.x', Architectures: ['arm64'], MemorySize: 512, Timeout: 5, Handler: 'index.handler' },
    );
  });

  it('knows the table and the lifetime of verdicts', () => {
    const tableId = idOf(template, 'AWS::DynamoDB::GlobalTable', 'BackendTable');
    const { Properties: other } = only(templateOf({ ttlSeconds: 60, updates: false }), 'AWS::Lambda::Function', CHECK);
    assert.deepEqual(Properties.Environment, {
      Variables: { HAVERDICT_TABLE: { Ref: tableId }, HAVERDICT_TTL_SECONDS: '300' },
    });
    assert.deepEqual(other.Environment, {
      Variables: { HAVERDICT_TABLE: { Ref: tableId }, HAVERDICT_TTL_SECONDS: '60' },
    });
  });

  it('runs no more often at a time than paid for, unless told to take what there is', () => {
    const reserved = (context: object) =>
      only(templateOf({ ...context }), 'AWS::Lambda::Function', CHECK).Properties.ReservedConcurrentExecutions;
    assert.equal(Properties.ReservedConcurrentExecutions, 10);
    assert.equal(reserved({ reservedConcurrency: 25 }), 25);
    assert.equal(reserved({ reservedConcurrency: 'none' }), undefined);
  });

  it('writes JSON into a log group of its own, which forgets, and no line for each start and end', () => {
    const groupId = idOf(template, 'AWS::Logs::LogGroup', CHECK);
    assert.deepEqual(Properties.LoggingConfig, {
      ApplicationLogLevel: 'INFO',
      LogFormat: 'JSON',
      LogGroup: { Ref: groupId },
      SystemLogLevel: 'WARN',
    });
    assert.equal(only(template, 'AWS::Logs::LogGroup', CHECK).Properties.RetentionInDays, 30);
    assert.equal(only(templateOf({ logRetentionDays: 7 }), 'AWS::Logs::LogGroup', CHECK).Properties.RetentionInDays, 7);
  });

  it('may read its table by key and write its log, and nothing else', () => {
    const tableId = idOf(template, 'AWS::DynamoDB::GlobalTable', 'BackendTable');
    const groupId = idOf(template, 'AWS::Logs::LogGroup', CHECK);
    assert.deepEqual(
      statementsOf(template, 'BackendCheckRoleDefaultPolicy').map(({ Action, Resource }) => ({ Action, Resource })),
      [
        { Action: ['logs:CreateLogStream', 'logs:PutLogEvents'], Resource: { 'Fn::GetAtt': [groupId, 'Arn'] } },
        { Action: 'dynamodb:BatchGetItem', Resource: { 'Fn::GetAtt': [tableId, 'Arn'] } },
      ],
    );
  });

  it('has URLs that only signed requests get through, and lets nobody in by a policy of its own', () => {
    for (const { Properties } of Object.values(template.findResources('AWS::Lambda::Url')))
      assert.equal(Properties.AuthType, 'AWS_IAM');
    template.resourceCountIs('AWS::Lambda::Permission', 0);
  });

  it('has its URL on the alias live, and the one of version 0.1 on the function until told otherwise', () => {
    const qualifiers = (context: object) =>
      Object.values(templateOf({ ...context }).findResources('AWS::Lambda::Url')).map(
        ({ Properties }) => Properties.Qualifier,
      );
    assert.deepEqual(qualifiers({}).sort(), ['live', undefined]);
    assert.deepEqual(qualifiers({ unqualifiedUrl: false }), ['live']);
    const outputs = ({ unqualifiedUrl = true }) => Object.keys(templateOf({ unqualifiedUrl }).toJSON().Outputs);
    assert.ok(outputs({}).includes('UnqualifiedUrl'));
    assert.ok(!outputs({ unqualifiedUrl: false }).includes('UnqualifiedUrl'));
  });

  it('keeps each version, to which the alias can be rolled back', () => {
    const version = only(template, 'AWS::Lambda::Version');
    assert.deepEqual([version.DeletionPolicy, version.UpdateReplacePolicy], ['Retain', 'Retain']);
  });

  it('has copies that are kept started on the alias, if they are asked for', () => {
    const provisioned = (context: object) =>
      only(templateOf({ ...context }), 'AWS::Lambda::Alias').Properties.ProvisionedConcurrencyConfig;
    assert.equal(provisioned({}), undefined);
    assert.deepEqual(provisioned({ provisionedConcurrency: 2 }), { ProvisionedConcurrentExecutions: 2 });
  });
});
