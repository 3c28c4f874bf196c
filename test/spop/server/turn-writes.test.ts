import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { TurnWrites } from '../../../spop/server/turn-writes.ts';
import { settled } from '../../support/spop/conversation.ts';

const MAX_BYTES = 600_000;

describe('the writes of a turn', () => {
  it('go out at its end, each whole and to its own connection, in the order in which they were said', async () => {
    const said = fc.record({
      to: fc.nat(3),
      length: fc.oneof({ weight: 5, arbitrary: fc.nat(2000) }, fc.nat(MAX_BYTES)),
      byte: fc.nat(255),
      how: fc.constantFrom('say', 'say', 'say', 'say', 'say', 'flush', 'next turn'),
      /** Whether the connection has sent it when it says so, or keeps the bytes. */
      isSent: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(said, { maxLength: 30 }), async (all) => {
        const writes = new TurnWrites();
        const got: { to: number; bytes: Uint8Array }[] = [];
        const expected: typeof got = [];
        for (const { to, length, byte, how, isSent } of all) {
          if (how === 'flush') writes.flush();
          else if (how === 'next turn') await settled();
          if (how !== 'say') {
            assert.equal(got.length, expected.length, 'all of the turn');
            continue;
          }
          const bytes = new Uint8Array(length).fill(byte);
          expected.push({ to, bytes: bytes.slice() });
          writes.add(bytes, (sent) => {
            got.push({ to, bytes: isSent ? new Uint8Array(sent) : sent });
            return isSent;
          });
          bytes.fill(0);
        }
        writes.flush();
        assert.equal(got.length, expected.length);
        for (const [index, { to, bytes }] of expected.entries()) {
          assert.equal(got[index]?.to, to);
          assert.ok(Buffer.from(bytes).equals(got[index]?.bytes ?? new Uint8Array(1)));
        }
      }),
      { numRuns: 200 },
    );
  });

  it('wait for the end of the turn', async () => {
    const writes = new TurnWrites();
    let sent = 0;
    writes.add(new Uint8Array(5), ({ length }) => {
      sent += length;
      return true;
    });
    assert.equal(sent, 0);
    await settled();
    assert.equal(sent, 5);
  });
});
