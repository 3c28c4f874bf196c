import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { combine } from '../../../agent/decision/combine.ts';
import type { Decision, SubjectVerdict } from '../../../agent/decision/decision.ts';
import { Enforcement } from '../../../agent/decision/enforcement.ts';
import { decideByPolicy } from '../../../agent/decision/policy.ts';
import { ACTIONS, type Action } from '../../../contract/actions.ts';
import { type Policy, REASONS } from '../../../contract/policy.ts';
import { ALL_RULES } from '../../support/rules.ts';

type Known = 'cache' | 'backend' | 'stale';
const known = ['cache', 'backend', 'stale'] as const;

const entry = (action: Action, name: string, source: Known = 'cache'): Decision => ({
  action,
  source,
  list: 'manual',
  entry: `ip:${name}`,
});
const nothing = (source: Known): Decision => ({ action: 'allow', source });

const verdict: fc.Arbitrary<SubjectVerdict> = fc.oneof(
  fc
    .tuple(fc.constantFrom(...ACTIONS), fc.string({ maxLength: 3 }), fc.constantFrom(...known), fc.boolean())
    .map(([action, name, source, isOfAddress]): Decision => {
      const { entry: named, ...rest } = entry(action, name, source);
      return isOfAddress ? { ...rest, ofAddress: true } : { ...rest, ...(named === undefined ? {} : { entry: named }) };
    }),
  fc.constantFrom(...known).map(nothing),
  fc.constantFrom(...REASONS),
);
const policy: fc.Arbitrary<Policy> = fc.record(
  {
    default: fc.constantFrom('open', 'closed'),
    ...Object.fromEntries(REASONS.map((reason) => [reason, fc.constantFrom('open', 'closed')])),
  },
  { requiredKeys: ['default'] },
) as fc.Arbitrary<Policy>; // the keys are the reasons

/** The rules as they are told to people, one after the other. */
function naive(verdicts: readonly SubjectVerdict[], policy: Policy): Decision {
  const decisions = verdicts.filter((each): each is Decision => typeof each !== 'string');
  const listed = decisions.filter((each) => each.list !== undefined);
  const entries = listed.filter(({ action }) => action !== 'log');
  const logged = listed.filter(({ action }) => action === 'log');
  const allowed = entries.filter(({ action }) => action === 'allow');
  const reasons = verdicts.filter((each) => typeof each === 'string');
  if (allowed.length > 0) return allowed[0] as Decision; // not empty
  if (entries.length > 0) return entries[0] as Decision; // not empty
  if (reasons.length > 0) return decideByPolicy(policy, reasons[0] as (typeof REASONS)[number]); // not empty
  if (logged.length > 0) return logged[0] as Decision; // not empty
  if (decisions.length === 0) return decideByPolicy(policy, 'no_subject');
  const sources = decisions.map(({ source }) => source);
  return nothing(sources.includes('backend') ? 'backend' : sources.includes('stale') ? 'stale' : 'cache');
}

describe('subjects combined', () => {
  it('follow the rules of precedence whatever they are', () => {
    fc.assert(
      fc.property(fc.array(verdict, { maxLength: 6 }), policy, (verdicts, rules) => {
        assert.deepEqual(combine(verdicts, rules), naive(verdicts, rules));
      }),
      { numRuns: 2000 },
    );
  });

  it('are allowed by an allow entry, whatever stands before it', () => {
    assert.deepEqual(
      combine([entry('deny', '1'), 'timeout', entry('allow', '2')], { default: 'closed' }),
      entry('allow', '2'),
    );
  });

  it('are decided by the first kind with an entry', () => {
    assert.deepEqual(
      combine([nothing('cache'), entry('deny', '1'), entry('deny', '2')], { default: 'open' }),
      entry('deny', '1'),
    );
  });

  it('stay denied when another is not known, under either policy', () => {
    for (const name of ['open', 'closed'] as const)
      assert.deepEqual(combine(['backend_error', entry('deny', '1')], { default: name }), entry('deny', '1'));
  });

  it('are left to the policy when one is not known and none is listed', () => {
    assert.deepEqual(combine([nothing('backend'), 'timeout'], { default: 'closed' }), {
      action: 'deny',
      source: 'policy',
      reason: 'timeout',
      status: 503,
    });
    assert.deepEqual(combine(['timeout'], { default: 'closed', timeout: 'open' }), {
      action: 'allow',
      source: 'policy',
      reason: 'timeout',
    });
  });

  it('are not changed by what is only logged', () => {
    const logged: Decision = { ...entry('log', '1'), shadow: 'allow' };
    assert.deepEqual(combine([logged, entry('deny', '2')], { default: 'open' }), entry('deny', '2'));
    assert.equal(combine([logged, 'timeout'], { default: 'closed' }).status, 503);
    assert.deepEqual(combine([nothing('cache'), logged], { default: 'open' }), logged);
  });

  it('are left to the policy when there are none', () => {
    assert.deepEqual(combine([], { default: 'open' }), { action: 'allow', source: 'policy', reason: 'no_subject' });
  });
});

describe('the policy', () => {
  it('is the same decision each time, so that its bytes are made once', () => {
    for (const reason of REASONS) {
      const named = (name: 'open' | 'closed', other: 'open' | 'closed') =>
        decideByPolicy({ default: other, [reason]: name }, reason);
      assert.equal(named('open', 'open'), named('open', 'closed'));
      assert.equal(named('closed', 'open'), named('closed', 'closed'));
    }
  });

  /** What no policy names is of the default, but for what the client brings about itself. */
  const FAILURES = [
    'timeout',
    'backend_error',
    'breaker_open',
    'overload',
    'no_subject',
    'script_error',
    'internal_error',
  ];
  const OF_CLIENT = ['bad_subject', 'too_large', 'client_gone'];
  it('knows of every reason whether it is a failure', () => {
    assert.deepEqual([...FAILURES, ...OF_CLIENT].sort(), [...REASONS].sort());
  });

  for (const reason of REASONS)
    for (const otherwise of ['open', 'closed'] as const)
      for (const name of [undefined, 'open', 'closed'] as const)
        it(`${otherwise}, with ${reason} ${name ?? 'not named'}, is told as what it is`, () => {
          const isOfClient = OF_CLIENT.includes(reason);
          const isOpen = (name ?? (isOfClient ? 'closed' : otherwise)) === 'open';
          const decided = decideByPolicy({ default: otherwise, ...(name && { [reason]: name }) }, reason);
          const expected: Decision = isOpen
            ? { action: 'allow', source: 'policy', reason }
            : { action: 'deny', source: 'policy', reason, status: isOfClient ? 400 : 503 };
          assert.deepEqual(decided, expected);
          const shadow = new Enforcement(
            { message: 'm', rules: ALL_RULES, shadow: true },
            { shadowed() {}, unsupported: () => assert.fail() },
          ).apply(decided, 'c');
          const counted: Decision = { action: 'log', shadow: 'deny', source: 'policy', reason };
          assert.deepEqual(shadow, isOpen ? expected : counted);
        });
});
