import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { decidedBy } from '../../../agent/scripts/decided.ts';
import { returnedBy } from '../../../agent/scripts/returned.ts';
import type { RuleGiven } from '../../../agent/scripts/rules.ts';

const GIVEN: RuleGiven = {
  action: 'deny',
  source: 'cache',
  status: 403,
  list: 'manual',
  entry: 'ip:192.0.2.1',
  reason: 'abuse',
};

/** What becomes of a value that a function returned. */
function comesTo(value: unknown) {
  const outcome = returnedBy(value, GIVEN);
  if (outcome.type === 'returned') return decidedBy(structuredClone(outcome.returned));
  return outcome.type === 'failed' ? outcome.problem : outcome.type;
}

describe('what a function returned', () => {
  it('is a decision where it can be one', () => {
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
      assert.deepEqual(comesTo(value), { source: 'rules', ...(expected as object) });
  });

  it('keeps what the lists say where it is undefined, or that decision itself', () => {
    assert.equal(comesTo(undefined), 'kept');
    assert.equal(comesTo(GIVEN), 'kept');
  });

  const NONSENSE: readonly (readonly [unknown, RegExp])[] = [
    [null, /^returned null, not a decision$/],
    [42, /^returned a number, not a decision$/],
    ['deny', /^returned a string, not a decision$/],
    [() => {}, /^returned a function, not a decision$/],
    [{}, /^returned a decision without action$/],
    [[], /^returned a decision without action$/],
    [{ action: 'dney' }, /^returned action dney, did you mean deny\?$/],
    [{ action: 'set_status_403' }, /^returned action set_status_403, which is none of allow, /],
    [{ action: 'deny', state: 403 }, /^returned "state", which is none of action, reason, status, vars$/],
    [{ action: 'deny', status: 200 }, /^returned status 200, which no action has$/],
    [{ action: 'deny', status: 302 }, /^returned what cannot be done: status 302 is none of /],
    [{ action: 'deny', status: '403' }, /^returned status 403, which no action has$/],
    [{ action: 'deny', reason: 'a\r\nset-cookie: b' }, /^returned a reason that is not one line/],
    [{ action: 'deny', reason: 'x'.repeat(201) }, /^returned a reason that is not one line/],
    [{ action: 'deny', reason: 'x'.repeat(1e6) }, /^returned a reason that is no short text or number$/],
    [{ action: 'deny', reason: { toString: () => 'x' } }, /^returned a reason that is no short text/],
    [{ action: 'redirect' }, /^returned what cannot be done: action redirect needs vars.location$/],
    [
      { action: 'redirect', vars: { location: '//evil.example' } },
      /^returned what cannot be done: vars.location must be/,
    ],
    [{ action: 'route', vars: { backend: 5 } }, /^returned vars.backend that is no short text$/],
    [{ action: 'tag', vars: ['x'] }, /^returned vars that are no map$/],
    [{ action: 'tag', vars: { 'req.set.x-a': 'a\nb' } }, /^returned what cannot be done: vars\.req\.set\.x-a must be/],
    [{ action: 'tag', vars: { 'req.set.host': 'b' } }, /^returned what cannot be done: vars\.req\.set\.host is /],
    [
      { action: 'tag', vars: Object.fromEntries(Array.from({ length: 1000 }, (_, at) => [`a${at}`, ''])) },
      /^returned 1000 vars$/,
    ],
    [new Proxy({}, { ownKeys: () => assert.fail('no') }), /^returned what cannot be read: /],
    [
      Object.defineProperty({ action: 'deny' }, 'reason', { enumerable: true, get: () => assert.fail('no') }),
      /^returned what cannot/,
    ],
  ];
  for (const [value, problem] of NONSENSE)
    it(`is refused: ${problem}`, () => {
      const problemOf = comesTo(value);
      assert.equal(typeof problemOf, 'string');
      assert.match(problemOf as string, problem);
    });
});
