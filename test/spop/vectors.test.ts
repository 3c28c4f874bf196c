import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { decodeAck } from '../../spop/ack.ts';
import { decodeDisconnect } from '../../spop/disconnect.ts';
import type { Frame } from '../../spop/frame.ts';
import { FrameReader } from '../../spop/frame-reader.ts';
import { decodeAgentHello, decodeHaproxyHello } from '../../spop/hello.ts';
import { readKeyValues } from '../../spop/key-values.ts';
import { decodeNotify, type Message } from '../../spop/notify.ts';
import type { ReceivedData } from '../../spop/typed-data.ts';
import {
  join,
  parseActions,
  parseBody,
  parseFrames,
  parseMessages,
  parsePairs,
  toHex,
} from '../support/spop/naive-codec.ts';
import { pairOf, type Vector, valueIn, vector, vectorBytes, vectors } from '../support/spop/vectors.ts';

type Expected = Vector['frames'][number];

/** A frame outlives the reader's next step only as a copy. */
interface Seen {
  readonly type: number;
  readonly flags: number;
  readonly ids: Buffer;
  readonly payload: Buffer;
}

const seen = (frame: Frame): Seen => ({
  type: frame.type,
  flags: frame.flags,
  ids: Buffer.from(frame.bytes.subarray(frame.idsAt, frame.payloadAt)),
  payload: Buffer.from(frame.bytes.subarray(frame.payloadAt, frame.end)),
});

function read(chunks: readonly Uint8Array[], look: (frame: Frame) => void = () => {}): Seen[] {
  const reader = new FrameReader(16_380);
  const frames: Seen[] = [];
  for (const chunk of chunks) {
    reader.push(chunk);
    for (let frame = reader.next(); frame !== undefined; frame = reader.next()) {
      look(frame);
      frames.push(seen(frame));
    }
  }
  return frames;
}

function expectDecoded(frame: Frame, expected: Expected): void {
  assert.equal(frame.type, expected.typeId);
  assert.equal(frame.flags, expected.flags);
  assert.equal(frame.end - frame.payloadAt + (frame.payloadAt - frame.idsAt) + 5, expected.length);
  assert.deepEqual(frame.ids(), { streamId: BigInt(expected.streamId), frameId: BigInt(expected.frameId) });
  if (expected.kv !== undefined) expectKeyValues(frame, expected);
  if (expected.messages !== undefined) assert.deepEqual(decodeNotify(frame), messagesOf(expected));
  if (expected.actions !== undefined) assert.deepEqual(decodeAck(frame), actionsOf(expected));
  if (expected.payloadHex !== undefined) assert.equal(toHex(seen(frame).payload), expected.payloadHex);
}

function messagesOf({ messages = [] }: Expected): Message[] {
  return messages.map(({ name, args }) => ({
    name,
    args: args.map((arg) => ({ name: arg.name, value: valueIn(arg) as ReceivedData })),
  }));
}

const actionsOf = ({ actions = [] }: Expected) =>
  actions.map(({ action, scope, name, value }) => ({
    type: action,
    scope,
    name,
    ...(value && { value: valueIn(value) }),
  }));

function expectKeyValues(frame: Frame, { kv = [], type }: Expected): void {
  const values = new Map(kv.map(pairOf));
  assert.deepEqual(readKeyValues(frame), values);
  const words = (key: string) => textOf(values.get(key)).split(',').filter(Boolean);
  const number = (key: string) => Number((values.get(key) as { value: bigint }).value); // the vectors have integers there
  if (type === 'HAPROXY-HELLO') {
    const engineId = values.get('engine-id');
    assert.deepEqual(decodeHaproxyHello(frame), {
      supportedVersions: words('supported-versions'),
      maxFrameSize: number('max-frame-size'),
      capabilities: words('capabilities'),
      ...(engineId && { engineId: textOf(engineId) }),
      healthcheck: values.has('healthcheck'),
    });
  } else if (type === 'AGENT-HELLO') {
    const { version, maxFrameSize, capabilities } = decodeAgentHello(frame);
    assert.equal(version, textOf(values.get('version')));
    assert.equal(maxFrameSize, number('max-frame-size'));
    assert.deepEqual(capabilities, words('capabilities'));
  } else {
    assert.deepEqual(decodeDisconnect(frame), {
      status: number('status-code'),
      message: textOf(values.get('message')),
    });
  }
}

