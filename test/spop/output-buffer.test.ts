import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { DynamicActions } from '../../spop/ack-payload.ts';
import type { Frame } from '../../spop/frame.ts';
import { OutputBuffer } from '../../spop/output-buffer.ts';
import { frameIn } from '../support/spop/frames.ts';
import { frame, join, toHex } from '../support/spop/naive-codec.ts';

/** Writes the second half of a payload, and says that it may be longer. */
function suffixOf(payload: Uint8Array): DynamicActions {
  const rest = payload.subarray(payload.length >> 1);
  return {
    maxBytes: rest.length + 7,
    write(out, at) {
      out.set(rest, at);
      out.fill(0xee, at + rest.length, at + rest.length + 7);
      return at + rest.length;
    },
  };
}

describe('an output buffer', () => {
  it('hands over exactly what was put in, and never touches what the socket still holds', () => {
    const put = fc.record({
      how: fc.constantFrom('ack', 'dynamic', 'frame', 'flush', 'flush and hold'),
      stream: fc.bigInt(0n, 2n ** 64n - 1n),
      payload: fc.uint8Array({ maxLength: 900 }),
    });
    fc.assert(
      fc.property(fc.array(put, { maxLength: 30 }), (puts) => {
        const output = new OutputBuffer();
        const written: Uint8Array[] = [];
        const expected: Uint8Array[] = [];
        for (const { how, stream, payload } of puts) {
          const asked = frameIn(frame({ type: 3, stream, frame: 1 }));
          const ack = frame({ type: 103, stream, frame: 1, payload });
          if (how === 'ack') ackOf(output, asked, payload);
          else if (how === 'dynamic') ackOf(output, asked, payload.subarray(0, payload.length >> 1), suffixOf(payload));
          else if (how === 'frame') output.frame(ack);
          else {
            const isFree = how === 'flush';
            output.flush((bytes) => {
              written.push(isFree ? bytes.slice() : bytes);
              return isFree;
            });
            assert.ok(output.isEmpty);
            continue;
          }
          expected.push(ack);
        }
        output.flush((bytes) => {
          written.push(bytes);
          return true;
        });
        assert.equal(toHex(join(...written)), toHex(join(...expected)));
      }),
    );
  });

  it('has room for dynamic actions at any position', () => {
    const output = new OutputBuffer();
    const asked = frameIn(frame({ type: 3, stream: 1, frame: 1 }));
    const payload = Uint8Array.from({ length: 40 }, (_, index) => index);
    for (let room = 0; room < 120; room++) {
      output.frame(new Uint8Array(65_536 - room));
      ackOf(output, asked, payload.subarray(0, 20), suffixOf(payload));
      output.flush((bytes) => {
        assert.equal(
          toHex(bytes.subarray(65_536 - room)),
          toHex(frame({ type: 103, stream: 1, frame: 1, payload })),
          `${room} bytes`,
        );
        return true;
      });
    }
  });

  it('has room for what one turn brings, however much, and is as small as before afterwards', () => {
    const output = new OutputBuffer();
    const sizes: number[] = [];
    const flush = () =>
      output.flush((bytes) => {
        sizes.push(bytes.length, bytes.buffer.byteLength);
        return true;
      });
    for (let count = 0; count < 200; count++) output.frame(new Uint8Array(1000));
    flush();
    output.frame(new Uint8Array(1000));
    flush();
    assert.equal(sizes[0], 200_000);
    assert.deepEqual(sizes.slice(2), [1000, 65_536]);
  });
});

/** Appends the ACK of this frame. */
function ackOf(
  output: OutputBuffer,
  { bytes, idsAt, payloadAt }: Frame,
  actions: Uint8Array,
  dynamic?: DynamicActions,
): void {
  output.ack(bytes, idsAt, payloadAt, actions, dynamic);
}
