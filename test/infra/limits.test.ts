import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { loadSettings } from '../../config/load.ts';
import { agentLimits, readUnits } from '../../infra/limits.ts';

describe('what follows from how many copies of the function there are', () => {
  it('is the limit of the table, unless it is set', () => {
    assert.deepEqual(([10, 50, 1000, 'none'] as const).map(readUnits), [2000, 10_000, 40_000, 2000]);
  });

  it('is what each agent may ask: together no more than the function serves, and one call at least', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 10_000 }), fc.integer({ min: 1, max: 10_000 }), (copies, agents) => {
        fc.pre(agents <= copies * 10);
        const limits = agentLimits(copies, agents);
        assert.ok(limits !== undefined && limits.maxCallsPerSecond >= 1 && limits.maxConcurrent >= 1);
        assert.ok(limits.maxCallsPerSecond * agents <= copies * 10);
        assert.ok(limits.maxConcurrent * agents <= Math.max(copies, agents));
        // What the agent itself takes.
        const { backend } = loadSettings(undefined, {
          HAVERDICT_BACKEND_URL: 'http://127.0.0.1',
          HAVERDICT_BACKEND_MAX_CALLS_PER_SECOND: `${limits.maxCallsPerSecond}`,
          HAVERDICT_BACKEND_MAX_CONCURRENT: `${limits.maxConcurrent}`,
        });
        assert.deepEqual([backend.maxCallsPerSecond, backend.maxConcurrent], Object.values(limits));
      }),
    );
    assert.equal(agentLimits('none', 1), undefined);
  });
});
