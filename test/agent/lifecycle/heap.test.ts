import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { heapLimitMegabytes, withinHeap } from '../../../agent/lifecycle/heap.ts';
import type { Settings } from '../../../config/settings.ts';

const settings = fc
  .record({
    entries: fc.constantFrom(1, 10_000, 200_000, 1_000_000),
    mode: fc.constantFrom('off', 'invalidate', 'mirror'),
    mirrored: fc.constantFrom(1, 100, 5_000, 2_000_000),
  })
  .map(({ entries, mode, mirrored }) => {
    const [cache, updates] = [{ maxEntries: entries }, { mode, maxEntries: mirrored }];
    return { cache, updates, memory: { heapMegabytes: 128 } } as Pick<Settings, 'cache' | 'updates' | 'memory'>;
  });

describe('settings for a heap whose limit is fixed', () => {
  it('are the wanted ones if these have room, else the most of them that has, with the sizes that run', () => {
    const kept = new Set<string>();
    fc.assert(
      fc.property(settings, settings, (running, wanted) => {
        const limit = heapLimitMegabytes(running);
        const fits = (parts: object) => heapLimitMegabytes({ ...running, ...parts }) <= limit;
        const { cache, updates } = withinHeap(limit, running, wanted);
        assert.ok(fits({ cache, updates }));
        if (fits({ cache: wanted.cache, updates: wanted.updates }))
          assert.deepEqual({ cache, updates }, { cache: wanted.cache, updates: wanted.updates });
        assert.ok([wanted.cache, running.cache].some(({ maxEntries }) => maxEntries === cache.maxEntries));
        for (const [name, got, own] of [
          ['cache', cache, wanted.cache],
          ['mirror', updates, wanted.updates],
        ] as const)
          if (got !== own) kept.add(name);
        if (updates !== wanted.updates) assert.deepEqual(updates, running.updates);
      }),
      { numRuns: 300 },
    );
    assert.deepEqual([...kept].toSorted(), ['cache', 'mirror']);
  });
});
