import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Decision } from '../../../agent/decision/decision.ts';
import { type Answer, answerOf, type Outlet } from '../../../agent/server/answer.ts';
import { VARIABLES, varsOf } from '../../../haproxy/vocabulary.ts';
import { parseActions } from '../../support/spop/naive-codec.ts';

const OUTLET: Outlet = { scope: 'sess', vars: varsOf({ requestHeaders: ['X-Plan'], responseHeaders: ['Server'] }) };
const ALL = [...new Set([...Object.values(VARIABLES), ...OUTLET.vars.values()])].sort();

const DECISIONS: readonly Decision[] = [
  { action: 'allow', source: 'cache' },
  { action: 'deny', source: 'policy', reason: 'timeout', status: 503 },
  { action: 'tag', source: 'stale', list: 'l', entry: 'ip:192.0.2.1', vars: { path: '/', 'req.set.x-plan': 'a' } },
];

describe('the answer about a connection', () => {
  for (const decision of DECISIONS)
    for (const length of ['full', 'essential', 'bare'] as const)
      it(`sets or unsets every variable once, in what is ${length} of ${decision.action}`, () => {
        const names = actionsOf(answerOf(decision, OUTLET, undefined), length).map(({ name }) => name);
        assert.deepEqual(names.sort(), ALL);
      });

  it('ends with the entry where that is the asked address, which may be completed', () => {
    const decision: Decision = { action: 'deny', source: 'cache', list: 'l', ofAddress: true };
    assert.equal(actionsOf(answerOf(decision, OUTLET, 'ip:'), 'full').at(-1)?.name, 'entry');
  });

  it('stays below what HAProxy takes with as many headers as a configuration may have here', () => {
    const headers = Array.from({ length: 8 }, (_, index) => `x-head-${index}`); // 595 of 600 bytes, see conflicts.ts
    const outlet: Outlet = { scope: 'sess', vars: varsOf({ requestHeaders: headers, responseHeaders: [] }) };
    for (const decision of DECISIONS) {
      const { essential, bare = essential } = answerOf(decision, outlet, undefined);
      assert.ok(bare.length < 750, `${bare.length} bytes`);
    }
  });

  it('unsets nothing for a request, whose variables end with it', () => {
    for (const decision of DECISIONS) {
      const actions = actionsOf(answerOf(decision, { ...OUTLET, scope: 'txn' }, undefined), 'full');
      assert.ok(actions.every(({ type }) => type === 'set-var'));
    }
  });
});

function actionsOf(answer: Answer, length: 'full' | 'essential' | 'bare') {
  return parseActions(answer[length] ?? answer.essential);
}
