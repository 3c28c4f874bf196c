import { SpopError, SpopStatus } from './errors.ts';
import { Frame, MIN_FRAME_BYTES, PREFIX_BYTES, readFrameLength } from './frame.ts';

const NOTHING = new Uint8Array(0);
/** What a frame was put together in is kept for the next one up to this size; usual frames are below it. */
const KEPT_BYTES = 4096;

/**
 * Cuts a stream of chunks into frames. A frame is a view into the chunk it came in; it is copied only when it straddles
 * two chunks. A length is checked before anything of that length is held.
 */
export class FrameReader {
  /** The largest frame accepted, in bytes without the prefix. */
  maxFrameBytes: number;
  readonly #frame = new Frame();
  #chunk: Uint8Array = NOTHING;
  #at = 0;
  /** The beginning of a frame whose rest has not come yet. */
  #held: Uint8Array = NOTHING;
  #heldBytes = 0;

  constructor(maxFrameBytes: number) {
    this.maxFrameBytes = maxFrameBytes;
  }

  /** Hands over the next chunk; call `next` until it returns undefined before handing over another. */
  push(chunk: Uint8Array): void {
    this.#chunk = chunk;
    this.#at = 0;
  }

  /** The chunk at hand, for those who cut frames out of it themselves. */
  get chunk(): Uint8Array {
    return this.#chunk;
  }

  /** How much has come of a frame whose rest has not. */
  get partialBytes(): number {
    return this.#heldBytes;
  }

  /** The memory that is held beside the chunk at hand. */
  get heldBytes(): number {
    return this.#held.length;
  }

  /** Where the next frame begins in it; at its end while part of that frame is held from the chunk before. */
  get nextAt(): number {
    return this.#heldBytes === 0 ? this.#at : this.#chunk.length;
  }

  /** Goes on behind the whole frames up to `at`, which begins at `nextAt`. */
  skipTo(at: number): void {
    if (this.#heldBytes === 0) this.#at = at;
  }

  /** The next whole frame, good until the next call, or undefined when more bytes are needed. Throws `SpopError`. */
  next(): Frame | undefined {
    if (this.#heldBytes > 0) return this.#nextFromHeld();
    if (this.#held.length > KEPT_BYTES) this.#release();
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

  /** Moves bytes from the chunk until `total` are held; false when the chunk has no more. */
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

  /** The frame that was put together here has been read. */
  #release(): void {
    this.#held = NOTHING;
    this.#frame.bytes = NOTHING;
  }

  /** Grows with what has arrived, not with what a length promises: silent peers hold no memory. */
  #reserve(needed: number, total: number): void {
    if (needed <= this.#held.length) return;
    const larger = new Uint8Array(Math.max(needed, Math.min(total, this.#held.length * 2)));
    larger.set(this.#held.subarray(0, this.#heldBytes));
    this.#held = larger;
  }

  #checkedLength(bytes: Uint8Array, at: number): number {
    const length = readFrameLength(bytes, at);
    if (length > this.maxFrameBytes) {
      throw new SpopError(SpopStatus.frameTooBig, `frame of ${length} bytes is above ${this.maxFrameBytes}`);
    }
    if (length < MIN_FRAME_BYTES) {
      throw new SpopError(SpopStatus.invalidFrame, `frame of ${length} bytes is below ${MIN_FRAME_BYTES}`);
    }
    return length;
  }
}
