import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { didYouMean } from '../../config/did-you-mean.ts';

describe('nearest', () => {
  for (const [word, known, meant] of [
    ['cahce', ['cache', 'backend'], 'cache'],
    ['MAXENTRIES', ['maxEntries', 'maxConcurrent'], 'maxEntries'],
    ['colour', ['level'], undefined],
    ['', ['level'], undefined],
    ['level', [], undefined],
  ] as const)
    it(`finds ${meant ?? 'nothing'} for "${word}" among ${known.join(', ') || 'nothing'}`, () => {
      assert.equal(didYouMean(word, known), meant);
    });
});
