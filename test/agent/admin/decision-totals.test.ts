import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isDenial, totalDenied } from '../../../agent/admin/decision-totals.ts';
import { ACTIONS } from '../../../contract/actions.ts';
import { agentState } from '../../support/agent-state.ts';

describe('what counts as denied', () => {
  const STOPPED = ['deny', 'tarpit', 'drop'];
  for (const action of ACTIONS)
    it(`${action}: ${STOPPED.includes(action) ? 'yes' : 'no'}`, () => {
      const one = { message: 'check-request', action, source: 'cache', reason: '', list: 'manual', count: 7 } as const;
      assert.equal(totalDenied(agentState({ decisions: [one] })), STOPPED.includes(action) ? 7 : 0);
      assert.equal(isDenial(action), STOPPED.includes(action));
    });
});
