import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Decision } from '../../../agent/decision/decision.ts';
import { encodeDecision, type VariableTarget } from '../../../agent/server/encode-decision.ts';
import { VARIABLES, varsOf } from '../../../haproxy/variables.ts';
import type { AckActions } from '../../../spop/ack-payload.ts';
import { parseActions } from '../../support/spop/naive-codec.ts';

const TARGET: VariableTarget = {
  scope: 'sess',
  vars: varsOf({ requestHeaders: ['X-Plan'], responseHeaders: ['Server'] }),
};
const ALL = [...new Set([...Object.values(VARIABLES), ...TARGET.vars.values()])].sort();

const DECISIONS: readonly Decision[] = [
  { action: 'allow', source: 'cache' },
  { action: 'deny', source: 'policy', reason: 'timeout', status: 503 },
  { action: 'tag', source: 'stale', list: 'l', entry: 'ip:192.0.2.1', vars: { path: '/', 'req.set.x-plan': 'a' } },
];

describe('an encoded decision in the scope of the connection', () => {
  for (const decision of DECISIONS)
    for (const length of ['full', 'essential', 'bare'] as const)
      it(`sets or unsets every variable once, in the ${length} actions of ${decision.action}`, () => {
        const names = actionsOf(encodeDecision(decision, TARGET, undefined), length).map(({ name }) => name);
        assert.deepEqual(names.sort(), ALL);
      });

  it('ends with the entry if that is the address of the request, which is written behind it', () => {
    const decision: Decision = { action: 'deny', source: 'cache', list: 'l', ofAddress: true };
    assert.equal(actionsOf(encodeDecision(decision, TARGET, 'ip:'), 'full').at(-1)?.name, 'entry');
  });

  it('fits into what HAProxy takes with as many headers as the configuration may have', () => {
    const headers = Array.from({ length: 8 }, (_, index) => `x-head-${index}`); // 595 of 600 bytes, see conflicts.ts
    const target: VariableTarget = { scope: 'sess', vars: varsOf({ requestHeaders: headers, responseHeaders: [] }) };
    for (const decision of DECISIONS) {
      const { essential, bare = essential } = encodeDecision(decision, target, undefined);
      assert.ok(bare.length < 750, `${bare.length} bytes`);
    }
  });

  it('unsets nothing in the scope of the request', () => {
    for (const decision of DECISIONS) {
      const actions = actionsOf(encodeDecision(decision, { ...TARGET, scope: 'txn' }, undefined), 'full');
      assert.ok(actions.every(({ type }) => type === 'set-var'));
    }
  });
});

function actionsOf(answer: AckActions, length: 'full' | 'essential' | 'bare') {
  return parseActions(answer[length] ?? answer.essential);
}
