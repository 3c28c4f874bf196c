import { Cursor } from './cursor.ts';
import { invalidFrame } from './errors.ts';
import { LONG_VARINT } from './varint.ts';

/**
 * The type of a frame, its first byte after the length (SPOE.txt 3.2).
 *
 * @example
 * ```ts
 * import assert from 'node:assert/strict';
 * import { FrameType } from 'haverdict-spop';
 *
 * assert.equal(FrameType.notify, 3);
 * assert.equal(FrameType.ack, 103);
 * ```
 */
export const FrameType = {
  unset: 0,
  haproxyHello: 1,
  haproxyDisconnect: 2,
  notify: 3,
  agentHello: 101,
  agentDisconnect: 102,
  ack: 103,
} as const;

/**
 * FIN: the frame is whole, or the last fragment; ABRT: a fragmented frame is aborted. The other 30 bits are reserved.
 *
 * @example
 * ```ts
 * import assert from 'node:assert/strict';
 * import { FrameFlag } from 'haverdict-spop';
 *
 * assert.equal(FrameFlag.fin | FrameFlag.abort, 3);
 * ```
 */
export const FrameFlag = { fin: 1, abort: 2 } as const;

/** The length prefix, which the length itself does not count. */
export const PREFIX_BYTES = 4;
/** Type, flags and two one-byte ids: nothing legal is shorter. */
export const MIN_FRAME_BYTES = 7;
export const TYPE_AND_FLAGS_BYTES = 5;

/**
 * A received frame, as a view into the bytes in which it arrived: it is valid until the next call of the reader.
 * `idsAt` to `frameIdAt` is the stream-id as sent, `frameIdAt` to `payloadAt` the frame-id, and the payload is up to `end`.
 *
 * @example
 * ```ts
 * import assert from 'node:assert/strict';
 * import { Frame, FrameType } from 'haverdict-spop';
 *
 * const bytes = Buffer.from('00000007' + '03' + '00000001' + '01' + '01', 'hex'); // a NOTIFY without messages
 * const frame = new Frame();
 * frame.moveTo(bytes, 4, bytes.length);
 * assert.equal(frame.type, FrameType.notify);
 * assert.deepEqual(frame.ids(), { streamId: 1n, frameId: 1n });
 * assert.ok(frame.isFinal);
 * ```
 */
export class Frame {
  type = 0;
  flags = 0;
  bytes: Uint8Array = new Uint8Array(0);
  idsAt = 0;
  frameIdAt = 0;
  payloadAt = 0;
  end = 0;

  /** Points this frame at `bytes`, `at` being the position after the length prefix; throws `SpopError`. */
  moveTo(bytes: Uint8Array, at: number, end: number): void {
    if (end - at < MIN_FRAME_BYTES) throw invalidFrame(`frame of ${end - at} bytes is below ${MIN_FRAME_BYTES}`);
    this.bytes = bytes;
    // In bounds: the shortest frame has them.
    this.type = bytes[at] as number;
    this.flags =
      (bytes[at + 1] as number) * 0x1000000 +
      ((bytes[at + 2] as number) << 16) +
      ((bytes[at + 3] as number) << 8) +
      (bytes[at + 4] as number);
    this.idsAt = at + TYPE_AND_FLAGS_BYTES;
    this.frameIdAt = skipVarint(bytes, this.idsAt, end);
    this.payloadAt = skipVarint(bytes, this.frameIdAt, end);
    this.end = end;
  }

  get isFinal(): boolean {
    return (this.flags & FrameFlag.fin) !== 0;
  }

  /** The stream-id and the frame-id as numbers. */
  ids(): { readonly streamId: bigint; readonly frameId: bigint } {
    const cursor = new Cursor(this.bytes, this.idsAt, this.payloadAt);
    return { streamId: cursor.varint64(), frameId: cursor.varint64() };
  }

  /** A cursor over the payload. */
  payload(): Cursor {
    return new Cursor(this.bytes, this.payloadAt, this.end);
  }

  /** The ids as they were sent, one character a byte: every id has one encoding, so equal ids are equal texts. */
  idsAsText(): string {
    let text = '';
    for (let index = this.idsAt; index < this.payloadAt; index++)
      text += String.fromCharCode(this.bytes[index] as number); // in bounds: the frame's own ids
    return text;
  }

  /** A copy of the id bytes, to answer this frame when the view is no longer valid. */
  copyIds(): Uint8Array {
    return new Uint8Array(this.bytes.subarray(this.idsAt, this.payloadAt)); // the slice of a Buffer is not a copy
  }
}

/** HELLO and DISCONNECT carry stream-id 0 and frame-id 0 (SPOE.txt 3.2.4 to 3.2.9). */
export const NO_IDS: Uint8Array = Uint8Array.of(0, 0);

/** A whole frame with its prefix, flags FIN and nothing else. */
export function encodeFrame(type: number, ids: Uint8Array, payload: Uint8Array): Uint8Array {
  const out = new Uint8Array(PREFIX_BYTES + TYPE_AND_FLAGS_BYTES + ids.length + payload.length);
  writeFrame(out, 0, type, ids, 0, ids.length, payload);
  return out;
}

/**
 * Appends a whole frame at `at` and returns the position after it; the ids are copied as they were sent.
 *
 * @example
 * ```ts
 * import assert from 'node:assert/strict';
 * import { encodeAck, FrameType, NO_ACTIONS, writeFrame } from 'haverdict-spop';
 *
 * const out = new Uint8Array(64);
 * const ids = Uint8Array.of(1, 1);
 * const end = writeFrame(out, 0, FrameType.ack, ids, 0, ids.length, NO_ACTIONS.full);
 * assert.deepEqual(out.slice(0, end), encodeAck(ids, NO_ACTIONS.full));
 * ```
 */
export function writeFrame(
  out: Uint8Array,
  at: number,
  type: number,
  ids: Uint8Array,
  idsAt: number,
  idsEnd: number,
  payload: Uint8Array,
): number {
  const end = at + PREFIX_BYTES + TYPE_AND_FLAGS_BYTES + idsEnd - idsAt + payload.length;
  writeFrameLength(out, at, end);
  let position = at + PREFIX_BYTES;
  out[position++] = type;
  out[position++] = 0;
  out[position++] = 0;
  out[position++] = 0;
  out[position++] = FrameFlag.fin;
  for (let index = idsAt; index < idsEnd; index++) out[position++] = ids[index] as number; // in bounds: idsEnd is
  out.set(payload, position);
  return end;
}

/** The length in the prefix at `at`; its four bytes must be there. */
export function readFrameLength(bytes: Uint8Array, at: number): number {
  return (
    (((bytes[at] as number) << 24) |
      ((bytes[at + 1] as number) << 16) |
      ((bytes[at + 2] as number) << 8) |
      (bytes[at + 3] as number)) >>>
    0
  );
}

/** Writes the length prefix of a frame that begins at `at` and ends before `end`. */
export function writeFrameLength(out: Uint8Array, at: number, end: number): void {
  const length = end - at - PREFIX_BYTES;
  out[at] = length >>> 24;
  out[at + 1] = length >>> 16;
  out[at + 2] = length >>> 8;
  out[at + 3] = length;
}

/** Where the varint at `at` ends. */
function skipVarint(bytes: Uint8Array, at: number, end: number): number {
  if (at < end && (bytes[at] as number) < LONG_VARINT) return at + 1; // in bounds: checked
  const cursor = new Cursor(bytes, at, end);
  cursor.skipVarint();
  return cursor.at;
}
