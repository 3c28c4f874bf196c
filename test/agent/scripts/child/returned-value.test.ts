import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { toOutcome } from '../../../../agent/scripts/child/returned-value.ts';
import type { ListedDecision } from '../../../../agent/scripts/script-types.ts';
import { validateDecision } from '../../../../agent/scripts/validate-decision.ts';

const GIVEN: ListedDecision = {
  action: 'deny',
  source: 'cache',
  status: 403,
  list: 'manual',
  entry: 'ip:192.0.2.1',
  reason: 'abuse',
};

/** The outcome of a call that returned this value: a decision, a problem, or `kept`. */
function outcomeOf(value: unknown) {
  const outcome = toOutcome(value, GIVEN);
  if (outcome.type === 'returned') return validateDecision(structuredClone(outcome.returned));
  return outcome.type === 'failed' ? outcome.problem : outcome.type;
}

describe('what a function returned', () => {
  it('is a decision if it is valid', () => {
    for (const [value, expected] of [
      [{ action: 'allow' }, { action: 'allow' }],
      [
        { ...GIVEN, action: 'tarpit' },
        { action: 'tarpit', status: 403, reason: 'abuse' },
      ],
      [
        { action: 'redirect', vars: { location: '/login' } },
        { action: 'redirect', vars: { location: '/login' } },
      ],
      [{ action: 'deny', reason: undefined, status: undefined, vars: undefined }, { action: 'deny' }],
      [
        { action: 'deny', status: 451, reason: '' },
        { action: 'deny', status: 451, reason: '' },
      ],
    ])
      assert.deepEqual(outcomeOf(value), { source: 'script', ...(expected as object) });
  });

  it('keeps the decision of the lists if it is undefined, or that decision itself', () => {
    assert.equal(outcomeOf(undefined), 'kept');
    assert.equal(outcomeOf(GIVEN), 'kept');
  });

  const NONSENSE: readonly (readonly [unknown, RegExp])[] = [
    [null, /^returned null, not a decision$/],
    [42, /^returned a number, not a decision$/],
    ['deny', /^returned a string, not a decision$/],
    [() => {}, /^returned a function, not a decision$/],
    [{}, /^returned a decision without an action$/],
    [[], /^returned a decision without an action$/],
    [{ action: 'dney' }, /^returned unknown action dney, did you mean deny\?$/],
    [{ action: 'set_status_403' }, /^returned unknown action set_status_403, expected one of allow, /],
    [{ action: 'deny', state: 403 }, /^returned unknown property "state", expected action, reason, status, vars$/],
    [{ action: 'deny', status: 200 }, /^returned status 200, which is not valid for any action$/],
    [{ action: 'deny', status: 302 }, /^returned an invalid decision: status 302 is none of /],
    [{ action: 'deny', status: '403' }, /^returned status 403, which is not valid for any action$/],
    [{ action: 'deny', reason: 'a\r\nset-cookie: b' }, /^returned a reason that is not one line/],
    [{ action: 'deny', reason: 'x'.repeat(201) }, /^returned a reason that is not one line/],
    [{ action: 'deny', reason: 'x'.repeat(1e6) }, /^returned a reason that is not a short string or a number$/],
    [{ action: 'deny', reason: { toString: () => 'x' } }, /^returned a reason that is not a short string/],
    [{ action: 'redirect' }, /^returned an invalid decision: action redirect needs vars.location$/],
    [
      { action: 'redirect', vars: { location: '//evil.example' } },
      /^returned an invalid decision: vars.location must be/,
    ],
    [{ action: 'route', vars: { backend: 5 } }, /^returned vars.backend that is not a short string$/],
    [{ action: 'tag', vars: ['x'] }, /^returned vars that are not an object$/],
    [{ action: 'tag', vars: { 'req.set.x-a': 'a\nb' } }, /^returned an invalid decision: vars\.req\.set\.x-a must be/],
    [{ action: 'tag', vars: { 'req.set.host': 'b' } }, /^returned an invalid decision: vars\.req\.set\.host is /],
    [
      { action: 'tag', vars: Object.fromEntries(Array.from({ length: 1000 }, (_, at) => [`a${at}`, ''])) },
      /^returned 1000 vars, at most 32 are allowed$/,
    ],
    [new Proxy({}, { ownKeys: () => assert.fail('no') }), /^returned an unreadable value: /],
    [
      Object.defineProperty({ action: 'deny' }, 'reason', { enumerable: true, get: () => assert.fail('no') }),
      /^returned an unreadable value/,
    ],
  ];
  for (const [value, problem] of NONSENSE)
    it(`is refused: ${problem}`, () => {
      const problemOf = outcomeOf(value);
      assert.equal(typeof problemOf, 'string');
      assert.match(problemOf as string, problem);
    });
});
