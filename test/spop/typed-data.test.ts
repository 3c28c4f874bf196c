import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { Cursor } from '../../spop/cursor.ts';
import { PayloadWriter } from '../../spop/payload-writer.ts';
import { readData, type TypedData, writeData } from '../../spop/typed-data.ts';
import { values } from '../support/spop/frames.ts';
import { Bytes, fromHex, toHex, typed } from '../support/spop/naive-codec.ts';

const write = (data: TypedData) => {
  const out = new PayloadWriter();
  writeData(out, data);
  return toHex(out.finish());
};

describe('typed values', () => {
  for (const value of values) {
    const bytes = Uint8Array.from(typed(value));
    it(`reads and writes ${value.type} ${toHex(bytes).slice(0, 40)}`, () => {
      assert.equal(write(value), toHex(bytes));
      const cursor = new Cursor(bytes);
      assert.deepEqual(readData(cursor), value);
      assert.equal(cursor.at, bytes.length);
    });

    it(`refuses ${value.type} ${toHex(bytes).slice(0, 40)} cut anywhere`, () => {
      for (let kept = 0; kept < bytes.length; kept++)
        assert.throws(() => readData(new Cursor(bytes, 0, kept)), { name: 'SpopError', status: 4 });
    });
  }

  it('has the bytes that HAProxy writes', () => {
    const examples: readonly (readonly [TypedData, string])[] = [
      [{ type: 'null' }, '00'],
      [{ type: 'bool', value: false }, '01'],
      [{ type: 'bool', value: true }, '11'],
      [{ type: 'int32', value: -1n }, '02fff0fefefefefefefe0e'],
      [{ type: 'uint32', value: 16380n }, '03fcf006'],
      [{ type: 'int64', value: -42n }, '04f6eefefefefefefefe0e'],
      [{ type: 'uint64', value: 2n ** 64n - 1n }, '05fff0fefefefefefefe0e'],
      [{ type: 'ipv4', value: Uint8Array.of(127, 0, 0, 1) }, '067f000001'],
      [{ type: 'ipv6', value: fromHex('20010db8000000000000000000000001') }, '0720010db8000000000000000000000001'],
      [{ type: 'string', value: 'GET' }, '0803474554'],
      [{ type: 'string', value: 'h\u00e9' }, '080368c3a9'],
      [{ type: 'binary', value: Uint8Array.of(0, 1) }, '09020001'],
    ];
    for (const [data, hex] of examples) assert.equal(write(data), hex);
  });

  it('looks only at the low half of the first byte for the type', () => {
    for (const flags of [0x10, 0x20, 0x80, 0xf0]) {
      assert.deepEqual(readData(new Cursor(Uint8Array.of(flags))), { type: 'null' });
      assert.deepEqual(readData(new Cursor(Uint8Array.of(flags | 4, 7))), { type: 'int64', value: 7n });
      assert.deepEqual(readData(new Cursor(Uint8Array.of(flags | 8, 0))), { type: 'string', value: new Uint8Array(0) });
    }
    assert.deepEqual(readData(new Cursor(Uint8Array.of(0xe1))), { type: 'bool', value: false });
    assert.deepEqual(readData(new Cursor(Uint8Array.of(0xf1))), { type: 'bool', value: true });
  });

  for (let type = 10; type < 16; type++) {
    it(`refuses the reserved type ${type}`, () => {
      for (const flags of [0, 0x10, 0xf0])
        assert.throws(() => readData(new Cursor(Uint8Array.of(flags | type, 0, 0, 0))), { status: 4 });
    });
  }

  it('keeps a string’s bytes when they are not UTF-8, and tells empty from missing', () => {
    assert.deepEqual(readData(new Cursor(fromHex('0807636166e920fffe'))), {
      type: 'string',
      value: fromHex('636166e920fffe'),
    });
    assert.notDeepEqual(readData(new Cursor(fromHex('0800'))), readData(new Cursor(fromHex('00'))));
  });

  it('writes no address of the wrong size', () => {
    assert.throws(() => write({ type: 'ipv4', value: new Uint8Array(16) }), TypeError);
    assert.throws(() => write({ type: 'ipv6', value: new Uint8Array(4) }), TypeError);
  });

  it('reads any bytes like the naive codec', () => {
    const soup = fc.oneof(
      fc.uint8Array({ maxLength: 24 }),
      fc
        .tuple(fc.constantFrom(...values), fc.uint8Array({ maxLength: 4 }))
        .map(([value, more]) => Uint8Array.from([...typed(value), ...more])),
    );
    fc.assert(
      fc.property(soup, (bytes) => {
        const naive = attempt(() => new Bytes(bytes).typed());
        assert.deepEqual(
          attempt(() => readData(new Cursor(bytes))),
          naive,
        );
      }),
      { numRuns: 2000 },
    );
  });
});

function attempt<T>(read: () => T): T | 'refused' {
  try {
    return read();
  } catch {
    return 'refused';
  }
}
