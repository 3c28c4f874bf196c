import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Key } from '../../../blocklist/store.ts';
import { pacedReads } from '../../../functions/update-writer/paced-reads.ts';

describe('the reads of the writer', () => {
  it('are calls of a hundred keys, one after the other, no faster than told', async () => {
    let nowMs = 0;
    const calls: (readonly [atMs: number, keys: number])[] = [];
    const table = {
      read: async (keys: readonly Key[]) => {
        calls.push([nowMs, keys.length]);
        nowMs += 5;
        return keys.map((key) => ({ ...key }));
      },
    };
    const wait = async (ms: number) => {
      nowMs += ms;
    };
    const { read } = pacedReads(table, { itemsPerSecond: 200, clock: () => nowMs, wait });
    const keys = Array.from({ length: 250 }, (_, index) => ({ subject: `host:h${index}`, list: 'manual' }));
    assert.deepEqual(await read(keys), keys);
    await read(keys.slice(0, 1));
    assert.deepEqual(calls, [
      [0, 100],
      [500, 100],
      [1000, 50],
      [1250, 1],
    ]);
    nowMs = 60_000;
    await read(keys.slice(0, 1));
    assert.deepEqual(calls.at(-1), [60_000, 1]);
  });
});
