import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { duplicateName } from '../../../cli/formats/json-document.ts';

describe('a name that stands twice in an object', () => {
  for (const [json, name] of [
    ['{"a":1,"a":2}', 'a'],
    ['{"a":{"b":1,"c":[{"d":1,"d":2}]}}', 'd'],
    ['{"a":{"x":1},"b":{"x":1},"a":1}', 'a'],
    ['[{"a":1},{"a":1}]', undefined],
    ['{"a":"{\\"a\\":1,\\"a\\":","b":"a"}', undefined],
    ['{"a":1,"\\u0061":2}', 'a'],
    ['{"\\"" : 1, "\\"": 2}', '"'],
    ['["a","a"]', undefined],
    ['"a"', undefined],
  ] as const)
    it(`${json} has ${name}`, () => assert.equal(duplicateName(json), name));

  it('is in no JSON that was written from a value, and in each to which one is added', () => {
    fc.assert(
      fc.property(fc.json(), fc.string(), fc.json(), (inner, name, value) => {
        assert.equal(duplicateName(inner), undefined);
        const member = `${JSON.stringify(name)}:${value}`;
        assert.equal(duplicateName(`[${inner},{${member},"${name.length}x":${inner}, ${member}}]`), name);
      }),
    );
  });
});
