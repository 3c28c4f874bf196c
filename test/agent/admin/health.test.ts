import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { health, healthText } from '../../../agent/admin/health.ts';
import { agentState } from '../../support/agent-state.ts';
import { sampleState } from './sample-state.ts';

const { degradation: quiet, backend } = agentState();
const degraded = (changes: object) => agentState({ degradation: { ...quiet, isDegraded: true, ...changes } });

describe('the health of an agent', () => {
  it('is ready without a word where all is well, also with some decisions by policy', () => {
    const some = { ...quiet, lookups: 100, letThrough: 4, byPolicy: { ...quiet.byPolicy, timeout: 4 } };
    assert.equal(healthText(health(agentState({ degradation: some }))), 'ready');
  });

  it('says of a degraded one what it means for clients, why, how many, and how long calls take where they are late', () => {
    const slow = {
      lookups: 200,
      letThrough: 190,
      byPolicy: { ...quiet.byPolicy, timeout: 188, overload: 2 },
      p50Ms: 61.4,
    };
    assert.equal(
      healthText(health(degraded(slow))),
      'degraded: listed clients may pass, because those not in the cache are let through by policy: the backend answers later than deadlineMs; ' +
        '95.0 % of the lookups of the last 10 s were decided by policy (timeout 188, overload 2); half of the calls take 61 ms, deadlineMs is 40',
    );
    const down = { lookups: 50, denied: 50, byPolicy: { ...quiet.byPolicy, breaker_open: 50 }, p50Ms: 1 };
    assert.equal(
      healthText(health(degraded(down))),
      'degraded: clients not in the cache are denied by policy, listed or not: calls to the backend were paused; ' +
        '100.0 % of the lookups of the last 10 s were decided by policy (breaker_open 50)',
    );
  });

  it('never says that listed clients may pass while a mirror denies them', () => {
    const { mirror, config } = agentState();
    const { ifErrorSeconds } = config.updates;
    const pass = /^listed clients may pass/;
    const denied = /^listed clients are still denied by the mirror, others are let through/;
    const cases: [Partial<typeof mirror>, RegExp][] = [
      [{ state: 'off' }, pass],
      [{ state: 'loading' }, pass],
      [{ state: 'live', ageSeconds: 1 }, denied],
      [{ state: 'behind', ageSeconds: ifErrorSeconds }, denied],
      [{ state: 'behind', ageSeconds: ifErrorSeconds + 1 }, pass],
      [{ state: 'behind', ageSeconds: null }, pass],
    ];
    const letThrough = { ...quiet, isDegraded: true, lookups: 9, letThrough: 9 };
    for (const [of, expected] of cases) {
      const state = agentState({ degradation: letThrough, mirror: { ...mirror, ...of } });
      assert.match(health(state).problems[0]?.effect ?? '', expected, JSON.stringify(of));
      const nobodyAsked = agentState({ degradation: { ...quiet, isDegraded: true }, mirror: { ...mirror, ...of } });
      assert.match(health(nobodyAsked).problems[0]?.effect ?? '', /^no client is affected yet/, JSON.stringify(of));
    }
  });

  it('gives the last error of a backend that is down, and of one that is late only if it is of now', () => {
    const { takenAtMs } = agentState();
    const errorOf = (atMs: number, breaker: 'closed' | 'open') =>
      health({
        ...degraded({ sinceMs: takenAtMs - 60_000 }),
        backend: { ...backend, breaker, lastErrorAtMs: atMs, lastError: 'no' },
      }).problems[0]?.lastError;
    assert.deepEqual(errorOf(takenAtMs - 61_000, 'closed'), { text: 'no', atMs: takenAtMs - 61_000 });
    assert.equal(errorOf(takenAtMs - 3_600_000, 'closed'), undefined);
    assert.ok(errorOf(takenAtMs - 3_600_000, 'open'));
  });

  it('says what it means that changes do not arrive, why, and when they did', () => {
    const { updates, startedAtMs } = agentState();
    const state = (more: Partial<typeof updates>, upSeconds = 3600) =>
      agentState({ takenAtMs: startedAtMs + upSeconds * 1000, updates: { ...updates, ...more } });
    const told = (...of: Parameters<typeof state>) => healthText(health(state(...of)));
    const behind = 'degraded: new blocks take effect after up to 60 s: ';
    assert.equal(told({ state: 'live', ageSeconds: 0.8 }), 'ready');
    assert.equal(
      told({ state: 'behind', ageSeconds: 75.2, lastError: 'no' }),
      `${behind}changes to the lists cannot be fetched; complete up to 75 s ago`,
    );
    assert.equal(
      told({ state: 'behind', ageSeconds: null }),
      `${behind}the backend does not confirm that all changes have arrived; none since the start`,
    );
    assert.match(told({ state: 'behind', ageSeconds: null }, 29), /^starting: new blocks/);
    assert.match(told({ state: 'behind', ageSeconds: null }, 30), /^degraded: /);
    assert.match(told({ state: 'behind', ageSeconds: null, lastError: 'no' }, 3), /^degraded: /, 'not for what failed');
    const { isReady, problems } = health(state({ state: 'behind', ageSeconds: null }, 3));
    assert.deepEqual([isReady, problems[0]?.sinceMs], [true, undefined]);
  });

  it('tells of updates and mirror as one problem, of which the updates are the cause', () => {
    const { updates, mirror, startedAtMs } = agentState();
    const told = (of: (typeof updates)['state'], state: (typeof mirror)['state'], lastError?: string) =>
      health(
        agentState({
          takenAtMs: startedAtMs + 3_600_000,
          updates: { ...updates, state: of, ageSeconds: 90 },
          mirror: { ...mirror, state, ...(lastError !== undefined && { lastError }) },
        }),
      ).problems.map(({ effect, cause, runbook }) => [effect, cause, runbook]);
    const block = 'new blocks take effect after up to 60 s';
    const cause = 'the backend does not confirm that all changes have arrived; complete up to 90 s ago';
    assert.deepEqual(told('behind', 'behind'), [
      [`${block}, the function is asked first, then the mirror`, cause, 'HaverdictUpdatesBehind'],
    ]);
    assert.deepEqual(told('live', 'loading'), [
      ['the function is asked', 'the mirror is not loaded yet', 'HaverdictMirrorBehind'],
    ]);
    assert.deepEqual(told('live', 'loading', 'no'), [
      ['the function is asked', 'the mirror cannot be loaded', 'HaverdictMirrorBehind'],
    ]);
    assert.deepEqual(told('live', 'live'), []);
  });

  it('does not promise that new blocks take effect while the backend is down', () => {
    const { updates } = agentState();
    const behind = { ...updates, state: 'behind', ageSeconds: 90 } as const;
    const effects = (breaker: 'closed' | 'open') =>
      health(agentState({ updates: behind, backend: { ...backend, breaker } })).problems.map(({ effect }) => effect);
    assert.deepEqual(effects('closed'), ['new blocks take effect after up to 60 s']);
    assert.equal(effects('open')[1], 'new blocks take effect when the backend answers again');
  });

  it('stays ready and degraded until all was well for a while, and names a breaker', () => {
    const probing = health({ ...degraded({}), backend: { ...backend, breaker: 'probing' } });
    assert.deepEqual([probing.isReady, probing.condition], [true, 'degraded']);
    assert.match(probing.problems[0]?.cause ?? '', /tried one at a time \(circuit breaker probing\)$/);
    assert.equal(health(degraded({})).problems[0]?.cause, 'the backend has just recovered');
  });

  it('knows of an agent that has checked nothing, for which /readyz has no other word', () => {
    const unused = health(agentState());
    assert.deepEqual([unused.condition, healthText(unused)], ['unused', 'ready']);
    assert.equal(health(sampleState()).condition, 'ready');
    const silent = health(agentState({ listening: [] }));
    assert.deepEqual([silent.condition, silent.isReady, healthText(silent)], ['not ready', false, 'not ready']);
  });
});
