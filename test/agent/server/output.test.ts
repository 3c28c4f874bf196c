import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { OutputBuffer } from '../../../agent/server/output.ts';
import { frameIn } from '../../support/spop/frames.ts';
import { frame, join, toHex } from '../../support/spop/naive-codec.ts';

describe('an output buffer', () => {
  it('hands over exactly what was put in, and never touches what the socket still holds', () => {
    const put = fc.record({
      how: fc.constantFrom('ack', 'later', 'frame', 'flush', 'flush and hold'),
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
          if (how === 'ack') output.ack(asked, payload);
          else if (how === 'later') output.ackLater(asked.copyIds(), payload);
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
});
