import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { health, healthText } from '../../../agent/admin/health.ts';
import { agentState } from '../../support/agent-state.ts';

const { degradation: quiet, backend } = agentState();
const degraded = (changes: object) => agentState({ degradation: { ...quiet, isDegraded: true, ...changes } });

describe('the health of an agent', () => {
  it('is ready without a word where all is well, also with some decisions by policy', () => {
    const some = { ...quiet, lookups: 100, letThrough: 4, byPolicy: { ...quiet.byPolicy, timeout: 4 } };
    assert.equal(healthText(health(agentState({ degradation: some }))), 'ready');
  });

  it('says of a degraded one how many, what was done, why, and how long calls take', () => {
    const slow = {
      lookups: 200,
      letThrough: 190,
      byPolicy: { ...quiet.byPolicy, timeout: 188, overload: 2 },
      p50Ms: 61.4,
    };
    assert.equal(
      healthText(health(degraded(slow))),
      'degraded: 95.0 % of the lookups of the last 10 s were let through by policy (timeout 188, overload 2); the p50 of calls to the backend is 61 ms, deadlineMs is 40',
    );
    const down = { lookups: 50, denied: 50, byPolicy: { ...quiet.byPolicy, breaker_open: 50 } };
    assert.equal(
      healthText(health(degraded(down))),
      'degraded: 100.0 % of the lookups of the last 10 s were denied by policy (breaker_open 50); no calls to the backend',
    );
  });

  it('is told where changes may not have arrived, and until when they have', () => {
    const { updates } = agentState();
    const told = (more: Partial<typeof updates>) =>
      healthText(health(agentState({ updates: { ...updates, ...more } })));
    const behind =
      'degraded: changes to the lists may not have reached this agent, and count once cached verdicts expire: ';
    assert.equal(told({ state: 'live', ageSeconds: 0.8 }), 'ready');
    assert.equal(told({ state: 'behind', ageSeconds: 75.2 }), `${behind}all until 75 s ago have arrived`);
    assert.equal(told({ state: 'behind', ageSeconds: null }), `${behind}none is known to have arrived since the start`);
  });

  it('stays ready and degraded until all was well for a while, and names a breaker beside it', () => {
    const found = health({ ...degraded({}), backend: { ...backend, breaker: 'probing' } });
    assert.equal(found.isReady, true);
    assert.deepEqual(
      found.degraded.map(({ text }) => text),
      ['the backend failed: the circuit breaker is probing it', 'the backend has just recovered'],
    );
  });
});
