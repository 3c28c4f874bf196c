import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { HASHED } from '../../../cli/bulk/write-order.ts';

describe('the order in which entries are written', () => {
  it('scatters neighbours: any hundred in a row are of all parts of the list', () => {
    const subjects = Array.from({ length: 10_000 }, (_, n) => `ip:203.0.${n >> 8}.${n & 255}`);
    const placeOf = new Map(subjects.map((subject, place) => [subject, place]));
    const written = subjects.toSorted((a, b) => (HASHED(a) < HASHED(b) ? -1 : 1));
    for (let from = 0; from < written.length; from += 100) {
      const tenths = new Set(
        written.slice(from, from + 100).map((subject) => Math.floor((placeOf.get(subject) ?? 0) / 1000)),
      );
      assert.ok(tenths.size >= 8, `${tenths.size} of ten parts`);
    }
  });
});
