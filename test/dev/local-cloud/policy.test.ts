import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { covers, evaluate, parsePolicy, type Ruling } from '../../../dev/local-cloud/policy.ts';

const TABLE = 'arn:aws:dynamodb:eu-west-1:123456789012:table/haverdict';
const READ = { Effect: 'Allow', Action: 'dynamodb:BatchGetItem', Resource: TABLE };

interface Case {
  readonly name: string;
  readonly statements: readonly object[];
  readonly action?: string;
  readonly resource?: string;
  readonly context?: Readonly<Record<string, string | readonly string[]>>;
  readonly ruling: Ruling;
}

const url = (operator: string, values: unknown) => [
  { ...READ, Condition: { [operator]: { 'lambda:FunctionUrlAuthType': values } } },
];
const iam = { 'lambda:FunctionUrlAuthType': 'AWS_IAM' };

const canaries = [{ ...READ, Condition: { 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': ['@canary:*'] } } }];
const keys = (...values: string[]) => ({ 'dynamodb:LeadingKeys': values });

const CASES: readonly Case[] = [
  { name: 'allows a key that is like it', statements: canaries, context: keys('@canary:a'), ruling: 'allowed' },
  { name: 'allows no other key', statements: canaries, context: keys('ip:192.0.2.1'), ruling: 'not allowed' },
  {
    name: 'allows no key beside those that are like it',
    statements: canaries,
    context: keys('@canary:a', '@lists'),
    ruling: 'not allowed',
  },
  { name: 'allows where there are no keys, as AWS does', statements: canaries, context: {}, ruling: 'allowed' },
  { name: 'says no where nothing is said', statements: [], ruling: 'not allowed' },
  { name: 'allows what is allowed', statements: [READ], ruling: 'allowed' },
  { name: 'allows no other action', statements: [READ], action: 'dynamodb:PutItem', ruling: 'not allowed' },
  { name: 'allows no other resource', statements: [READ], resource: `${TABLE}2`, ruling: 'not allowed' },
  {
    name: 'takes the case of an action lightly',
    statements: [{ ...READ, Action: 'DynamoDB:batchgetitem' }],
    ruling: 'allowed',
  },
  {
    name: 'takes the case of a resource seriously',
    statements: [READ],
    resource: TABLE.toUpperCase(),
    ruling: 'not allowed',
  },
  {
    name: 'lets a star stand for anything',
    statements: [{ ...READ, Action: 'dynamodb:*', Resource: '*' }],
    ruling: 'allowed',
  },
  { name: 'lets a star stand inside', statements: [{ ...READ, Action: 'dynamodb:Batch*Item' }], ruling: 'allowed' },
  {
    name: 'lets a question mark stand for one character',
    statements: [{ ...READ, Resource: TABLE.replace('eu', '??') }],
    ruling: 'allowed',
  },
  {
    name: 'lets a question mark not stand for two',
    statements: [{ ...READ, Resource: TABLE.replace('eu', '?') }],
    ruling: 'not allowed',
  },
  {
    name: 'does not let a dot stand for anything',
    statements: [{ ...READ, Resource: TABLE.replace('/', '.') }],
    ruling: 'not allowed',
  },
  {
    name: 'takes any of several actions',
    statements: [{ ...READ, Action: ['a:B', 'dynamodb:BatchGetItem'] }],
    ruling: 'allowed',
  },
  { name: 'takes any of several statements', statements: [{ ...READ, Action: 'a:B' }, READ], ruling: 'allowed' },
  {
    name: 'lets a deny win, whatever the order',
    statements: [{ ...READ, Effect: 'Deny', Action: 'dynamodb:Batch*' }, READ],
    ruling: 'denied explicitly',
  },
  {
    name: 'does not deny what the deny does not mean',
    statements: [READ, { ...READ, Effect: 'Deny', Action: 'dynamodb:PutItem' }],
    ruling: 'allowed',
  },
  {
    name: 'asks every condition',
    statements: [
      {
        ...READ,
        Condition: {
          StringEquals: { 'lambda:FunctionUrlAuthType': 'AWS_IAM' },
          Bool: { 'aws:SecureTransport': 'true' },
        },
      },
    ],
    context: { ...iam, 'aws:SecureTransport': 'false' },
    ruling: 'not allowed',
  },
  { name: 'StringEquals: equal', statements: url('StringEquals', 'AWS_IAM'), context: iam, ruling: 'allowed' },
  {
    name: 'StringEquals: one of several',
    statements: url('StringEquals', ['NONE', 'AWS_IAM']),
    context: iam,
    ruling: 'allowed',
  },
  { name: 'StringEquals: other', statements: url('StringEquals', 'NONE'), context: iam, ruling: 'not allowed' },
  {
    name: 'StringEquals: no such key in the request',
    statements: url('StringEquals', 'AWS_IAM'),
    ruling: 'not allowed',
  },
  { name: 'StringEquals: no wildcards', statements: url('StringEquals', 'AWS_*'), context: iam, ruling: 'not allowed' },
  {
    name: 'StringEqualsIfExists: no such key in the request',
    statements: url('StringEqualsIfExists', 'AWS_IAM'),
    ruling: 'allowed',
  },
  {
    name: 'StringEqualsIfExists: other',
    statements: url('StringEqualsIfExists', 'NONE'),
    context: iam,
    ruling: 'not allowed',
  },
  { name: 'StringNotEquals: other', statements: url('StringNotEquals', 'NONE'), context: iam, ruling: 'allowed' },
  {
    name: 'StringNotEquals: one of several',
    statements: url('StringNotEquals', ['NONE', 'AWS_IAM']),
    context: iam,
    ruling: 'not allowed',
  },
  {
    name: 'StringNotEquals: no such key in the request',
    statements: url('StringNotEquals', 'NONE'),
    ruling: 'allowed',
  },
  { name: 'StringLike: wildcard', statements: url('StringLike', 'AWS_*'), context: iam, ruling: 'allowed' },
  {
    name: 'Bool: a boolean of the template',
    statements: [{ ...READ, Condition: { Bool: { 'lambda:InvokedViaFunctionUrl': true } } }],
    context: { 'lambda:invokedviafunctionurl': 'true' },
    ruling: 'allowed',
  },
  {
    name: 'Bool: false',
    statements: [{ ...READ, Condition: { Bool: { 'aws:SecureTransport': 'false' } } }],
    context: { 'aws:SecureTransport': 'true' },
    ruling: 'not allowed',
  },
  { name: 'Null: must be absent', statements: url('Null', 'true'), context: iam, ruling: 'not allowed' },
  { name: 'Null: must be there', statements: url('Null', 'false'), context: iam, ruling: 'allowed' },
  {
    name: 'ArnLike: a star in one part',
    statements: [{ ...READ, Condition: { ArnLike: { 'aws:PrincipalArn': 'arn:aws:*:eu-west-1:*:table/*' } } }],
    context: { 'aws:PrincipalArn': TABLE },
    ruling: 'allowed',
  },
  {
    name: 'ArnLike: no star over a colon',
    statements: [{ ...READ, Condition: { ArnLike: { 'aws:PrincipalArn': 'arn:*:table/haverdict' } } }],
    context: { 'aws:PrincipalArn': TABLE },
    ruling: 'not allowed',
  },
];

describe('a policy', () => {
  for (const { name, statements, action = 'dynamodb:BatchGetItem', resource = TABLE, context = {}, ruling } of CASES) {
    it(`${name}: ${ruling}`, () => {
      assert.equal(evaluate(parsePolicy({ Statement: statements }, 'test'), { action, resource, context }), ruling);
    });
  }

  const REFUSED: readonly { statement: object; names: RegExp }[] = [
    { statement: { Effect: 'Allow', NotAction: 'a:B', Resource: '*' }, names: /NotAction in a statement of test/ },
    { statement: { Effect: 'Allow', Action: 'a:B', NotResource: '*' }, names: /NotResource/ },
    { statement: { Effect: 'Allow', Action: 'a:B' }, names: /a statement of test names no resource/ },
    { statement: { ...READ, Effect: 'Maybe' }, names: /effect Maybe/ },
    // biome-ignore lint/suspicious/noTemplateCurlyInString: it is the syntax of policy variables
    { statement: { ...READ, Resource: 'arn:aws:s3:::b/${aws:username}' }, names: /policy variable/ },
    {
      statement: { ...READ, Condition: { DateLessThan: { 'aws:SecureTransport': '1' } } },
      names: /operator DateLessThan/,
    },
    {
      statement: { ...READ, Condition: { 'ForAnyValue:StringLike': { 'aws:PrincipalArn': '1' } } },
      names: /ForAnyValue/,
    },
    { statement: { ...READ, Condition: { StringEquals: { 'aws:SourceVpc': 'vpc-1' } } }, names: /key aws:SourceVpc/ },
  ];
  for (const { statement, names } of REFUSED) {
    it(`stops at what is not imitated: ${names.source}`, () => {
      assert.throws(() => parsePolicy({ Statement: [statement] }, 'test'), names);
    });
  }

  it('stops at a document without statements', () => {
    assert.throws(() => parsePolicy({ Version: '2012-10-17' }, 'test'), /the policy of test has no statement/);
  });
});

describe('a pattern', () => {
  it('has no special characters but star and question mark', () => {
    assert.ok(covers('a+(b)[c]{2}^$|\\.', 'a+(b)[c]{2}^$|\\.'));
    assert.ok(covers('a*', 'a\nb'));
    assert.ok(!covers('a*', 'ba'));
  });
});
