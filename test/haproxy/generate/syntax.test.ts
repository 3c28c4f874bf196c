import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { bothConditions, indent } from '../../../haproxy/generate/syntax.ts';

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

describe('a rule of more words than HAProxy takes', () => {
  const alternatives = Array.from({ length: 20 }, (_, index) => `{ src 10.0.0.${index} } !METH_GET`);
  const condition = alternatives.join(' or ');
  const conditionsOf = (lines: string) =>
    lines
      .trimEnd()
      .split('\n')
      .map((line) => line.split(' if ')[1] ?? '');

  for (const start of [
    'http-request deny deny_status 503',
    'http-response deny deny_status 503',
    'tcp-request content reject',
    'http-request set-var(txn.x.source) str(recent)',
  ])
    it(`is several: ${start}`, () => {
      const lines = indent([`${start} if ${condition}`]);
      assert.ok(
        lines
          .trimEnd()
          .split('\n')
          .every((line) => line.trim().split(' ').length <= 64 && line.startsWith(`    ${start} if `)),
      );
      assert.deepEqual(
        conditionsOf(lines).flatMap((part) => part.split(' or ')),
        alternatives,
      );
    });

  it('is several if it sends a group that has no answer yet', () => {
    const guarded = bothConditions(condition, '!{ var(txn.x.action) -m found }');
    assert.ok(conditionsOf(indent([`http-request send-spoe-group x y if ${guarded}`])).length > 1);
  });

  it('stays one if it does more when two of them apply', () => {
    for (const start of ['http-request add-header a b', 'http-request send-spoe-group x y'])
      assert.deepEqual(conditionsOf(indent([`${start} if ${condition}`])), [condition]);
  });
});
