import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { decodeDisconnect, encodeAgentDisconnect } from '../../spop/disconnect.ts';
import { SpopStatus } from '../../spop/errors.ts';
import { frameIn } from '../support/spop/frames.ts';
import { disconnect, frame, pairs, parseFrames, parsePairs, str, toHex, u32 } from '../support/spop/naive-codec.ts';
import { vectorBytes } from '../support/spop/vectors.ts';

const decode = (bytes: Uint8Array) => decodeDisconnect(frameIn(bytes));

describe('AGENT-DISCONNECT', () => {
  it('is byte for byte what every HAProxy takes', () => {
    assert.equal(toHex(encodeAgentDisconnect(0, 'normal')), toHex(vectorBytes('agent-disconnect-normal.hex')));
    assert.equal(
      toHex(encodeAgentDisconnect(4, 'invalid frame received')),
      toHex(vectorBytes('agent-disconnect-invalid.hex')),
    );
  });

  it('carries every status, ids 0 and flags 1', () => {
    for (const status of Object.values(SpopStatus)) {
      const [sent] = parseFrames(encodeAgentDisconnect(status, 'why'));
      assert.ok(sent);
      assert.deepEqual([sent.type, sent.flags, sent.streamId, sent.frameId], [102, 1, 0n, 0n]);
      assert.deepEqual(parsePairs(sent.payload), [
        ['status-code', u32(status)],
        ['message', str('why')],
      ]);
    }
  });

  it('cuts its message to 255 bytes, since HAProxy up to 3.0 refuses more', () => {
    for (const length of [254, 255, 256, 5000]) {
      const [sent] = parseFrames(encodeAgentDisconnect(4, 'x'.repeat(length)));
      const message = parsePairs(sent?.payload ?? new Uint8Array())[1]?.[1] as { value: Uint8Array }; // the second key
      assert.equal(message.value.length, Math.min(length, 255));
    }
  });

  it('has the numbers of SPOE.txt', () => {
    assert.deepEqual(Object.values(SpopStatus), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 99]);
  });
});

describe('a DISCONNECT received', () => {
  it('tells status and message', () => {
    assert.deepEqual(decode(disconnect(3, 'frame is too big')), { status: 3, message: 'frame is too big' });
  });

  it('may have a status that nobody assigned, and any integer type', () => {
    for (const type of ['int32', 'uint32', 'int64', 'uint64'] as const)
      assert.equal(decode(frame({ type: 2, payload: pairs([['status-code', { type, value: 200n }]]) })).status, 200);
  });

  it('without its keys is one of unknown status', () => {
    assert.deepEqual(decode(frame({ type: 2 })), { status: 99, message: '' });
  });

  it('may have keys that nobody knows', () => {
    const payload = pairs([
      ['hint', { type: 'null' }],
      ['status-code', u32(0)],
      ['message', str('')],
    ]);
    assert.deepEqual(decode(frame({ type: 2, payload })), { status: 0, message: '' });
  });

  for (const [what, status, bytes] of [
    ['a stream-id', 4, frame({ type: 2, stream: 1 })],
    ['a frame-id', 4, frame({ type: 2, frame: 1 })],
    ['FIN clear', 10, frame({ type: 2, flags: 0 })],
    ['a status that is text', 4, frame({ type: 2, payload: pairs([['status-code', str('0')]]) })],
    ['a message that is a number', 4, frame({ type: 2, payload: pairs([['message', u32(0)]]) })],
    ['a truncated list', 4, frame({ type: 2, payload: pairs([['message', str('normal')]]).slice(0, -1) })],
  ] as const) {
    it(`with ${what} is refused with status ${status}`, () => {
      assert.throws(() => decode(bytes), { name: 'SpopError', status });
    });
  }
});
