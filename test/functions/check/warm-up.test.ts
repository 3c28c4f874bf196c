import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { EntryStore } from '../../../blocklist/store.ts';
import { StoreError } from '../../../blocklist/store.ts';
import { warmUp } from '../../../functions/check/warm-up.ts';
import { MemoryStore } from '../../support/memory-store.ts';

describe('warmUp', () => {
  it('says nothing of a table that answers', async () => assert.deepEqual(await linesOf(new MemoryStore().lookup), []));

  it('logs what the store says when it cannot read, and goes on', async () => {
    const failure = new StoreError('no table there');
    const lines = await linesOf(async (keys) => ({ items: [], unread: keys, throttles: 0, failure }));
    assert.deepEqual(lines, [['table not reached at startup', { problem: 'no table there' }]]);
  });

  it('logs whatever is thrown, and goes on', async () => {
    const lines = await linesOf(async () => {
      throw new TypeError('broken');
    });
    assert.deepEqual(lines, [['table not reached at startup', { problem: 'TypeError: broken' }]]);
  });

  it('waits for a silent table no longer than its limit', async () => {
    const lines = await linesOf(() => new Promise(() => {}));
    assert.deepEqual(lines, [['table not reached at startup', { problem: 'no answer within 20 ms' }]]);
  });
});

async function linesOf(lookup: EntryStore['lookup']): Promise<unknown[]> {
  const store = new MemoryStore();
  store.lookup = lookup.bind(store);
  const lines: unknown[] = [];
  await warmUp(store, (_level, message, fields) => void lines.push([message, fields]), 20);
  return lines;
}
