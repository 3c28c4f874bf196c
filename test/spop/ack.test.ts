import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Action, decodeAck, encodeAck, encodeActions, Scope } from '../../spop/ack.ts';
import { frameIn, values } from '../support/spop/frames.ts';
import { actions, frame, fromHex, parseActions, parseFrames, toHex } from '../support/spop/naive-codec.ts';
import { valueIn, vector, vectorBytes } from '../support/spop/vectors.ts';

const scopes = ['proc', 'sess', 'txn', 'req', 'res'] as const;
const setVar = (scope: Scope, name: string, value: string): Action => ({
  type: 'set-var',
  scope,
  name,
  value: { type: 'string', value },
});
const ids = Uint8Array.of(1, 1);

describe('actions', () => {
  for (const scope of scopes) {
    it(`sets every type of value in scope ${scope} as the naive codec reads it`, () => {
      for (const value of values) {
        const encoded = encodeActions([{ type: 'set-var', scope, name: 'n', value }]);
        const expected =
          value.type === 'null'
            ? { type: 'unset-var', scope, name: 'n' }
            : { type: 'set-var', scope, name: 'n', value };
        assert.deepEqual(parseActions(encoded), [expected]);
        assert.deepEqual(decodeAck(frameIn(encodeAck(ids, encoded))), [expected]);
      }
    });

    it(`unsets a variable of scope ${scope}`, () => {
      const encoded = encodeActions([{ type: 'unset-var', scope, name: 'gone' }]);
      assert.equal(toHex(encoded), `02020${scopes.indexOf(scope)}04676f6e65`);
    });
  }

  it('turns null into an unset, which every HAProxy takes', () => {
    assert.equal(
      toHex(encodeActions([{ type: 'set-var', scope: 'txn', name: 'a', value: { type: 'null' } }])),
      '0202020161',
    );
  });

  it('may be none', () => {
    assert.equal(encodeActions([]).length, 0);
  });

  it('keeps the order and repeats what is repeated', () => {
    const list = [
      setVar('txn', 'b', '1'),
      setVar('txn', 'a', '2'),
      { type: 'unset-var', scope: 'sess', name: 'b' } as const,
      setVar('txn', 'b', '3'),
    ];
    assert.equal(toHex(encodeActions(list)), toHex(actions(parseActions(encodeActions(list)))));
    assert.deepEqual(
      parseActions(encodeActions(list)).map(({ name }) => name),
      ['b', 'a', 'b', 'b'],
    );
  });

  for (const [name, why] of [
    ['', 'is empty'],
    ['with-dash', 'has a dash'],
    ['with space', 'has a space'],
    ['caf\u00e9', 'has a letter that is not ASCII'],
    ['line\n', 'ends in a line feed'],
    ['nul\0', 'has a NUL'],
    ['a'.repeat(41), 'is longer than 40'],
  ] as const) {
    it(`refuses a name that ${why}, before anything is encoded`, () => {
      for (const type of ['set-var', 'unset-var'] as const)
        assert.throws(
          () => encodeActions([{ type, scope: 'txn', name, value: { type: 'bool', value: true } }]),
          TypeError,
        );
    });
  }

  it('takes letters, digits, dot and underscore up to 40', () => {
    for (const name of ['a', 'A.b_9', '_', '.', 'x'.repeat(40)])
      assert.doesNotThrow(() => encodeActions([setVar('txn', name, '')]));
  });
});

describe('an ACK', () => {
  for (const [file, ackIds] of [
    ['agent-ack-empty.hex', [1, 1]],
    ['agent-ack-empty-stream0.hex', [0, 1]],
    ['agent-ack-set-var-string.hex', [1, 1]],
    ['agent-ack-set-var-scopes.hex', [1, 1]],
    ['agent-ack-unset-var.hex', [1, 1]],
  ] as const) {
    it(`is byte for byte ${file}, which every HAProxy takes`, () => {
      const list = (vector(file).frames[0]?.actions ?? []).map(({ action, scope, name, value }) => ({
        type: action,
        scope,
        name,
        ...(value && { value: valueIn(value) }),
      })) as Action[]; // the index has the words of the type
      assert.equal(toHex(encodeAck(Uint8Array.from(ackIds), encodeActions(list))), toHex(vectorBytes(file)));
    });
  }

  it('is byte for byte agent-ack-set-var-types.hex, but for its null, which becomes an unset', () => {
    const bytes = vectorBytes('agent-ack-set-var-types.hex');
    const list = decodeAck(frameIn(bytes));
    const mine = toHex(encodeAck(ids, encodeActions(list)));
    const null_ = toHex(actions([{ type: 'set-var', scope: 'txn', name: 'nul', value: { type: 'null' } }]));
    const unset = toHex(actions([{ type: 'unset-var', scope: 'txn', name: 'nul' }]));
    assert.ok(toHex(bytes).includes(null_));
    assert.equal(mine.slice(8), toHex(bytes).slice(8).replace(null_, unset));
  });

  it('carries the ids as they came, of any size', () => {
    for (const [stream, id] of [
      [0, 1],
      [239, 240],
      [2n ** 32n, 2288],
      [2n ** 64n - 1n, 2n ** 64n - 1n],
    ] as const) {
      const asked = frameIn(frame({ type: 3, stream, frame: id }));
      const [ack] = parseFrames(encodeAck(asked.copyIds(), new Uint8Array(0)));
      assert.deepEqual(ack, {
        type: 103,
        flags: 1,
        streamId: BigInt(stream),
        frameId: BigInt(id),
        payload: new Uint8Array(0),
      });
    }
  });

  for (const [what, hex] of [
    ['an action of an unknown type', '03030200'],
    ['a set with the arguments of an unset', '010202016108 00'],
    ['an unset with the arguments of a set', '0203020161'],
    ['an unknown scope', '020205 0161'],
    ['a value of a reserved type', '0103020161 0a'],
    ['a name past the end', '02020205 61'],
    ['only a type', '01'],
  ] as const) {
    it(`with ${what} is refused when read`, () => {
      const payload = fromHex(hex);
      assert.throws(() => decodeAck(frameIn(frame({ type: 103, stream: 1, frame: 1, payload }))), {
        name: 'SpopError',
        status: 4,
      });
    });
  }

  it('keeps its ids when the chunk they came in is used again', () => {
    const chunk = Buffer.from(frame({ type: 3, stream: 300, frame: 7 }));
    const kept = frameIn(chunk).copyIds();
    chunk.fill(0xff);
    assert.equal(toHex(kept), 'fc0307');
  });

  it('numbers the scopes as SPOE.txt does', () => {
    assert.deepEqual(Scope, { proc: 0, sess: 1, txn: 2, req: 3, res: 4 });
  });
});
