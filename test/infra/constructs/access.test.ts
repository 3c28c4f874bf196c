import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { idOf, type Statement, statementsOf, templateOf } from '../synthesized.ts';

const ROLE = 'arn:aws:iam::123456789012:role/haproxy';

describe('access', () => {
  const template = templateOf();
  const functionId = idOf(template, 'AWS::Lambda::Function', 'BackendCheck');
  const tableId = idOf(template, 'AWS::DynamoDB::GlobalTable', 'BackendTable');
  const table = { 'Fn::GetAtt': [tableId, 'Arn'] };

  it('gives agents both permissions that a URL asks for, each under its condition, for the alias and for the function', () => {
    const [aliasId] = Object.keys(template.findResources('AWS::Lambda::Alias'));
    const Resource = [{ 'Fn::GetAtt': [functionId, 'Arn'] }, { Ref: aliasId }];
    assert.deepEqual(statementsOf(template, 'BackendAccessAgentPolicy'), [
      {
        Action: 'lambda:InvokeFunctionUrl',
        Condition: { StringEquals: { 'lambda:FunctionUrlAuthType': 'AWS_IAM' } },
        Effect: 'Allow',
        Resource,
      },
      {
        Action: 'lambda:InvokeFunction',
        Condition: { Bool: { 'lambda:InvokedViaFunctionUrl': true } },
        Effect: 'Allow',
        Resource,
      },
    ]);
  });

  it('gives operators what the command line does, on this table, its index and the log of its changes', () => {
    const index = { 'Fn::Join': ['', [table, '/index/by-list']] };
    const log = { 'Fn::GetAtt': [idOf(template, 'AWS::DynamoDB::GlobalTable', 'BackendUpdatesTable'), 'Arn'] };
    assert.deepEqual(statementsOf(template, 'BackendAccessOperatorPolicy'), [
      { Action: 'dynamodb:Query', Effect: 'Allow', Resource: [table, log, index] },
      {
        Action: ['BatchGetItem', 'BatchWriteItem', 'DeleteItem', 'DescribeTable', 'PutItem', 'Scan', 'UpdateItem'].map(
          (operation) => `dynamodb:${operation}`,
        ),
        Effect: 'Allow',
        Resource: table,
      },
    ]);
  });

  it('gives readers what of that changes nothing', () => {
    const index = { 'Fn::Join': ['', [table, '/index/by-list']] };
    assert.deepEqual(statementsOf(template, 'BackendAccessReaderPolicy'), [
      { Action: 'dynamodb:Query', Effect: 'Allow', Resource: [table, index] },
      {
        Action: ['dynamodb:BatchGetItem', 'dynamodb:DescribeTable', 'dynamodb:Scan'],
        Effect: 'Allow',
        Resource: table,
      },
    ]);
  });

  it('has no role for agents unless somebody is named who may assume it', () => {
    const functions = ['BackendCheckRole', 'BackendUpdatesBuilderRole', 'BackendUpdatesWriterRole'];
    assert.deepEqual(rolesOf(template), functions);
    const named = templateOf({ agentPrincipal: ROLE });
    assert.deepEqual(rolesOf(named), ['BackendAccessAgentRole', ...functions]);
    const role = Object.entries(named.findResources('AWS::IAM::Role')).find(([id]) => id.includes('AgentRole'))?.[1];
    assert.deepEqual(role?.Properties.AssumeRolePolicyDocument.Statement, [
      { Action: 'sts:AssumeRole', Effect: 'Allow', Principal: { AWS: ROLE } },
    ]);
    const [policyId] = Object.keys(named.findResources('AWS::IAM::ManagedPolicy')).filter((id) => id.includes('Agent'));
    assert.deepEqual(role?.Properties.ManagedPolicyArns, [{ Ref: policyId }]);
    assert.deepEqual(named.toJSON().Outputs.AgentRoleArn.Value['Fn::GetAtt'][1], 'Arn');
  });

  it('has no wildcard in any action, resource or principal', () => {
    const everything = templateOf({ agentPrincipal: ROLE, replicas: ['eu-west-1'] }).toJSON().Resources;
    const statements = Object.values<{ Properties: Record<string, unknown> }>(everything).flatMap(
      ({ Properties }) =>
        [Properties.PolicyDocument, Properties.AssumeRolePolicyDocument, Properties.ResourcePolicy]
          .filter((document) => document !== undefined)
          .flatMap((document) => (document as { Statement: Statement[] }).Statement), // every policy document has it
    );
    assert.equal(statements.length, 22);
    assert.deepEqual(
      statements.filter(({ Condition: _keys, ...statement }) => JSON.stringify(statement).includes('*')),
      [],
    );
  });

  it('uses none of the managed policies of AWS', () => {
    assert.deepEqual(JSON.stringify(template.toJSON()).match(/:iam::aws:policy/g), null);
  });
});

function rolesOf(template: ReturnType<typeof templateOf>): string[] {
  return Object.keys(template.findResources('AWS::IAM::Role'))
    .map((id) => id.slice(0, -8)) // what follows is a hash
    .sort();
}
