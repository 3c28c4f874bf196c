import { SpopError, SpopStatus } from './errors.ts';
import { foreignProtocol } from './foreign-protocol.ts';
import { Frame, MIN_FRAME_BYTES, PREFIX_BYTES, readFrameLength } from './frame.ts';

const NOTHING = new Uint8Array(0);
/** The buffer for a partial frame is reused up to this size; usual frames are smaller. */
const REUSED_BYTES = 4096;

/**
 * Cuts a stream of chunks into frames. A frame is a view into its chunk, and is copied only if it straddles two. A length is
 * checked before any memory of that length is allocated.
 *
 * @example
 * ```ts
 * import assert from 'node:assert/strict';
 * import { FrameReader, FrameType } from 'haverdict-spop';
 *
 * const reader = new FrameReader(16_380);
 * const notify = Buffer.from('0000000703000000010101', 'hex');
 * reader.push(notify.subarray(0, 6));
 * assert.equal(reader.next(), undefined);
 * reader.push(notify.subarray(6));
 * assert.equal(reader.next()?.type, FrameType.notify);
 * assert.equal(reader.next(), undefined);
 * ```
 */
export class FrameReader {
  /** The largest frame accepted, in bytes without the prefix. */
  maxFrameBytes: number;
  readonly #frame = new Frame();
  #chunk: Uint8Array = NOTHING;
  #at = 0;
  /** The buffer for a partial frame. */
  #held: Uint8Array = NOTHING;
  #heldBytes = 0;

  constructor(maxFrameBytes: number) {
    this.maxFrameBytes = maxFrameBytes;
  }

  /** Takes the next chunk; call `next` until it returns undefined before the next call. */
  push(chunk: Uint8Array): void {
    this.#chunk = chunk;
    this.#at = 0;
  }

  /** The current chunk, for callers that parse frames themselves: from `nextAt` on, and `skipTo` behind them. */
  get chunk(): Uint8Array {
    return this.#chunk;
  }

  /** How much has come of a partial frame. */
  get partialBytes(): number {
    return this.#heldBytes;
  }

  /** The size of the buffer for a partial frame. */
  get heldBytes(): number {
    return this.#held.length;
  }

  /** Where the next frame begins in the chunk; the end of the chunk if that frame began in the chunk before. */
  get nextAt(): number {
    return this.#heldBytes === 0 ? this.#at : this.#chunk.length;
  }

  /** Skips the whole frames from `nextAt` to `at`. */
  skipTo(at: number): void {
    if (this.#heldBytes === 0) this.#at = at;
  }

  /** The next whole frame, valid until the next call, or undefined if more bytes are needed. Throws `SpopError`. */
  next(): Frame | undefined {
    if (this.#heldBytes > 0) return this.#nextFromHeld();
    if (this.#held.length > REUSED_BYTES) this.#release();
    const available = this.#chunk.length - this.#at;
    if (available < PREFIX_BYTES) return this.#hold(PREFIX_BYTES);
    const length = this.#checkedLength(this.#chunk, this.#at);
    if (available < PREFIX_BYTES + length) return this.#hold(PREFIX_BYTES + length);
    const start = this.#at + PREFIX_BYTES;
    this.#at = start + length;
    this.#frame.moveTo(this.#chunk, start, this.#at);
    return this.#frame;
  }

  #nextFromHeld(): Frame | undefined {
    if (!this.#fillTo(PREFIX_BYTES)) return undefined;
    const total = PREFIX_BYTES + this.#checkedLength(this.#held, 0);
    if (!this.#fillTo(total)) return undefined;
    this.#heldBytes = 0;
    this.#frame.moveTo(this.#held, PREFIX_BYTES, total);
    return this.#frame;
  }

  /** Copies bytes from the chunk until `total` are held; false if the chunk has no more. */
  #fillTo(total: number): boolean {
    const count = Math.min(total - this.#heldBytes, this.#chunk.length - this.#at);
    if (count > 0) {
      this.#reserve(this.#heldBytes + count, total);
      this.#held.set(this.#chunk.subarray(this.#at, this.#at + count), this.#heldBytes);
      this.#heldBytes += count;
      this.#at += count;
    }
    return this.#heldBytes >= total;
  }

  #hold(total: number): undefined {
    this.#fillTo(total);
  }

  #release(): void {
    this.#held = NOTHING;
    this.#frame.bytes = NOTHING;
  }

  /** Grows with the bytes that have arrived, not with the announced length, so that silent peers hold no memory. */
  #reserve(needed: number, total: number): void {
    if (needed <= this.#held.length) return;
    const larger = new Uint8Array(Math.max(needed, Math.min(total, this.#held.length * 2)));
    larger.set(this.#held.subarray(0, this.#heldBytes));
    this.#held = larger;
  }

  #checkedLength(bytes: Uint8Array, at: number): number {
    const length = readFrameLength(bytes, at);
    if (length > this.maxFrameBytes) {
      const foreign = foreignProtocol(bytes.subarray(at, at + PREFIX_BYTES));
      throw new SpopError(SpopStatus.frameTooBig, foreign ?? `frame of ${length} bytes is above ${this.maxFrameBytes}`);
    }
    if (length < MIN_FRAME_BYTES) {
      throw new SpopError(SpopStatus.invalidFrame, `frame of ${length} bytes is below ${MIN_FRAME_BYTES}`);
    }
    return length;
  }
}
