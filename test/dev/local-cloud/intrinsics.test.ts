// biome-ignore-all lint/suspicious/noTemplateCurlyInString: it is the syntax of Fn::Sub
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Template } from '../../../dev/local-cloud/assembly.ts';
import { Intrinsics } from '../../../dev/local-cloud/intrinsics.ts';

const TEMPLATE: Template = {
  Resources: {},
  Parameters: {
    Size: { Type: 'String', Default: 'small' },
    Secret: { Type: 'String' },
    Version: { Type: 'AWS::SSM::Parameter::Value<String>', Default: '/path' },
  },
  Conditions: {
    IsSmall: { 'Fn::Equals': [{ Ref: 'Size' }, 'small'] },
    IsBig: { 'Fn::Not': [{ Condition: 'IsSmall' }] },
    Both: { 'Fn::And': [{ Condition: 'IsSmall' }, { Condition: 'IsBig' }] },
    Either: { 'Fn::Or': [{ Condition: 'IsSmall' }, { Condition: 'IsBig' }] },
    Strange: { 'Fn::Contains': [['a'], 'a'] },
  },
  Mappings: { Map: { key: { name: 'mapped' } } },
};

const intrinsics = new Intrinsics({
  template: TEMPLATE,
  pseudo: { 'AWS::Region': 'eu-west-1' },
  names: (id) => {
    if (id !== 'Table') throw new Error(`unknown resource or parameter ${id}`);
    return { ref: 'haverdict', attributes: { Arn: 'arn:table' } };
  },
});

describe('intrinsic functions', () => {
  const RESOLVED: readonly [what: string, value: unknown, expected: unknown][] = [
    ['plain values', { a: [1, 'b', true, null] }, { a: [1, 'b', true, null] }],
    ['Ref to a resource', { Ref: 'Table' }, 'haverdict'],
    ['Ref to a parameter', { Ref: 'Size' }, 'small'],
    ['Ref to a pseudo parameter', { Ref: 'AWS::Region' }, 'eu-west-1'],
    ['Ref to no value', { a: { Ref: 'AWS::NoValue' }, b: [{ Ref: 'AWS::NoValue' }, 1] }, { b: [1] }],
    [
      'Fn::GetAtt in both forms',
      [{ 'Fn::GetAtt': ['Table', 'Arn'] }, { 'Fn::GetAtt': 'Table.Arn' }],
      ['arn:table', 'arn:table'],
    ],
    ['Fn::Join', { 'Fn::Join': ['-', ['a', { Ref: 'Table' }, 3]] }, 'a-haverdict-3'],
    [
      'Fn::Sub',
      { 'Fn::Sub': 'x${Table}:${Table.Arn}:${AWS::Region}:${!Literal}' },
      'xhaverdict:arn:table:eu-west-1:${Literal}',
    ],
    ['Fn::Sub with values', { 'Fn::Sub': ['${A}/${Table}', { A: { Ref: 'Size' } }] }, 'small/haverdict'],
    ['Fn::Split and Fn::Select', { 'Fn::Select': ['1', { 'Fn::Split': [':', 'a:b:c'] }] }, 'b'],
    ['Fn::If', { 'Fn::If': ['IsSmall', 'yes', { 'Fn::Nothing': 1 }] }, 'yes'],
    ['Fn::If, otherwise', { 'Fn::If': ['IsBig', 'yes', { Ref: 'Table' }] }, 'haverdict'],
    ['Fn::FindInMap', { 'Fn::FindInMap': ['Map', 'key', 'name'] }, 'mapped'],
    ['functions within functions', { 'Fn::Join': ['', ['arn:', { 'Fn::Sub': '${AWS::Region}' }]] }, 'arn:eu-west-1'],
    ['an object that only looks like one', { Ref: 'Table', Other: 1 }, { Ref: 'Table', Other: 1 }],
  ];
  for (const [what, value, expected] of RESOLVED) {
    it(`resolve ${what}`, () => {
      assert.deepEqual(intrinsics.resolve(value), expected);
    });
  }

  const REFUSED: readonly [value: unknown, names: RegExp][] = [
    [{ 'Fn::ImportValue': 'x' }, /Fn::ImportValue is not imitated/],
    [{ Ref: 'AWS::NotificationARNs' }, /pseudo parameter AWS::NotificationARNs is not imitated/],
    [{ Ref: 'Nobody' }, /unknown resource or parameter Nobody/],
    [{ Ref: 'Secret' }, /parameter Secret of type String has no value here/],
    [{ Ref: 'Version' }, /parameter Version of type AWS::SSM::Parameter::Value<String> has no value here/],
    [{ 'Fn::GetAtt': ['Table', 'StreamArn'] }, /attribute StreamArn of Table .*is not imitated/],
    [{ 'Fn::FindInMap': ['Map', 'key', 'other'] }, /nothing in map Map under key, other/],
    [{ 'Fn::If': ['Nothing', 1, 2] }, /unknown condition Nothing/],
    [{ 'Fn::If': ['Strange', 1, 2] }, /condition function Fn::Contains is not imitated/],
    [{ 'Fn::Join': ['', [['a']]] }, /\["a"\] is not a string/],
    [{ 'Fn::Select': ['0', 'abc'] }, /"abc" is not a list/],
  ];
  for (const [value, names] of REFUSED) {
    it(`stop at ${JSON.stringify(value)}`, () => {
      assert.throws(() => intrinsics.resolve(value), names);
    });
  }

  it('tell which conditions hold', () => {
    const held = ['IsSmall', 'IsBig', 'Both', 'Either', undefined].map((name) => intrinsics.holds(name));
    assert.deepEqual(held, [true, false, false, true, true]);
  });
});
