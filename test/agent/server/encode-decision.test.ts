import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Decision, decisionOf } from '../../../agent/decision/decision.ts';
import { decideByPolicy } from '../../../agent/decision/policy.ts';
import { encodeDecision, type VariableTarget } from '../../../agent/server/encode-decision.ts';
import { ACTIONS, DENY_STATUSES } from '../../../contract/actions.ts';
import { type Entry, entryProblem } from '../../../contract/check.ts';
import { MAX_VARS, MAX_VARS_BYTES } from '../../../contract/entry-vars.ts';
import { REASONS } from '../../../contract/policy.ts';
import { varsOf } from '../../../haproxy/variables.ts';
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

/** A reference id that is not written yet. */
const NO_REFERENCE = str('0'.repeat(12));
const TARGET: VariableTarget = { scope: 'txn', vars: new Map() };

describe('an encoded decision', () => {
  it('has action, source, status, reason, list and entry', () => {
    const { full, essential } = encodeDecision(decisionOf(entry, 'cache'), TARGET, undefined);
    const short = { action: str('deny'), source: str('cache'), status: { type: 'int64', value: 429n } };
    assert.deepEqual(variables(full), {
      ...short,
      reason: str('abuse'),
      list: str('manual'),
      ref: NO_REFERENCE,
      entry: str('ip:203.0.113.0/24'),
    });
    assert.deepEqual(variables(essential), short);
  });

  it('says where the reference id of a deny goes, whatever comes behind it', () => {
    for (const action of ACTIONS)
      for (const address of [undefined, 'ip:192.0.2.1']) {
        const decision: Decision = { action, source: 'cache', list: 'l', ofAddress: true };
        const { full, referenceAt } = encodeDecision(decision, TARGET, address);
        assert.equal(referenceAt !== 0, 'ref' in variables(full), action);
        if (referenceAt === 0) continue;
        full.set(Buffer.from('0123456789ab'), referenceAt);
        assert.deepEqual(variables(full).ref, str('0123456789ab'));
        assert.deepEqual(variables(full).entry, address && str(address));
      }
  });

  it('has no variable without a value', () => {
    assert.deepEqual(variables(encodeDecision(decisionOf(null, 'backend'), TARGET, undefined).full), {
      action: str('allow'),
      source: str('backend'),
    });
  });

  it('is never empty, as 3.1.0 loses an empty ACK', () => {
    for (const reason of REASONS)
      for (const policy of ['open', 'closed'] as const) {
        const { full, essential } = encodeDecision(decideByPolicy({ default: policy }, reason), TARGET, undefined);
        assert.deepEqual(variables(full).reason, str(reason));
        assert.ok(essential.length > 0);
      }
  });

  it('has the address of the request as its entry if the entry is that address', () => {
    const decision: Decision = { action: 'deny', source: 'stale', list: 'manual', ofAddress: true };
    const rest = { action: str('deny'), source: str('stale'), list: str('manual'), ref: NO_REFERENCE };
    assert.deepEqual(variables(encodeDecision(decision, TARGET, 'ip:192.0.2.1').full), {
      ...rest,
      entry: str('ip:192.0.2.1'),
    });
    assert.deepEqual(variables(encodeDecision(decision, TARGET, undefined).full), rest);
    assert.deepEqual(
      variables(encodeDecision(decisionOf(null, 'cache'), TARGET, 'ip:192.0.2.1').full),
      { action: str('allow'), source: str('cache') },
      'nothing is listed, so there is no entry',
    );
    assert.deepEqual(
      variables(encodeDecision(decisionOf(entry, 'cache'), TARGET, 'ip:192.0.2.1').full).entry,
      str('ip:203.0.113.0/24'),
      'an entry of its own is named by itself',
    );
  });

  it('has short essential actions, however long the entry: twenty ACKs fit into any buffer of HAProxy', () => {
    const long = { ...entry, subject: `path:/${'x'.repeat(1000)}`, reason: '\uffff'.repeat(200), list: 'l'.repeat(64) };
    for (const status of DENY_STATUSES) {
      const { full, essential } = encodeDecision(decisionOf({ ...long, status }, 'backend'), TARGET, undefined);
      assert.ok(full.length > 1600);
      assert.ok(essential.length <= 60, `${essential.length}`);
    }
  });

  it('has the variables of the entry, under HAProxy’s names, in its essential actions', () => {
    const vars = { location: '/new', 'req.set.x-plan': 'gold', 'res.del.server': '1' };
    const target: VariableTarget = {
      scope: 'txn',
      vars: varsOf({ requestHeaders: ['X-Plan'], responseHeaders: ['Server'] }),
    };
    const { full, essential } = encodeDecision(
      decisionOf({ ...entry, action: 'redirect', status: 302, vars }, 'cache'),
      target,
      undefined,
    );
    const short = {
      action: str('redirect'),
      source: str('cache'),
      status: { type: 'int64', value: 302n },
      location: str('/new'),
      'req.set.x_plan': str('gold'),
      'res.del.server': str('1'),
    };
    assert.deepEqual(variables(essential), short);
    assert.deepEqual(Object.keys(variables(full)), [...Object.keys(short), 'reason', 'list', 'entry']);
  });

  it('never has a variable for which HAProxy has no rule', () => {
    const vars = {
      split: 'blue=1',
      'req.set.x-other': 'a',
      'res.set.x-plan': 'b',
      action: 'allow',
      __proto__: 'x',
      path: '/',
    };
    const target: VariableTarget = { scope: 'txn', vars: varsOf({ requestHeaders: ['X-Plan'], responseHeaders: [] }) };
    const { essential } = encodeDecision({ action: 'tag', source: 'cache', list: 'l', vars }, target, undefined);
    assert.deepEqual(variables(essential), { action: str('tag'), source: str('cache'), path: str('/') });
  });

  it('prefixes each name with the group', () => {
    const target: VariableTarget = {
      ...TARGET,
      group: 'login',
      vars: varsOf({ requestHeaders: [], responseHeaders: [] }),
    };
    const { full, bare } = encodeDecision(decisionOf({ ...entry, vars: { path: '/' } }, 'cache'), target, undefined);
    const names = ['action', 'source', 'status', 'path', 'reason', 'list', 'ref', 'entry'];
    assert.deepEqual(
      Object.keys(variables(full)),
      names.map((name) => `login.${name}`),
    );
    assert.deepEqual(Object.keys(variables(bare ?? full)), ['login.action', 'login.source', 'login.status']);
  });

  it('in shadow mode has the action as "shadow", and no variable that could be applied', () => {
    const vars = { path: '/v2', location: '/' };
    const target: VariableTarget = { ...TARGET, vars: varsOf({ requestHeaders: [], responseHeaders: [] }) };
    const shadow = encodeDecision(decisionOf({ ...entry, action: 'log', vars }, 'cache'), target, undefined);
    assert.ok(!('path' in variables(shadow.full)) && !('location' in variables(shadow.full)));
    const { full, essential } = encodeDecision(
      decisionOf({ ...entry, action: 'log', shadow: 'deny' }, 'cache'),
      TARGET,
      undefined,
    );
    assert.deepEqual(variables(full).shadow, str('deny'));
    assert.equal(variables(essential).shadow, undefined);
  });

  it('fits with the longest entry on a connection of the usual size, in the longest group', () => {
    const headers = Array.from({ length: MAX_VARS }, (_, index) => `h${String.fromCharCode(97 + index)}`);
    const target: VariableTarget = {
      scope: 'txn',
      group: 'twelve_chars',
      vars: varsOf({ requestHeaders: headers, responseHeaders: [] }),
    };
    let longest = 0;
    for (let count = 0; count < MAX_VARS; count++) {
      const names = headers.slice(0, count).map((header) => `req.set.${header}`);
      const values = [...names.map((name) => [name, ''] as const), ['location', '/'] as const];
      const left = MAX_VARS_BYTES - values.reduce((sum, [name, value]) => sum + 8 + name.length + value.length, 0);
      for (const spread of [false, true]) {
        const each = spread ? Math.floor(left / values.length) : 0;
        const filled = values.map(([name, value], at) => [
          name,
          `${value}${'x'.repeat(spread ? each : at === count ? left : 0)}`,
        ]);
        const full: Entry = { ...entry, action: 'redirect', status: 308, vars: Object.fromEntries(filled) };
        assert.equal(entryProblem(full), undefined);
        longest = Math.max(longest, encodeDecision(decisionOf(full, 'backend'), target, undefined).essential.length);
      }
    }
    assert.ok(longest > 700 && longest <= 790, `${longest} bytes`);
  });

  it('still stops the request if even the essential actions do not fit', () => {
    const vars = { location: '/new', backend: 'blue', body: 'x' };
    const target: VariableTarget = { ...TARGET, vars: varsOf({ requestHeaders: [], responseHeaders: [] }) };
    for (const action of ACTIONS.filter((each) => each !== 'log')) {
      const { bare } = encodeDecision(decisionOf({ ...entry, action, vars }, 'cache'), target, undefined);
      assert.ok(bare !== undefined && bare.length <= 60);
      const said = variables(bare);
      const expected = action === 'redirect' ? 'deny' : action === 'route' ? 'tag' : action;
      assert.deepEqual([said.action, said.location, said.body], [str(expected), undefined, undefined]);
      assert.deepEqual(
        said.status,
        action === 'redirect' || action === 'route' ? undefined : { type: 'int64', value: 429n },
      );
    }
    assert.equal(
      encodeDecision(decisionOf(entry, 'cache'), target, undefined).bare,
      undefined,
      'there is nothing to leave out',
    );
  });
});
