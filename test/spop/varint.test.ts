import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { Cursor } from '../../spop/cursor.ts';
import { encodeVarint64, varintLength, writeVarint } from '../../spop/varint.ts';
import { Bytes, fromHex, toHex, varint } from '../support/spop/naive-codec.ts';

/** Value and bytes, as HAProxy's encode_varint writes them. */
const table: readonly (readonly [bigint, string])[] = [
  [0n, '00'],
  [239n, 'ef'],
  [240n, 'f000'],
  [241n, 'f100'],
  [255n, 'ff00'],
  [256n, 'f001'],
  [2287n, 'ff7f'],
  [2288n, 'f08000'],
  [16380n, 'fcf006'],
  [264431n, 'ffff7f'],
  [264432n, 'f0808000'],
  [33818863n, 'ffffff7f'],
  [33818864n, 'f080808000'],
  [2147483647n, 'fff0fefe3e'],
  [4294967295n, 'fff0fefe7e'],
  [4328786160n, 'f08080808000'],
  [2n ** 63n - 1n, 'fff0fefefefefefefe06'],
  [2n ** 64n - 1n, 'fff0fefefefefefefe0e'],
];

const uint64 = fc.oneof(
  fc.bigInt(0n, 2n ** 64n - 1n),
  fc
    .tuple(fc.integer({ min: 0, max: 63 }), fc.bigInt(-3n, 3n))
    .map(([bit, more]) => BigInt.asUintN(64, 2n ** BigInt(bit) + more)),
);
const length = fc.oneof(
  fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }),
  fc
    .tuple(fc.integer({ min: 0, max: 52 }), fc.integer({ min: -3, max: 3 }))
    .map(([bit, more]) => Math.max(0, 2 ** bit + more)),
);

function written(value: number): string {
  const out = new Uint8Array(20);
  return toHex(out.subarray(2, writeVarint(out, 2, value)));
}

describe('varints', () => {
  for (const [value, hex] of table) {
    it(`writes and reads ${value} as ${hex}`, () => {
      assert.equal(toHex(encodeVarint64(value)), hex);
      assert.equal(new Cursor(fromHex(hex)).varint64(), value);
      assert.equal(toHex(varint(value)), hex);
      if (value > BigInt(Number.MAX_SAFE_INTEGER)) return;
      assert.equal(written(Number(value)), hex);
      assert.equal(varintLength(Number(value)), hex.length / 2);
      assert.equal(new Cursor(fromHex(hex)).varint(), Number(value));
    });
  }

  it('writes negative numbers in two’s complement of 64 bits', () => {
    assert.equal(toHex(encodeVarint64(-1n)), 'fff0fefefefefefefe0e');
    assert.equal(toHex(encodeVarint64(-42n)), 'f6eefefefefefefefe0e');
  });

  it('takes one byte more exactly where a size class ends', () => {
    let first = 240n;
    let count = 16n * 128n;
    for (let bytes = 2; bytes <= 9; bytes++) {
      assert.equal(encodeVarint64(first - 1n).length, bytes - 1, `${first - 1n}`);
      assert.equal(encodeVarint64(first).length, bytes, `${first}`);
      if (first <= BigInt(Number.MAX_SAFE_INTEGER)) {
        assert.equal(varintLength(Number(first) - 1), bytes - 1);
        assert.equal(varintLength(Number(first)), bytes);
      }
      first += count;
      count *= 128n;
    }
  });

  it('writes and reads every 64-bit number like the naive codec', () => {
    fc.assert(
      fc.property(uint64, (value) => {
        const bytes = encodeVarint64(value);
        assert.equal(toHex(bytes), toHex(varint(value)));
        const cursor = new Cursor(bytes);
        assert.equal(cursor.varint64(), value);
        assert.equal(cursor.at, bytes.length);
      }),
      { numRuns: 3000 },
    );
  });

  it('is exact as a number below 2^53', () => {
    fc.assert(
      fc.property(length, (value) => {
        const hex = toHex(varint(value));
        assert.equal(written(value), hex);
        assert.equal(varintLength(value), hex.length / 2);
        const cursor = new Cursor(fromHex(hex));
        assert.equal(cursor.varint(), value);
        assert.equal(cursor.at, hex.length / 2);
      }),
      { numRuns: 3000 },
    );
  });

  it('reads any bytes like the naive codec, modulo 2^64, and refuses what that refuses', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 12 }), (tail) => {
        const bytes = Uint8Array.from([
          240 + ((tail[0] ?? 0) % 16),
          ...tail.subarray(1).map((byte) => byte | 0x80),
          ...tail.subarray(0, 1),
        ]);
        const naive = attempt(() => new Bytes(bytes).varint());
        assert.equal(
          attempt(() => new Cursor(bytes).varint64()),
          naive,
        );
        const cursor = new Cursor(bytes);
        attempt(() => cursor.skipVarint());
        assert.equal(attempt(() => new Cursor(bytes).skipVarint()) === 'refused', naive === 'refused');
      }),
      { numRuns: 3000 },
    );
  });

  for (const read of ['varint', 'varint64', 'skipVarint'] as const) {
    it(`refuses more than ten bytes, and an end inside (${read})`, () => {
      assert.doesNotThrow(() => new Cursor(fromHex('f0808080808080808000')).varint64());
      assert.throws(() => new Cursor(fromHex('f080808080808080808000'))[read](), { name: 'SpopError', status: 4 });
      for (let kept = 0; kept < 10; kept++)
        assert.throws(() => new Cursor(fromHex('fff0fefefefefefefe0e').subarray(0, kept))[read](), { status: 4 });
    });
  }
});

describe('lengths', () => {
  it('may reach the end of the frame and not one byte further', () => {
    assert.equal(new Cursor(fromHex('03aabbcc')).length(), 3);
    assert.throws(() => new Cursor(fromHex('04aabbcc')).length(), { status: 4 });
    assert.throws(() => new Cursor(fromHex('03aabbccdd'), 0, 3).length(), { status: 4 });
  });

  it('are refused when huge, also those that are small modulo 2^64', () => {
    for (const hex of [
      'fff0fefefefefefefe0e',
      'f0f0fefefefefefefe0e',
      'f1f0fefefefefefefe0f',
      'f08080808080808080 10'.replace(' ', ''),
    ])
      assert.throws(() => new Cursor(fromHex(`${hex}000000`)).length(), { status: 4 }, hex);
  });
});

describe('bytes taken', () => {
  it('are a copy, also from a Buffer, whose own slice is none', () => {
    const chunk = Buffer.from([1, 2, 3, 4]);
    const taken = new Cursor(chunk).take(3);
    chunk.fill(0xff);
    assert.deepEqual(taken, Uint8Array.of(1, 2, 3));
  });

  it('never reach past the end', () => {
    assert.throws(() => new Cursor(Uint8Array.of(1, 2)).take(3), { status: 4 });
    assert.throws(() => new Cursor(Uint8Array.of(1, 2)).skip(3), { status: 4 });
    assert.throws(() => new Cursor(Uint8Array.of(1, 2), 1, 1).byte(), { status: 4 });
  });
});

function attempt(read: () => unknown): unknown {
  try {
    return read() ?? 'read';
  } catch (error) {
    assert.ok(error instanceof Error);
    return 'refused';
  }
}
