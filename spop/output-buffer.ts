import type { DynamicActions } from './ack-payload.ts';
import { FrameType, writeFrame, writeFrameLength } from './frame.ts';

/** Room for the ACKs of a full socket read; for more, it grows until the flush. */
const USUAL_BYTES = 64 * 1024;
/** Prefix, type, flags and two ids of at most ten bytes each. */
const MAX_ACK_OVERHEAD_BYTES = 29;

/**
 * Frames for the next write. It is flushed in the same turn of the event loop in which it is filled, so that all
 * connections can share one; its bytes are reused once the kernel has taken them.
 *
 * @example
 * ```ts
 * import assert from 'node:assert/strict';
 * import { encodeAck, NO_ACTIONS, OutputBuffer } from 'haverdict-spop';
 *
 * const output = new OutputBuffer();
 * output.frame(encodeAck(Uint8Array.of(1, 1), NO_ACTIONS.full));
 * output.frame(encodeAck(Uint8Array.of(3, 1), NO_ACTIONS.full));
 * let written = 0;
 * output.flush((bytes) => {
 *   written += bytes.length;
 *   return true; // the bytes may be overwritten now
 * });
 * assert.equal(written, 22);
 * ```
 */
export class OutputBuffer {
  #bytes: Uint8Array<ArrayBuffer>;
  #length = 0;

  /** How many ACKs were ever appended by `ack`. */
  acks = 0;

  constructor(bytes = USUAL_BYTES) {
    this.#bytes = new Uint8Array(bytes);
  }

  get isEmpty(): boolean {
    return this.#length === 0;
  }

  /** Appends the ACK of a frame whose ids are the bytes from `idsAt` to `idsEnd`. */
  ack(bytes: Uint8Array, idsAt: number, idsEnd: number, actions: Uint8Array, dynamic?: DynamicActions): void {
    this.acks++;
    this.#reserve(MAX_ACK_OVERHEAD_BYTES + actions.length + (dynamic?.maxBytes ?? 0));
    const start = this.#length;
    const end = writeFrame(this.#bytes, start, FrameType.ack, bytes, idsAt, idsEnd, actions);
    this.#length = dynamic === undefined ? end : dynamic.write(this.#bytes, end);
    if (dynamic !== undefined) writeFrameLength(this.#bytes, start, this.#length);
  }

  /** Appends a frame that is already whole. */
  frame(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /** Hands everything to `write`, which returns whether the bytes may be overwritten. */
  flush(write: (bytes: Uint8Array) => boolean): void {
    const free = write(this.#bytes.subarray(0, this.#length));
    if (!free || this.#bytes.length > USUAL_BYTES) this.#bytes = new Uint8Array(USUAL_BYTES);
    this.#length = 0;
  }

  #reserve(count: number): void {
    if (this.#length + count <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length + count));
    larger.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = larger;
  }
}
