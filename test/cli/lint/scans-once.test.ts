import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { Blocklist, Item } from '../../../blocklist/store.ts';
import { lint } from '../../../cli/lint/lint.ts';

it('lint scans the table once, and compares the first entry with the last allow', async () => {
  const items: Item[] = [
    { subject: 'ip:203.0.113.7', list: 'feed', action: 'deny' },
    { subject: '@edits:0123456789ab', list: '2026-01-01T00:00:00.000Z#1', of: 'feed', edits: { B: new Uint8Array(9) } },
    { subject: 'ip:203.0.113.0/24', list: 'manual', action: 'allow' },
  ];
  let scans = 0;
  const blocklist = {
    bulk: {
      async *scan() {
        scans++;
        yield* items;
      },
    },
    lists: { find: async (name: string) => ({ name }) },
  } as unknown as Blocklist; // the rest is not used here
  const options = { hand: false, ipv6Prefix: 128, listActions: {}, nowMs: 0 };
  const found = await Array.fromAsync(lint(blocklist, options));
  assert.deepEqual(
    found.map(({ id, subject }) => `${id} ${subject}`),
    ['shadowed ip:203.0.113.7'],
  );
  assert.equal(scans, 1);
});
