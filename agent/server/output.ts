import { type Frame, FrameType, writeFrame } from '../spop/frame.ts';

const INITIAL_BYTES = 1024;
/** Prefix, type, flags and two ids of at most ten bytes each. */
const MAX_ACK_OVERHEAD_BYTES = 29;

/** The frames of one connection that wait for the next write. The bytes are reused once the kernel has taken them. */
export class OutputBuffer {
  #bytes = new Uint8Array(INITIAL_BYTES);
  #length = 0;

  get isEmpty(): boolean {
    return this.#length === 0;
  }

  /** Appends the ACK of a frame that is still in view. */
  ack(frame: Frame, actions: Uint8Array): void {
    this.#reserve(MAX_ACK_OVERHEAD_BYTES + actions.length);
    this.#length = writeFrame(
      this.#bytes,
      this.#length,
      FrameType.ack,
      frame.bytes,
      frame.idsAt,
      frame.payloadAt,
      actions,
    );
  }

  /** Appends the ACK of a frame of which only the ids were kept. */
  ackLater(ids: Uint8Array, actions: Uint8Array): void {
    this.#reserve(MAX_ACK_OVERHEAD_BYTES + actions.length);
    this.#length = writeFrame(this.#bytes, this.#length, FrameType.ack, ids, 0, ids.length, actions);
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
    if (!free) this.#bytes = new Uint8Array(INITIAL_BYTES);
    this.#length = 0;
  }

  #reserve(count: number): void {
    if (this.#length + count <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length + count));
    larger.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = larger;
  }
}
