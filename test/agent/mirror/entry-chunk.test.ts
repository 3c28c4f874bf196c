import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type * as EntryChunks from '../../../agent/mirror/entry-chunk.ts';
import { NEVER } from '../../../agent/mirror/entry-value.ts';
import { longRuns } from '../../support/scope.ts';

const chunks = fc.record({
  words: fc.constantFrom(1, 2, 4),
  slots: fc.nat({ max: 7 }).map((bits) => 2 << bits),
});

let instances = 0;

/** The module as at the start of a process: it has split nothing yet. */
async function fresh(): Promise<typeof EntryChunks> {
  return import(`../../../agent/mirror/entry-chunk.ts?${++instances}`);
}

describe('a chunk of entries', () => {
  it('loses nothing by growing, whatever chunks of other widths grew before it', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(chunks, { minLength: 2, maxLength: 6 }), async (all) => {
        const { EntryChunk } = await fresh();
        for (const { words, slots } of all) {
          const hashAt = (ints: Int32Array, at: number) => Math.imul(ints[at] ?? 0, 0x9e3779b1);
          const [chunk, larger] = [new EntryChunk(words, slots, 0, 0), new EntryChunk(words, 2 * slots, 0, 0)];
          const numbers = Array.from({ length: slots / 2 }, (_, number) => number);
          for (const a of numbers) {
            const b = words > 1 ? a : 0;
            const c = words > 2 ? a : 0;
            chunk.add(Math.imul(a, 0x9e3779b1), { a, b, c, d: c }, a + 1, a % 2 === 0 ? NEVER : a);
          }
          chunk.moveAll(hashAt, 0, larger, larger);
          const shown: number[][] = [];
          larger.each(hashAt, (at, value, expiry) => void shown.push([at.a, at.b, at.c, value, expiry]));
          assert.deepEqual(
            shown.sort(([a = 0], [b = 0]) => a - b),
            numbers.map((a) => [a, words > 1 ? a : 0, words > 2 ? a : 0, a + 1, a % 2 === 0 ? NEVER : a]),
          );
        }
      }),
      { numRuns: longRuns(3000, 100) },
    );
  });
});
