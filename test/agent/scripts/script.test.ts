import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Address } from '../../../agent/decision/address.ts';
import type { Decision } from '../../../agent/decision/decision.ts';
import type { Question } from '../../../agent/decision/engine.ts';
import { decideByPolicy } from '../../../agent/decision/policy.ts';
import { MessageScript } from '../../../agent/scripts/script.ts';
import { ScriptRunner } from '../../../agent/scripts/script-runner.ts';
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

describe('a message script whose function is not called', () => {
  const listed: Decision = { action: 'deny', source: 'cache', list: 'manual' };
  const allowed: Decision = { action: 'allow', source: 'stale', list: 'manual' };
  const timeout = decideByPolicy(POLICY, 'timeout');
  for (const { name, known, expected } of [
    { name: 'keeps the decision of an entry', known: listed, expected: listed },
    { name: 'keeps the decision of an allow entry', known: allowed, expected: allowed },
    { name: 'keeps the reason of a failed lookup', known: timeout, expected: timeout },
    {
      name: 'leaves unlisted subjects to the policy',
      known: { action: 'allow', source: 'cache' },
      expected: OVERLOAD,
    },
  ] as const)
    it(name, () => assert.deepEqual(scriptFor(['ip'], known).decideKnown(QUESTION), expected));

  it('leaves a message without subjects to the policy', () => {
    assert.deepEqual(scriptFor([], undefined).decideKnown(QUESTION), OVERLOAD);
  });
});

function scriptFor(kinds: readonly string[], known: Decision | undefined): MessageScript {
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
  const events = { failed: assert.fail, timedOut: assert.fail, overloaded: assert.fail, unreadVariable: assert.fail };
  const runner = new ScriptRunner({ deadlineMs: 40, vars: new Set() }, () => undefined, new HandClock(), events);
  return new MessageScript(message, engine, runner);
}
