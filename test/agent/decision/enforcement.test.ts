import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { type Decision, decisionOf, inShadowMode, SOURCES } from '../../../agent/decision/decision.ts';
import { Enforcement, type EnforcementSettings } from '../../../agent/decision/enforcement.ts';
import { decideByPolicy } from '../../../agent/decision/policy.ts';
import { ACTIONS, DENY_STATUSES, endsRequest, OPT_IN, REDIRECT_STATUSES } from '../../../contract/actions.ts';
import { missingRules, type Rules } from '../../../contract/missing-rules.ts';
import { REASONS } from '../../../contract/policy.ts';
import { ALL_RULES } from '../../support/rules.ts';

function enforcementWith(changes: Partial<EnforcementSettings> = {}) {
  const told: string[] = [];
  const enforcement = new Enforcement(
    { message: 'check', rules: ALL_RULES, shadow: false, ...changes },
    {
      unsupported: (_decision, missing) => void told.push(`no rule for ${missing.map(({ what }) => what).join(', ')}`),
      shadowed: (message, { shadow }, client) => void told.push(`${message} ${client} ${shadow}`),
    },
  );
  return { enforcement, told };
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
  it('is nothing unless it routes, is in shadow mode, or is only logged', () => {
    const { enforcement: usual } = enforcementWith();
    const { enforcement: shadow } = enforcementWith({ shadow: true });
    for (const action of ACTIONS) {
      const decision = decisionOf({ ...entry, action }, 'cache');
      assert.equal(usual.appliesTo(decision), ['route', 'log'].includes(action), action);
      assert.equal(shadow.appliesTo(decision), action !== 'allow', action);
      if (!usual.appliesTo(decision)) assert.equal(usual.apply(decision, 'c'), decision);
      if (!shadow.appliesTo(decision)) assert.equal(shadow.apply(decision, 'c'), decision);
    }
  });

  it('goes where it went without us if the backend is none of ours, with all that is told beside', () => {
    const { enforcement: usual, told } = enforcementWith();
    const decision = routed({ backend: 'red', path: '/v2' });
    const expected = { action: 'tag', source: 'cache', list: 'l', entry: 'key:k', vars: { path: '/v2' } };
    assert.deepEqual(usual.apply(decision, 'c'), expected);
    assert.equal(usual.apply(decision, 'c'), usual.apply(decision, 'd'), 'and the same object each time');
    assert.equal(told[0], 'no rule for backend red');
    const known = routed({ backend: 'blue' });
    assert.equal(usual.apply(known, 'c'), known);
  });

  it('is so for each way of a split too', () => {
    const { enforcement: usual, told } = enforcementWith();
    const decision = routed({ split: 'blue=50,red=50' });
    const actions = new Set(Array.from({ length: 50 }, (_, index) => usual.apply(decision, `c${index}`)));
    assert.deepEqual([...actions].map(({ action, vars }) => [action, vars]).sort(), [
      ['route', { backend: 'blue' }],
      ['tag', undefined],
    ]);
    assert.equal(actions.size, 2, 'equal decisions are the same object');
    assert.ok(told.length > 0 && told.every((line) => line === 'no rule for backend red'));
  });

  it('is told and not done where the message is in shadow mode, by policy too', () => {
    const { enforcement: shadow, told } = enforcementWith({ shadow: true });
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

  it('says of a route in shadow mode that it would route, and of one to nowhere that it would not', () => {
    const { enforcement: shadow } = enforcementWith({ shadow: true });
    assert.equal(shadow.apply(routed({ split: 'blue=100' }), 'c').shadow, 'route');
    assert.equal(shadow.apply(routed({ backend: 'red' }), 'c').shadow, 'tag');
  });

  it('is told each time that something is only logged', () => {
    const { enforcement: usual, told } = enforcementWith();
    const logged: Decision = { action: 'log', shadow: 'drop', source: 'cache', list: 'new' };
    for (const client of ['a', 'b']) assert.equal(usual.apply(logged, client), logged);
    assert.deepEqual(told, ['check a drop', 'check b drop']);
  });
});

describe('what HAProxy has no rule for', () => {
  const NONE: Rules = { actions: [], denyStatuses: [], backends: [], requestHeaders: [], responseHeaders: [] };
  const said = fc.record(
    {
      action: fc.constantFrom(...ACTIONS),
      source: fc.constantFrom(...SOURCES),
      status: fc.constantFrom(...DENY_STATUSES, ...REDIRECT_STATUSES),
      vars: fc
        .uniqueArray(
          fc.constantFrom(
            ...([
              ['location', '/x'],
              ['backend', 'blue'],
              ['split', 'green=50'],
              ['path', '/v2'],
              ['query', ''],
              ['body', 'no'],
              ['req.set.x-plan', 'gold'],
              ['res.del.server', '1'],
            ] as const),
          ),
        )
        .map((vars) => Object.fromEntries(vars)),
    },
    { requiredKeys: ['action', 'source'] },
  );
  const rules = fc.record({
    actions: fc.subarray([...OPT_IN]),
    denyStatuses: fc.subarray([...DENY_STATUSES]),
    backends: fc.subarray(['blue', 'green']),
    requestHeaders: fc.subarray(['X-Plan']),
    responseHeaders: fc.subarray(['Server']),
  });

  it('ends a request all the same, and lets pass what passes, whatever the rules are', () => {
    fc.assert(
      fc.property(said, rules, fc.boolean(), (decision, rules, shadow) => {
        const { enforcement, told } = enforcementWith({ rules, shadow });
        const applied = enforcement.apply(decision as Decision, 'c');
        const action = applied.shadow ?? applied.action;
        assert.equal(endsRequest(action), endsRequest(decision.action));
        if (!shadow) assert.deepEqual(missingRules(applied, rules), []);
        assert.equal(enforcement.appliesTo(decision as Decision) || applied === decision, true);
        if (decision.source === 'policy')
          assert.deepEqual(
            told.filter((line) => line.startsWith('no rule')),
            [],
          );
      }),
    );
  });

  it('is a deny with 403, or a tag that changes nothing, where the configuration names nothing', () => {
    const { enforcement, told } = enforcementWith({ rules: NONE });
    const becomes = (decision: Omit<Decision, 'source'>) => {
      const { source: _source, ...rest } = enforcement.apply({ ...decision, source: 'cache' }, 'c');
      return rest;
    };
    assert.deepEqual(becomes({ action: 'tarpit', status: 429, vars: { 'res.set.server': 'x' } }), { action: 'deny' });
    assert.deepEqual(becomes({ action: 'drop', reason: 'abuse' }), { action: 'deny', reason: 'abuse' });
    assert.deepEqual(becomes({ action: 'redirect', status: 301, vars: { location: '/x' } }), { action: 'deny' });
    assert.deepEqual(becomes({ action: 'deny', status: 404, vars: { body: 'no' } }), { action: 'deny' });
    assert.deepEqual(becomes({ action: 'deny', status: 403 }), { action: 'deny', status: 403 });
    assert.deepEqual(becomes({ action: 'route', vars: { split: 'blue=100' } }), { action: 'tag' });
    assert.deepEqual(becomes({ action: 'tag', vars: { path: '/x', 'req.set.x-plan': 'a' } }), { action: 'tag' });
    assert.deepEqual(told, [
      'no rule for action tarpit',
      'no rule for action drop',
      'no rule for action redirect',
      'no rule for status 404, vars.body',
      'no rule for backend blue',
      'no rule for vars.path, vars.req.set.x-plan',
    ]);
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
