import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { bothConditions } from '../../../haproxy/generate/syntax.ts';

const TEST = '! { var(txn.x) -m found }';

describe('a condition and a test', () => {
  for (const [condition, both] of [
    [undefined, TEST],
    ['{ path /a }', `{ path /a } ${TEST}`],
    ['{ path /a } METH_POST', `{ path /a } METH_POST ${TEST}`],
    ['{ path /a } or !{ path /b }', `{ path /a } ${TEST} or !{ path /b } ${TEST}`],
    ['HTTP || { path /b }', `HTTP ${TEST} or { path /b } ${TEST}`],
    ['{ hdr(x) -m str or || }  or  { path /b }', `{ hdr(x) -m str or || } ${TEST} or { path /b } ${TEST}`],
    ['! { path or } or TRUE', `! { path or } ${TEST} or TRUE ${TEST}`],
  ] as const)
    it(`of "${condition ?? 'none'}"`, () => assert.equal(bothConditions(condition, TEST), both));
});
