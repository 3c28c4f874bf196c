import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { SpopError } from '../../spop/errors.ts';
import { FrameReader } from '../../spop/frame-reader.ts';
import { bare, frame, fromHex, join, prefixed, toHex } from '../support/spop/naive-codec.ts';

/** Every frame that comes out of these chunks, as hex without its prefix, and the status it ends with, if it does. */
function readAll(chunks: readonly Uint8Array[], maxFrameBytes = 1000): (string | number)[] {
  const reader = new FrameReader(maxFrameBytes);
  const out: (string | number)[] = [];
  try {
    for (const chunk of chunks) {
      reader.push(chunk);
      for (let next = reader.next(); next !== undefined; next = reader.next())
        out.push(toHex(next.bytes.subarray(next.idsAt - 5, next.end)));
    }
  } catch (error) {
    if (!(error instanceof SpopError)) throw error;
    out.push(error.status);
  }
  return out;
}

const anyFrame = fc
  .record({
    type: fc.nat(255),
    flags: fc.nat(3),
    stream: fc.nat(300),
    frame: fc.nat(300),
    payload: fc.uint8Array({ maxLength: 60 }),
  })
  .map(bare);

function cut(bytes: Uint8Array, cuts: readonly number[]): Uint8Array[] {
  const at = [0, ...cuts.map((place) => place % (bytes.length + 1)), bytes.length].sort((left, right) => left - right);
  return at.slice(1).map((end, index) => bytes.slice(at[index], end));
}

describe('a frame reader', () => {
  it('yields the same frames however the stream is cut', () => {
    fc.assert(
      fc.property(fc.array(anyFrame, { maxLength: 6 }), fc.array(fc.nat(2000), { maxLength: 12 }), (frames, cuts) => {
        const stream = join(...frames.map(prefixed));
        assert.deepEqual(readAll(cut(stream, cuts)), frames.map(toHex));
      }),
      { numRuns: 1000 },
    );
  });

  it('fails at the same place however the stream is cut', () => {
    fc.assert(
      fc.property(
        fc.array(anyFrame, { maxLength: 3 }),
        fc.uint8Array({ maxLength: 30 }),
        fc.array(fc.nat(2000), { maxLength: 12 }),
        (frames, soup, cuts) => {
          const stream = join(...frames.map(prefixed), soup);
          assert.deepEqual(readAll(cut(stream, cuts)), readAll([stream]));
        },
      ),
      { numRuns: 1000 },
    );
  });

  it('takes a frame of the largest size and none larger', () => {
    const largest = frame({ type: 3, frame: 1, payload: new Uint8Array(993) });
    assert.equal(readAll([largest]).length, 1);
    assert.deepEqual(readAll([fromHex('000003e9')]), [3]);
    assert.deepEqual(readAll([fromHex('ffffffff')]), [3]);
    assert.deepEqual(readAll([fromHex('80000007')]), [3]);
  });

  it('refuses a frame too large before any of it has come, also when its length comes in pieces', () => {
    assert.deepEqual(readAll([fromHex('0000'), fromHex('03'), fromHex('e9')]), [3]);
  });

  it('refuses a length below 7, zero above all', () => {
    for (let length = 0; length < 7; length++) {
      assert.deepEqual(readAll([Uint8Array.of(0, 0, 0, length)]), [4]);
      assert.deepEqual(readAll([Uint8Array.of(0, 0, 0), Uint8Array.of(length)]), [4]);
    }
    assert.equal(readAll([fromHex('00000007 03 00000001 00 01')]).length, 1);
  });

  it('refuses ids that run past the frame, or have more than ten bytes', () => {
    assert.deepEqual(readAll([fromHex('00000007 03 00000001 f0 80')]), [4]);
    assert.deepEqual(readAll([fromHex('00000007 03 00000001 01 f0')]), [4]);
    assert.deepEqual(readAll([fromHex('00000011 03 00000001 f080808080808080808000 01')]), [4]);
    assert.equal(readAll([fromHex('00000010 03 00000001 f0808080808080808000 01')]).length, 1);
  });

  it('reads all 32 bits of the flags', () => {
    const reader = new FrameReader(100);
    for (const flags of [0, 1, 2, 3, 0x80000001, 0xffffffff]) {
      reader.push(frame({ type: 3, flags, frame: 1 }));
      const read = reader.next();
      assert.equal(read?.flags, flags);
      assert.equal(read?.isFinal, flags % 2 === 1);
    }
  });

  it('takes a larger frame once it is told to', () => {
    const reader = new FrameReader(20);
    const big = frame({ type: 3, frame: 1, payload: new Uint8Array(50) });
    reader.maxFrameBytes = 57;
    reader.push(big);
    assert.ok(reader.next());
    reader.maxFrameBytes = 56;
    reader.push(big);
    assert.throws(() => reader.next(), { status: 3 });
  });

  it('views a frame where it arrived, and copies only one that straddles two chunks', () => {
    const chunk = join(
      frame({ type: 3, frame: 1, payload: [1, 2, 3] }),
      frame({ type: 3, frame: 2, payload: [4, 5, 6] }),
    );
    const reader = new FrameReader(100);
    reader.push(chunk.subarray(0, 20));
    assert.equal(reader.next()?.bytes.buffer, chunk.buffer);
    assert.equal(reader.next(), undefined);
    reader.push(chunk.subarray(20));
    assert.notEqual(reader.next()?.bytes.buffer, chunk.buffer);
  });

  it('holds what came and not what a length promises', () => {
    const reader = new FrameReader(64 * 1024 * 1024);
    const beginning = fromHex('04000000 03 00000001 00 01');
    const before = process.memoryUsage().arrayBuffers;
    const readers = Array.from({ length: 100 }, () => new FrameReader(64 * 1024 * 1024));
    for (const each of [reader, ...readers]) {
      each.push(beginning);
      assert.equal(each.next(), undefined);
    }
    assert.ok(process.memoryUsage().arrayBuffers - before < 10 * 1024 * 1024);
  });

  it('gives a large frame back once it was read, and never holds twice what came of one', () => {
    for (const bytes of [10, 4000, 70_000, 1_000_000]) {
      const reader = new FrameReader(1024 * 1024);
      const whole = frame({ type: 3, frame: 1, payload: new Uint8Array(bytes) });
      for (let at = 0; at < whole.length; at += 3000) {
        reader.push(whole.subarray(at, at + 3000));
        const isLast = at + 3000 >= whole.length;
        assert.equal(reader.next() !== undefined, isLast);
        const came = Math.min(at + 3000, whole.length);
        assert.ok(reader.heldBytes <= 2 * came, `${reader.heldBytes} for ${came} bytes`);
        if (!isLast) assert.equal(reader.partialBytes, came);
      }
      assert.equal(reader.next(), undefined);
      assert.equal(reader.partialBytes, 0);
      assert.ok(reader.heldBytes <= 4096, `${reader.heldBytes} after ${bytes} bytes`);
    }
  });
});
