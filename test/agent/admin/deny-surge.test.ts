import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { denySurge } from '../../../agent/admin/deny-surge.ts';
import { statusPage } from '../../../agent/admin/status-page.ts';
import type { Second } from '../../../agent/state/last-minute.ts';
import type { AgentState } from '../../../agent/state/state.ts';
import { agentState } from '../../support/agent-state.ts';

/** How many a second pass and are denied, for so many seconds. */
type Phase = readonly [seconds: number, passing: number, denied: number];

const NOW_MS = Date.UTC(2026, 10, 22, 14, 30);

/** A last minute of these phases, after so many other decisions of which a share was denied. */
function stateOf(phases: readonly Phase[], earlier = 0, usualShare = 0): AgentState {
  const all = phases.flatMap(([seconds, passing, denied]) =>
    Array.from({ length: seconds }, () => ({ passing, denied })),
  );
  const lastMinute = all.map(({ passing, denied }, index): Second => {
    const atMs = NOW_MS - (all.length - index) * 1000;
    return { atMs, decisions: passing + denied, denied, byPolicy: 0, p99Seconds: null };
  });
  const sum = (pick: 'decisions' | 'denied') => lastMinute.reduce((total, second) => total + second[pick], 0);
  const denied = sum('denied') + earlier * usualShare;
  const one = { message: 'check-request', source: 'cache', reason: '', list: '' } as const;
  const decisions = [
    { ...one, action: 'deny', list: 'manual', count: denied } as const,
    { ...one, action: 'allow', count: sum('decisions') + earlier - denied } as const,
  ];
  const top = [{ subject: 'ip:203.0.113.0/24', list: 'manual', count: 5432 }];
  return agentState({ takenAtMs: NOW_MS, lastMinute, decisions, top });
}

const LONG = 1_000_000;

describe('a surge of denies', () => {
  const CASES: [string, AgentState, boolean][] = [
    ['nothing at all', stateOf([]), false],
    ['no denies', stateOf([[60, 40, 0]], LONG), false],
    ['as many as usual, which is much', stateOf([[60, 30, 12]], LONG, 0.3), false],
    ['twice as many as usual', stateOf([[60, 36, 4]], LONG, 0.05), false],
    ['more than twice, above a tenth', stateOf([[60, 35, 5]], LONG, 0.05), true],
    ['ten times as many, below a tenth', stateOf([[60, 91, 9]], LONG, 0.009), false],
    ['most of them, as usual', stateOf([[60, 10, 11]], LONG, 0.6), true],
    ['of a few requests', stateOf([[10, 0, 1]], LONG), false],
    ['half, of a young agent', stateOf([[20, 10, 10]]), false],
    ['more than half, of a young agent', stateOf([[20, 10, 11]]), true],
    ['a third, of an agent that has decided less before than in the minute', stateOf([[60, 20, 10]], 1500), false],
    [
      'over for ten seconds',
      stateOf(
        [
          [20, 20, 80],
          [10, 20, 0],
        ],
        LONG,
      ),
      false,
    ],
  ];
  for (const [what, state, isOne] of CASES)
    it(`is ${isOne ? 'one' : 'none'}: ${what}`, () => assert.equal(denySurge(state) !== undefined, isOne));

  it('says since when, also with calm seconds within', () => {
    const since = (phases: readonly Phase[]) => {
      const surge = denySurge(stateOf(phases, LONG));
      assert.ok(surge);
      return surge.sinceMs === undefined ? undefined : (NOW_MS - surge.sinceMs) / 1000;
    };
    assert.equal(
      since([
        [40, 30, 1],
        [20, 30, 70],
      ]),
      20,
    );
    assert.equal(
      since([
        [40, 30, 1],
        [10, 30, 70],
        [3, 30, 0],
        [7, 30, 70],
      ]),
      20,
      'a pause',
    );
    assert.equal(
      since([
        [40, 30, 1],
        [10, 30, 70],
        [4, 30, 0],
        [6, 30, 70],
      ]),
      6,
      'another surge',
    );
    assert.equal(since([[60, 30, 70]]), undefined, 'before the last minute');
    assert.equal(since([[30, 30, 70]]), 30, 'from the start on');
  });

  it('tells an attack from a list that is too wide by how many still pass', () => {
    const attack = stateOf(
      [
        [40, 30, 1],
        [20, 28, 300],
      ],
      LONG,
    );
    const wide = stateOf(
      [
        [40, 30, 1],
        [20, 5, 26],
      ],
      LONG,
    );
    assert.deepEqual(denySurge(attack)?.passing, { now: 28, before: 30 });
    assert.deepEqual(denySurge(wide)?.passing, { now: 5, before: 30 });
    assert.equal(denySurge(stateOf([[60, 30, 300]], LONG))?.passing, undefined);
    const said = statusPage({ state: attack });
    assert.match(
      said,
      /<b>91\.5 % of the requests are denied, usually 0\.0 %: it looks like an attack, which is kept out<\/b> <small>since <time [^>]*>14:29:40</,
    );
    assert.match(
      said,
      /Most denied: <bdi>ip:203\.0\.113\.0\/24<\/bdi> of list <bdi>manual<\/bdi>, <data value="5432">5,432</,
    );
    assert.match(said, /As many requests pass as before \(28\.0 \/s, 30\.0 \/s before\)\./);
    assert.match(said, /#haverdictdenysharejump"/);
    assert.match(statusPage({ state: wide }), /Fewer requests pass \(5\.00 \/s, 30\.0 \/s before\)\./);
    assert.match(statusPage({ state: wide }), /usually 0\.0 %: a list may be too wide<\/b>/);
    assert.match(statusPage({ state: wide }), /#haverdictblockseverybody"/);
  });

  it('is not what the policy denies while the backend fails', () => {
    const state = stateOf([[60, 1, 50]], LONG);
    assert.match(statusPage({ state }), /of the requests are denied/);
    const failing = { ...state, backend: { ...state.backend, breaker: 'open' } } as const;
    assert.doesNotMatch(statusPage({ state: failing }), /of the requests are denied/);
  });
});
