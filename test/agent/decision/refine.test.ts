import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Decision, decisionOf, onTrial } from '../../../agent/decision/decision.ts';
import { decideByPolicy } from '../../../agent/decision/policy.ts';
import { Refinement, type RefinementSettings } from '../../../agent/decision/refine.ts';
import { ACTIONS } from '../../../contract/actions.ts';
import { REASONS } from '../../../contract/policy.ts';

function refinement(changes: Partial<RefinementSettings> = {}) {
  const told: string[] = [];
  const refinement = new Refinement(
    { message: 'check', backends: ['blue', 'green'], shadow: false, ...changes },
    {
      unknownBackend: (backend) => void told.push(`unknown ${backend}`),
      trial: (message, { shadow }, client) => void told.push(`${message} ${client} ${shadow}`),
    },
  );
  return { refinement, told };
}

const routed = (vars: Decision['vars']): Decision => ({
  action: 'route',
  source: 'cache',
  list: 'l',
  entry: 'key:k',
  ...(vars && { vars }),
});
const entry = {
  subject: 'ip:203.0.113.0/24',
  list: 'manual',
  reason: 'abuse',
  status: 403,
  vars: { location: '/x' },
} as const;

describe('what becomes of a decision', () => {
  it('is nothing unless it routes, is on trial, or is only logged', () => {
    const { refinement: usual } = refinement();
    const { refinement: trial } = refinement({ shadow: true });
    for (const action of ACTIONS) {
      const decision = decisionOf({ ...entry, action }, 'cache');
      assert.equal(usual.concerns(decision), ['route', 'log'].includes(action), action);
      assert.equal(trial.concerns(decision), action !== 'allow', action);
      if (!usual.concerns(decision)) assert.equal(usual.refine(decision, 'c'), decision);
      if (!trial.concerns(decision)) assert.equal(trial.refine(decision, 'c'), decision);
    }
  });

  it('goes where it went without us if the backend is none of ours, with all that is told beside', () => {
    const { refinement: usual, told } = refinement();
    const decision = routed({ backend: 'red', path: '/v2' });
    const expected = { action: 'tag', source: 'cache', list: 'l', entry: 'key:k', vars: { path: '/v2' } };
    assert.deepEqual(usual.refine(decision, 'c'), expected);
    assert.equal(usual.refine(decision, 'c'), usual.refine(decision, 'd'), 'and the same object each time');
    assert.equal(told[0], 'unknown red');
    const known = routed({ backend: 'blue' });
    assert.equal(usual.refine(known, 'c'), known);
  });

  it('is so for each way of a split too', () => {
    const { refinement: usual, told } = refinement();
    const decision = routed({ split: 'blue=50,red=50' });
    const actions = new Set(Array.from({ length: 50 }, (_, index) => usual.refine(decision, `c${index}`)));
    assert.deepEqual([...actions].map(({ action, vars }) => [action, vars]).sort(), [
      ['route', { backend: 'blue' }],
      ['tag', {}],
    ]);
    assert.equal(actions.size, 2, 'equal decisions are the same object');
    assert.ok(told.length > 0 && told.every((line) => line === 'unknown red'));
  });

  it('is told and not done where the message is on trial, by policy too', () => {
    const { refinement: trial, told } = refinement({ shadow: true });
    for (const action of ['deny', 'tarpit', 'drop', 'redirect', 'tag'] as const) {
      const decision = decisionOf({ ...entry, action }, 'cache');
      const expected = {
        action: 'log',
        shadow: action,
        source: 'cache',
        reason: 'abuse',
        list: 'manual',
        entry: entry.subject,
      };
      assert.deepEqual(trial.refine(decision, action), expected);
      assert.equal(trial.refine(decision, action), trial.refine(decision, action));
    }
    for (const reason of REASONS) {
      const denied = trial.refine(decideByPolicy({ default: 'closed' }, reason), 'c');
      assert.deepEqual(denied, { action: 'log', shadow: 'deny', source: 'policy', reason });
      const allowed = decideByPolicy({ default: 'open', [reason]: 'open' }, reason);
      assert.equal(trial.refine(allowed, 'c'), allowed);
    }
    assert.equal(told[0], 'check deny deny');
  });

  it('says of a route on trial that it would route, and of one to nowhere that it would not', () => {
    const { refinement: trial } = refinement({ shadow: true });
    assert.equal(trial.refine(routed({ split: 'blue=100' }), 'c').shadow, 'route');
    assert.equal(trial.refine(routed({ backend: 'red' }), 'c').shadow, 'tag');
  });

  it('is told each time that something is only logged', () => {
    const { refinement: usual, told } = refinement();
    const logged: Decision = { action: 'log', shadow: 'drop', source: 'cache', list: 'new' };
    for (const client of ['a', 'b']) assert.equal(usual.refine(logged, client), logged);
    assert.deepEqual(told, ['check a drop', 'check b drop']);
  });
});

describe('a decision on trial', () => {
  it('has nothing that HAProxy could apply', () => {
    for (const action of ACTIONS) {
      const trial = onTrial(decisionOf({ ...entry, action }, 'backend'));
      if (action === 'allow' || action === 'log') assert.equal(trial.action, action);
      else
        assert.deepEqual([trial.action, trial.shadow, trial.status, trial.vars], ['log', action, undefined, undefined]);
    }
  });
});
