import assert from 'node:assert/strict';
import { it } from 'node:test';
import { LastKeys } from '../../../cli/bulk/last-keys.ts';

it('a run remembers the keys that it changed last, each once, and no more than a thousand', () => {
  const keys = Array.from({ length: 1500 }, (_, index) => ({ subject: `host:h${index}`, list: 'feed' }));
  const last = new LastKeys();
  for (let at = 0; at < keys.length; at += 25) last.add(keys.slice(at, at + 25));
  last.add(keys.slice(0, 2));
  assert.deepEqual(last.all, [...keys.slice(502), ...keys.slice(0, 2)]);
});
