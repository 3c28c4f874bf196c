import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Decision, decisionOf, inShadowMode } from '../../../agent/decision/decision.ts';
import { decideByPolicy } from '../../../agent/decision/policy.ts';
import { RouteAndShadow, type RouteAndShadowSettings } from '../../../agent/decision/route-and-shadow.ts';
import { ACTIONS } from '../../../contract/actions.ts';
import { REASONS } from '../../../contract/policy.ts';

function routeAndShadow(changes: Partial<RouteAndShadowSettings> = {}) {
  const told: string[] = [];
  const routeAndShadow = new RouteAndShadow(
    { message: 'check', backends: ['blue', 'green'], shadow: false, ...changes },
    {
      unknownBackend: (backend) => void told.push(`unknown ${backend}`),
      shadowed: (message, { shadow }, client) => void told.push(`${message} ${client} ${shadow}`),
    },
  );
  return { routeAndShadow, told };
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

describe('routes and shadow mode', () => {
  it('leave a decision as it is unless it routes, is in shadow mode, or is a log', () => {
    const { routeAndShadow: usual } = routeAndShadow();
    const { routeAndShadow: shadow } = routeAndShadow({ shadow: true });
    for (const action of ACTIONS) {
      const decision = decisionOf({ ...entry, action }, 'cache');
      assert.equal(usual.appliesTo(decision), ['route', 'log'].includes(action), action);
      assert.equal(shadow.appliesTo(decision), action !== 'allow', action);
      if (!usual.appliesTo(decision)) assert.equal(usual.apply(decision, 'c'), decision);
      if (!shadow.appliesTo(decision)) assert.equal(shadow.apply(decision, 'c'), decision);
    }
  });

  it('do not route to a backend that is not in the configuration, and keep all other variables', () => {
    const { routeAndShadow: usual, told } = routeAndShadow();
    const decision = routed({ backend: 'red', path: '/v2' });
    const expected = { action: 'tag', source: 'cache', list: 'l', entry: 'key:k', vars: { path: '/v2' } };
    assert.deepEqual(usual.apply(decision, 'c'), expected);
    assert.equal(usual.apply(decision, 'c'), usual.apply(decision, 'd'), 'and the same object each time');
    assert.equal(told[0], 'unknown red');
    const known = routed({ backend: 'blue' });
    assert.equal(usual.apply(known, 'c'), known);
  });

  it('do the same for each backend of a split', () => {
    const { routeAndShadow: usual, told } = routeAndShadow();
    const decision = routed({ split: 'blue=50,red=50' });
    const actions = new Set(Array.from({ length: 50 }, (_, index) => usual.apply(decision, `c${index}`)));
    assert.deepEqual([...actions].map(({ action, vars }) => [action, vars]).sort(), [
      ['route', { backend: 'blue' }],
      ['tag', {}],
    ]);
    assert.equal(actions.size, 2, 'equal decisions are the same object');
    assert.ok(told.length > 0 && told.every((line) => line === 'unknown red'));
  });

  it('do not enforce a decision on a message in shadow mode, by policy either', () => {
    const { routeAndShadow: shadow, told } = routeAndShadow({ shadow: true });
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
      assert.deepEqual(shadow.apply(decision, action), expected);
      assert.equal(shadow.apply(decision, action), shadow.apply(decision, action));
    }
    for (const reason of REASONS) {
      const denied = shadow.apply(decideByPolicy({ default: 'closed' }, reason), 'c');
      assert.deepEqual(denied, { action: 'log', shadow: 'deny', source: 'policy', reason });
      const allowed = decideByPolicy({ default: 'open', [reason]: 'open' }, reason);
      assert.equal(shadow.apply(allowed, 'c'), allowed);
    }
    assert.equal(told[0], 'check deny deny');
  });

  it('have "route" as shadow of a route in shadow mode, and "tag" without a known backend', () => {
    const { routeAndShadow: shadow } = routeAndShadow({ shadow: true });
    assert.equal(shadow.apply(routed({ split: 'blue=100' }), 'c').shadow, 'route');
    assert.equal(shadow.apply(routed({ backend: 'red' }), 'c').shadow, 'tag');
  });

  it('report every log decision', () => {
    const { routeAndShadow: usual, told } = routeAndShadow();
    const logged: Decision = { action: 'log', shadow: 'drop', source: 'cache', list: 'new' };
    for (const client of ['a', 'b']) assert.equal(usual.apply(logged, client), logged);
    assert.deepEqual(told, ['check a drop', 'check b drop']);
  });
});

describe('a decision in shadow mode', () => {
  it('has nothing that HAProxy could apply', () => {
    for (const action of ACTIONS) {
      const shadow = inShadowMode(decisionOf({ ...entry, action }, 'backend'));
      if (action === 'allow' || action === 'log') assert.equal(shadow.action, action);
      else
        assert.deepEqual(
          [shadow.action, shadow.shadow, shadow.status, shadow.vars],
          ['log', action, undefined, undefined],
        );
    }
  });
});
