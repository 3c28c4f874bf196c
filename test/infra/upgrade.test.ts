import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { templateOf } from './synthesized.ts';

interface Template {
  readonly Resources: Readonly<Record<string, { readonly Type: string; readonly Properties: Record<string, unknown> }>>;
  readonly Outputs: Readonly<Record<string, unknown>>;
}

/** What version 0.1.0 deployed with these settings, without alarms and dashboard. */
const BEFORE: Template = JSON.parse(readFileSync(new URL('template-0.1.0.json', import.meta.url), 'utf8'));
const SETTINGS = { agentPrincipal: 'arn:aws:iam::123456789012:root', replicas: ['eu-west-1'] };

/** The properties whose change replaces a resource, from the documentation of CloudFormation. */
const CREATE_ONLY: Readonly<Record<string, readonly string[]>> = {
  'AWS::DynamoDB::GlobalTable': ['TableName', 'KeySchema', 'LocalSecondaryIndexes'],
  'AWS::IAM::ManagedPolicy': ['ManagedPolicyName', 'Description', 'Path'],
  'AWS::IAM::Policy': [],
  'AWS::IAM::Role': ['RoleName', 'Path'],
  'AWS::Lambda::Function': ['FunctionName', 'PackageType'],
  'AWS::Lambda::Url': ['TargetFunctionArn', 'Qualifier'],
  'AWS::Logs::LogGroup': ['LogGroupName'],
};

describe('the upgrade from 0.1.0', () => {
  const now = templateOf(SETTINGS).toJSON() as Template;

  it('replaces and removes nothing', () => {
    for (const [id, { Type, Properties }] of Object.entries(BEFORE.Resources)) {
      assert.equal(now.Resources[id]?.Type, Type, id);
      for (const name of CREATE_ONLY[Type] ?? assert.fail(`what is of ${Type}?`))
        assert.deepEqual(now.Resources[id]?.Properties[name], Properties[name], `${id}: ${name}`);
    }
  });

  it('keeps the table and its data as they are', () => {
    const [id = ''] = Object.keys(BEFORE.Resources).filter((id) => id.startsWith('BackendTable'));
    assert.deepEqual(now.Resources[id], BEFORE.Resources[id]);
  });

  it('keeps the old URL, which agents may still call, and prints it beside the new one', () => {
    const [id = ''] = Object.keys(BEFORE.Resources).filter((id) => id.endsWith('FunctionUrl79EF92AE'));
    assert.deepEqual(now.Resources[id], BEFORE.Resources[id]);
    const url = { 'Fn::GetAtt': [id, 'FunctionUrl'] };
    assert.deepEqual(BEFORE.Outputs.FunctionUrl, { Value: url });
    assert.deepEqual(now.Outputs.UnqualifiedUrl, { Value: url });
    assert.notDeepEqual(now.Outputs.FunctionUrl, { Value: url });
  });

  it('keeps every output', () => {
    for (const name of Object.keys(BEFORE.Outputs)) assert.ok(name in now.Outputs, name);
  });
});
