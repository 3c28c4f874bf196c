import { FrameType, writeFrame, writeFrameLength } from '../../spop/frame.ts';
import type { Suffix } from './answer.ts';

/** Room for the ACKs of a full socket read; more makes it grow for that one time. */
const USUAL_BYTES = 64 * 1024;
/** Prefix, type, flags and two ids of at most ten bytes each. */
const MAX_ACK_OVERHEAD_BYTES = 29;

/**
 * Frames that wait for the next write. Whoever fills it empties it in the same turn, so that all connections share one;
 * its bytes are used again once the kernel has taken them.
 */
export class OutputBuffer {
  #bytes = new Uint8Array(USUAL_BYTES);
  #length = 0;

  /** ACKs that were ever appended by `ack`. */
  acks = 0;

  get isEmpty(): boolean {
    return this.#length === 0;
  }

  /** Appends the ACK of a frame whose ids are the bytes from `idsAt` to `idsEnd`. */
  ack(bytes: Uint8Array, idsAt: number, idsEnd: number, actions: Uint8Array, suffix?: Suffix): void {
    this.acks++;
    this.#reserve(MAX_ACK_OVERHEAD_BYTES + actions.length + (suffix?.maxBytes ?? 0));
    const start = this.#length;
    const end = writeFrame(this.#bytes, start, FrameType.ack, bytes, idsAt, idsEnd, actions);
    this.#length = suffix === undefined ? end : suffix.write(this.#bytes, end);
    if (suffix !== undefined) writeFrameLength(this.#bytes, start, this.#length);
  }

  /** Appends a frame that is already whole. */
  frame(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /** Hands everything to `write`, which tells whether the bytes are free again on return. */
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
