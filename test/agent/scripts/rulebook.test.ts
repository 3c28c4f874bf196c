import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Address } from '../../../agent/decision/address.ts';
import type { Decision } from '../../../agent/decision/decision.ts';
import type { Question } from '../../../agent/decision/engine.ts';
import { decideByPolicy } from '../../../agent/decision/policy.ts';
import { Judge } from '../../../agent/scripts/judge.ts';
import { MessageRules } from '../../../agent/scripts/rulebook.ts';
import { HandClock } from '../../support/clock.ts';

const POLICY = { default: 'closed' } as const;
const OVERLOAD = decideByPolicy(POLICY, 'overload');
const QUESTION: Question = {
  policy: POLICY,
  address: new Address(),
  texts: [],
  addressAt: 0,
  oddAt: -1,
  problem: undefined,
};

describe('the rules of a message whose function must not be asked', () => {
  const listed: Decision = { action: 'deny', source: 'cache', list: 'manual' };
  const allowed: Decision = { action: 'allow', source: 'stale', list: 'manual' };
  const timeout = decideByPolicy(POLICY, 'timeout');
  for (const { name, known, expected } of [
    { name: 'let an entry stand', known: listed, expected: listed },
    { name: 'let an allow entry stand', known: allowed, expected: allowed },
    { name: 'say what was not known first', known: timeout, expected: timeout },
    {
      name: 'leave what nothing is listed of to the policy',
      known: { action: 'allow', source: 'cache' },
      expected: OVERLOAD,
    },
  ] as const)
    it(name, () => assert.deepEqual(rules(['ip'], known).decideKnown(QUESTION), expected));

  it('leave a message without subjects to the policy', () => {
    assert.deepEqual(rules([], undefined).decideKnown(QUESTION), OVERLOAD);
  });
});

function rules(kinds: readonly string[], known: Decision | undefined): MessageRules {
  const subjects = kinds.map((kind) => ({ kind, expression: 'src' }));
  const message = {
    name: 'check',
    subjects,
    arguments: [],
    policy: POLICY,
    shadow: false,
    required: [],
    oddPaths: 'refuse',
  } as const;
  const engine = { decide: () => assert.fail('nothing is looked up'), decideKnown: () => known ?? assert.fail() };
  const events = { failed: assert.fail, late: assert.fail, full: assert.fail, untold: assert.fail };
  const judge = new Judge({ deadlineMs: 40, vars: new Set() }, () => undefined, new HandClock(), events);
  return new MessageRules(message, engine, judge);
}
