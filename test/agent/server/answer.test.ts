import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Decision, decisionOf, REASONS } from '../../../agent/decision/decision.ts';
import { decideByPolicy } from '../../../agent/decision/policy.ts';
import { answerOf, type Outlet } from '../../../agent/server/answer.ts';
import { DENY_STATUSES } from '../../../contract/check.ts';
import { parseActions, str, type Value } from '../../support/spop/naive-codec.ts';

/** Variable names and values, all of which must be in scope txn. */
function variables(bytes: Uint8Array): Record<string, Value> {
  return Object.fromEntries(
    parseActions(bytes).map((action) => {
      assert.deepEqual([action.type, action.scope], ['set-var', 'txn']);
      return [action.name, 'value' in action ? action.value : { type: 'null' }];
    }),
  );
}

const entry = { subject: 'ip:203.0.113.0/24', list: 'manual', action: 'deny', reason: 'abuse', status: 429 } as const;

const OUTLET: Outlet = { scope: 'txn', vars: new Map() };

describe('the answer to a decision', () => {
  it('names action, source, status, reason, list and entry', () => {
    const { full, essential } = answerOf(decisionOf(entry, 'cache'), OUTLET, undefined);
    const short = { action: str('deny'), source: str('cache'), status: { type: 'int64', value: 429n } };
    assert.deepEqual(variables(full), {
      ...short,
      reason: str('abuse'),
      list: str('manual'),
      entry: str('ip:203.0.113.0/24'),
    });
    assert.deepEqual(variables(essential), short);
  });

  it('says nothing of what there is not', () => {
    assert.deepEqual(variables(answerOf(decisionOf(null, 'backend'), OUTLET, undefined).full), {
      action: str('allow'),
      source: str('backend'),
    });
  });

  it('is never empty, as 3.1.0 loses an empty ACK', () => {
    for (const reason of REASONS)
      for (const policy of ['open', 'closed'] as const) {
        const { full, essential } = answerOf(decideByPolicy({ default: policy }, reason), OUTLET, undefined);
        assert.deepEqual(variables(full).reason, str(reason));
        assert.ok(essential.length > 0);
      }
  });

  it('names the asked address as the entry where that is meant, if it is told', () => {
    const decision: Decision = { action: 'deny', source: 'stale', list: 'manual', ofAddress: true };
    const rest = { action: str('deny'), source: str('stale'), list: str('manual') };
    assert.deepEqual(variables(answerOf(decision, OUTLET, 'ip:192.0.2.1').full), {
      ...rest,
      entry: str('ip:192.0.2.1'),
    });
    assert.deepEqual(variables(answerOf(decision, OUTLET, undefined).full), rest);
    assert.deepEqual(
      variables(answerOf(decisionOf(null, 'cache'), OUTLET, 'ip:192.0.2.1').full),
      { action: str('allow'), source: str('cache') },
      'nothing is listed, so there is no entry',
    );
    assert.deepEqual(
      variables(answerOf(decisionOf(entry, 'cache'), OUTLET, 'ip:192.0.2.1').full).entry,
      str('ip:203.0.113.0/24'),
      'an entry of its own is named by itself',
    );
  });

  it('is short in what is essential, however long the entry: twenty fit into any buffer HAProxy has', () => {
    const long = { ...entry, subject: `path:/${'x'.repeat(1000)}`, reason: '\uffff'.repeat(200), list: 'l'.repeat(64) };
    for (const status of DENY_STATUSES) {
      const { full, essential } = answerOf(decisionOf({ ...long, status }, 'backend'), OUTLET, undefined);
      assert.ok(full.length > 1600);
      assert.ok(essential.length <= 60, `${essential.length}`);
    }
  });
});
