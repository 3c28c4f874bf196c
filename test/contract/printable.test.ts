import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { printable } from '../../contract/printable.ts';

const text = fc.string({
  unit: fc.oneof(
    fc.constantFrom('a', '"', '\\', '\n', '\x9b', '\u202e', '\u2028', '🦊', '\ud83e'),
    fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }),
  ),
});

describe('text for a message', () => {
  it('is what escaping all of it and cutting then would make, however long it is', () => {
    fc.assert(
      fc.property(text, fc.integer({ min: 4, max: 40 }), (of, maxLength) => {
        assert.equal(printable(of, maxLength), cutAfterwards(printable(of, 100_000), maxLength));
      }),
    );
  });

  it('costs by what is told of it, and not by what there is', () => {
    const long = { slice: (from: number, to: number) => 'a'.repeat(to - from) } as unknown as string;
    assert.equal(printable(long, 10), 'aaaaaaa...');
  });
});

function cutAfterwards(escaped: string, maxLength: number): string {
  return escaped.length <= maxLength ? escaped : `${escaped.slice(0, maxLength - 3).replace(/\p{Cs}$/u, '')}...`;
}