const textOf = (data: unknown) => Buffer.from((data as { value: Uint8Array }).value).toString();

describe('the frames captured from HAProxy', () => {
  it('are all there, each with at least one frame', () => {
    assert.equal(vectors.length, 84);
    for (const { file, lines, frames } of vectors) {
      assert.ok(frames.length > 0, file);
      assert.ok(lines.length === frames.length || lines.length === 1, file);
    }
  });

  for (const { file, lines, frames } of vectors) {
    const whole = join(...lines);

    it(`${file} decodes to what the index says, whole, line by line and byte by byte`, () => {
      for (const chunks of [[whole], lines, [...whole].map((byte) => Uint8Array.of(byte))]) {
        let index = 0;
        read(chunks, (frame) => expectDecoded(frame, frames[index++] as Expected));
        assert.equal(index, frames.length);
      }
    });

    it(`${file} decodes to the same when cut in two anywhere`, () => {
      const expected = read([whole]);
      for (let cut = 0; cut <= whole.length; cut++) {
        const frames = read([whole.subarray(0, cut), whole.subarray(cut)]);
        // deepEqual of every cut of 16 KB is slow: strings first
        if (!same(frames, expected)) assert.deepEqual(frames, expected, `cut at ${cut}`);
      }
    });

    it(`${file} means the same to the naive codec`, () => {
      const parsed = parseFrames(whole);
      assert.equal(parsed.length, frames.length);
      parsed.forEach((frame, index) => {
        const { kv, messages, actions } = frames[index] as Expected; // as many, asserted above
        if (kv) assert.deepEqual(parsePairs(frame.payload), kv.map(pairOf));
        if (messages)
          assert.deepEqual(
            parseMessages(frame.payload),
            messages.map(({ name, args }) => [name, ...args.map(pairOf)]),
          );
        if (actions) assert.deepEqual(parseActions(frame.payload), actionsOf(frames[index] as Expected));
      });
    });
  }

  it('cuts one read of many pipelined frames into all of them', () => {
    for (const [file, count] of [
      ['haproxy-2.6.12-notify-pipelined.hex', 8],
      ['haproxy-3.2.26-notify-pipelined.hex', 19],
    ] as const) {
      const frames = read([vectorBytes(file)]);
      assert.equal(frames.length, count);
      assert.equal(new Set(frames.map(({ ids }) => toHex(ids))).size, count);
    }
  });

  it('has the whole message in the payloads of the fragments, put together', () => {
    const { lines } = vector('haproxy-2.6.12-notify-fragmented.hex');
    const frames = read(lines);
    assert.deepEqual(
      frames.map(({ type, flags }) => [type, flags]),
      [
        [3, 0],
        [0, 0],
        [0, 0],
        [0, 1],
      ],
    );
    const payload = join(...frames.map((frame) => frame.payload));
    const [message] = parseMessages(payload);
    assert.equal(message?.[0], 'm');
    assert.deepEqual(
      message?.slice(1).map((arg) => (arg as readonly [string, unknown])[0]),
      ['before', 'body', 'after'],
    );
    const reader = new FrameReader(16_380);
    reader.push(join([0, 0, (payload.length + 7) >> 8, (payload.length + 7) & 255, 3, 0, 0, 0, 1, 2, 1], payload));
    const whole = reader.next();
    assert.ok(whole);
    const [decoded] = decodeNotify(whole);
    assert.deepEqual(
      decoded?.args.map(({ name }) => name),
      ['before', 'body', 'after'],
    );
    assert.deepEqual(decoded?.args[1]?.value, { type: 'binary', value: new Uint8Array(3000).fill(0x5a) });
    assert.equal(parseBody(lines[0]?.subarray(4) ?? new Uint8Array()).streamId, 2n);
  });
});

function same(left: readonly Seen[], right: readonly Seen[]): boolean {
  return (
    left.length === right.length &&
    left.every((frame, index) => {
      const other = right[index] as Seen; // same length
      return (
        frame.type === other.type &&
        frame.flags === other.flags &&
        frame.ids.equals(other.ids) &&
        frame.payload.equals(other.payload)
      );
    })
  );
}
