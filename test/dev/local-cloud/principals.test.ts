import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Assembly, Resource } from '../../../dev/local-cloud/assembly.ts';
import { nameResources } from '../../../dev/local-cloud/named-resources.ts';
import { AccessDenied, ANONYMOUS, Principals } from '../../../dev/local-cloud/principals.ts';

const ROLE = 'arn:aws:iam::111122223333:role/reader';
const FUNCTION = 'arn:aws:lambda:eu-west-1:111122223333:function:check';
const TRUST = statement({ Effect: 'Allow', Action: 'sts:AssumeRole', Principal: { Service: 'lambda.amazonaws.com' } });
const READ = { action: 'dynamodb:GetItem', resource: 'arn:table', context: {} };
const INVOKE = {
  action: 'lambda:InvokeFunctionUrl',
  resource: FUNCTION,
  context: { 'lambda:FunctionUrlAuthType': 'AWS_IAM' },
};

const reader = (properties: object = {}): Record<string, Resource> => ({
  Role: { Type: 'AWS::IAM::Role', Properties: { RoleName: 'reader', AssumeRolePolicyDocument: TRUST, ...properties } },
});
const allowRead = statement({ Effect: 'Allow', Action: 'dynamodb:GetItem', Resource: '*' });
const denyRead = statement({ Effect: 'Deny', Action: 'dynamodb:*', Resource: '*' });

describe('the principals of a template', () => {
  const WAYS: readonly [way: string, resources: Record<string, Resource>][] = [
    ['a policy of its own', reader({ Policies: [{ PolicyDocument: allowRead }] })],
    [
      'a policy attached to it',
      {
        ...reader(),
        P: { Type: 'AWS::IAM::Policy', Properties: { Roles: [{ Ref: 'Role' }], PolicyDocument: allowRead } },
      },
    ],
    [
      'a managed policy that it names',
      {
        ...reader({ ManagedPolicyArns: [{ Ref: 'P' }] }),
        P: { Type: 'AWS::IAM::ManagedPolicy', Properties: { PolicyDocument: allowRead } },
      },
    ],
    [
      'a managed policy that names it',
      {
        ...reader(),
        P: { Type: 'AWS::IAM::ManagedPolicy', Properties: { Roles: [{ Ref: 'Role' }], PolicyDocument: allowRead } },
      },
    ],
  ];
  for (const [way, resources] of WAYS) {
    it(`have the rights of ${way}`, () => {
      const principals = principalsOf(resources);
      principals.check(principals.find(ROLE), READ);
      assert.throws(() => principals.check(principals.find(ROLE), { ...READ, action: 'dynamodb:Scan' }), AccessDenied);
    });
  }

  it('lose a right that another policy denies', () => {
    const principals = principalsOf(
      reader({ Policies: [{ PolicyDocument: allowRead }, { PolicyDocument: denyRead }] }),
    );
    assert.throws(() => principals.check(principals.find(ROLE), READ), {
      message:
        'User: arn:aws:sts::111122223333:assumed-role/reader/local is not authorized to perform: dynamodb:GetItem on resource: arn:table with an explicit deny',
    });
  });

  it('may do what both a policy and the permissions boundary allow', () => {
    const boundary = (document: object): Record<string, Resource> => ({
      ...reader({ Policies: [{ PolicyDocument: allowRead }], PermissionsBoundary: { Ref: 'B' } }),
      B: { Type: 'AWS::IAM::ManagedPolicy', Properties: { PolicyDocument: document } },
    });
    const read = (resources: Record<string, Resource>) => {
      const principals = principalsOf(resources);
      principals.check(principals.find(ROLE), READ);
    };
    read(boundary(allowRead));
    assert.throws(() => read({ ...boundary(allowRead), ...reader({ PermissionsBoundary: { Ref: 'B' } }) }), {
      message: /because no policy allows the dynamodb:GetItem action$/,
    });
    assert.throws(() => read(boundary(statement({ Effect: 'Allow', Action: 'dynamodb:Scan', Resource: '*' }))), {
      message: /because no permissions boundary allows the dynamodb:GetItem action$/,
    });
    assert.throws(() => read(boundary(denyRead)), { message: /with an explicit deny$/ });
  });

  it('may do what a permission of the function allows them', () => {
    const permission = (principal: string): Record<string, Resource> => ({
      Permission: {
        Type: 'AWS::Lambda::Permission',
        Properties: {
          ...{ Action: 'lambda:InvokeFunctionUrl', FunctionName: FUNCTION },
          ...{ Principal: principal, FunctionUrlAuthType: 'AWS_IAM' },
        },
      },
    });
    const may = (principal: string) => {
      const principals = principalsOf({ ...reader(), ...permission(principal) });
      return principals.check(principals.find(ROLE), INVOKE);
    };
    may(ROLE);
    may('*');
    for (const other of ['111122223333', `${ROLE}2`]) assert.throws(() => may(other), AccessDenied);
    const everybody = principalsOf(permission('*'));
    everybody.check(ANONYMOUS, INVOKE);
    assert.throws(() => everybody.check(ANONYMOUS, { ...INVOKE, context: {} }), AccessDenied);
  });

  it('let a service call a function for the resource that the permission names, and for no other', () => {
    const principals = principalsOf({
      P: {
        Type: 'AWS::Lambda::Permission',
        Properties: {
          ...{ Action: 'lambda:InvokeFunction', FunctionName: FUNCTION },
          ...{ Principal: 'events.amazonaws.com', SourceArn: 'arn:aws:events:eu-west-1:1:rule/minute' },
        },
      },
    });
    const call = (service: string, rule: string) => {
      const context = { 'aws:SourceArn': `arn:aws:events:eu-west-1:1:rule/${rule}` };
      principals.checkService(service, { action: 'lambda:InvokeFunction', resource: FUNCTION, context });
    };
    call('events.amazonaws.com', 'minute');
    assert.throws(() => call('events.amazonaws.com', 'hour'), AccessDenied);
    assert.throws(() => call('s3.amazonaws.com', 'minute'), AccessDenied);
  });

  it('can be assumed by the service that they trust, and by no other', () => {
    const principals = principalsOf(reader());
    principals.checkTrust(ROLE, 'lambda.amazonaws.com');
    assert.throws(() => principals.checkTrust(ROLE, 'ec2.amazonaws.com'), /not authorized to perform: sts:AssumeRole/);
  });

  const REFUSED: readonly [resources: Record<string, Resource>, says: RegExp][] = [
    [reader({ PermissionsBoundary: 'arn' }), /policy arn of Role is not in the template and not imitated/],
    [{ P: { Type: 'AWS::IAM::Policy', Properties: { Users: ['a'], PolicyDocument: allowRead } } }, /Users of policy P/],
    [{ P: { Type: 'AWS::Lambda::Permission', Properties: { SourceAccount: 'a' } } }, /SourceAccount of permission P/],
  ];
  for (const [resources, says] of REFUSED) {
    it(`stop at what is not imitated: ${says.source}`, () => {
      assert.throws(() => principalsOf(resources), says);
    });
  }

  it('are not found by another name', () => {
    assert.throws(() => principalsOf({}).find(ROLE), /there is neither a role nor a policy arn:aws:iam/);
  });
});

function principalsOf(Resources: Record<string, Resource>): Principals {
  const assembly: Assembly = {
    ...{ stackName: 'Test', account: '111122223333', region: 'eu-west-1', assets: new Map() },
    template: { Resources },
  };
  return new Principals(nameResources(assembly, () => ''));
}

function statement(statement: object): object {
  return { Version: '2012-10-17', Statement: [statement] };
}
