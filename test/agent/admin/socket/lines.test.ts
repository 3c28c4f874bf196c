import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { LineTooLong, linesOf } from '../../../../agent/admin/socket/lines.ts';

async function* inChunks(bytes: Buffer, sizes: readonly number[]): AsyncGenerator<Uint8Array> {
  let at = 0;
  for (let index = 0; at < bytes.length; index++) {
    const end = at + (sizes[index % sizes.length] ?? 1);
    yield bytes.subarray(at, end);
    at = end;
  }
}

describe('the lines of a stream', () => {
  it('are the same, however it is cut', async () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 9 });
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: fc.constantFrom('a', 'é', '\n', '🙂') }), sizes, async (text, cuts) => {
        const expected = text.split('\n');
        if (expected.at(-1) === '') expected.pop();
        assert.deepEqual(await Array.fromAsync(linesOf(inChunks(Buffer.from(text), cuts), 1000)), expected);
      }),
    );
  });

  it('have at most so many bytes, whether or not an end came', async () => {
    const lines = (text: string) => Array.fromAsync(linesOf(inChunks(Buffer.from(text), [3]), 5));
    assert.deepEqual(await lines('12345\n12345'), ['12345', '12345']);
    await assert.rejects(lines('123456\n'), LineTooLong);
    await assert.rejects(lines('1\n123456'), LineTooLong);
  });
});
