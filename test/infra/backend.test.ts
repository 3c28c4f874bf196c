import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { AccountPrincipal, ArnPrincipal, Role } from 'aws-cdk-lib/aws-iam';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { HaverdictBackend } from '../../infra/backend.ts';
import { SettingsError } from '../../infra/settings-error.ts';
import { statementsOf, testApp } from './synthesized.ts';

describe('HaverdictBackend in an app of somebody else', () => {
  it('stands twice in a stack of no certain region, and names no table', () => {
    const stack = new Stack(testApp(), 'Theirs');
    new HaverdictBackend(stack, 'One');
    new HaverdictBackend(stack, 'Two', { reservedConcurrency: 'none' });
    const tables = Object.values(Template.fromStack(stack).findResources('AWS::DynamoDB::GlobalTable'));
    assert.equal(tables.length, 4);
    for (const { Properties } of tables) assert.equal(Properties.TableName, undefined);
  });

  it('grants calling and editing to roles of theirs, one after the other', () => {
    const stack = new Stack(testApp(), 'Theirs');
    const backend = new HaverdictBackend(stack, 'Blocklist');
    const roles = ['First', 'Second'].map(
      (id) => new Role(stack, id, { assumedBy: new AccountPrincipal('123456789012') }),
    );
    for (const role of roles) backend.grantInvoke(role);
    const [first] = roles;
    if (first !== undefined) backend.grantOperate(first);
    const template = Template.fromStack(stack);
    const invoking = ['lambda:InvokeFunctionUrl', 'lambda:InvokeFunction'];
    assert.deepEqual(actions(template, 'SecondDefaultPolicy'), invoking);
    assert.deepEqual(actions(template, 'FirstDefaultPolicy').slice(0, 3), [...invoking, 'dynamodb:Query']);
  });

  it('grants calling to a role of another account by the policy of the function, with both permissions', () => {
    const stack = new Stack(testApp(), 'Theirs');
    new HaverdictBackend(stack, 'Blocklist').grantInvoke(new ArnPrincipal('arn:aws:iam::123456789012:role/edge'));
    const permissions = Object.values(Template.fromStack(stack).findResources('AWS::Lambda::Permission'));
    const ofEdge = permissions.filter(({ Properties }) => Properties.Principal !== 'events.amazonaws.com');
    assert.deepEqual(
      ofEdge.map(({ Properties: { Action, FunctionUrlAuthType, InvokedViaFunctionUrl } }) => [
        Action,
        FunctionUrlAuthType ?? InvokedViaFunctionUrl,
      ]),
      [0, 1].flatMap(() => [
        ['lambda:InvokeFunctionUrl', 'AWS_IAM'],
        ['lambda:InvokeFunction', true],
      ]),
    );
  });

  it('takes what only CloudFormation knows', () => {
    const stack = new Stack(testApp(), 'Theirs');
    const topic = new Topic(stack, 'Topic');
    const { alarms } = new HaverdictBackend(stack, 'Blocklist', { alarmTopic: topic });
    assert.equal(alarms.length, 13);
    const [alarm] = Object.values(Template.fromStack(stack).findResources('AWS::CloudWatch::Alarm'));
    assert.deepEqual(alarm?.Properties.AlarmActions, [stack.resolve(topic.topicArn)]);
  });

  it('says which construct has which wrong setting', () => {
    const stack = new Stack(testApp(), 'Theirs');
    assert.throws(
      () => new HaverdictBackend(stack, 'Blocklist', { memorySize: 64 }),
      new SettingsError('Theirs/Blocklist: memorySize must be a whole number from 128 to 10240, not 64'),
    );
  });
});

function actions(template: Template, idStart: string): string[] {
  return statementsOf(template, idStart).flatMap(({ Action }) => Action);
}
