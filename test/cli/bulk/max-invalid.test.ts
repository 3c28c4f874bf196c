import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DEFAULT_MAX_INVALID, mostInvalid, readMaxInvalid } from '../../../cli/bulk/max-invalid.ts';

describe('how many lines may be invalid', () => {
  it('is a number of lines, or a share of them', () => {
    for (const [text, lines, most] of [
      ['0', 1000, 0],
      ['20', 10, 20],
      ['5%', 1000, 50],
      ['0.5%', 1000, 5],
      ['5%', 19, 0],
      ['100%', 7, 7],
    ] as const)
      assert.equal(mostInvalid(readMaxInvalid(text), lines), most, text);
  });

  it('is ten, or a tenth of a long source, where nothing is said', () => {
    assert.deepEqual(
      [1, 100, 1000].map((lines) => mostInvalid(DEFAULT_MAX_INVALID, lines)),
      [10, 10, 100],
    );
  });

  it('is nothing else', () => {
    for (const text of ['', '-1', '1.5', '101%', '%', '5 %', 'all', '1e3', 'Infinity', '٣'])
      assert.throws(() => readMaxInvalid(text), /--max-invalid ".*" is not valid: write a number of lines like 20/);
  });
});
