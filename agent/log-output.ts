import sonic, { type SonicBoom } from 'sonic-boom';

/** Room for about 3,000 lines about denies. */
const MAX_WAITING_BYTES = 1024 * 1024;
/** A full buffer must fall to this level before lines are accepted again: else every other line would report a loss. */
const ROOM_BYTES = MAX_WAITING_BYTES / 2;
/** PIPE_BUF: writes up to this size are atomic, so that lines of several workers do not mix. */
const MAX_WRITE_BYTES = 4096;
const RETRY_MS = 1_000;
const CLOSE_LIMIT_MS = 500;

/**
 * Writes log lines to a descriptor that may stall, fill up or be closed by its reader at any time. Lines are buffered in
 * memory up to a limit, then dropped and counted. Never blocks, throws, or keeps the process alive
 * (docs/decisions/0015-log-output.md).
 */
export class LogOutput {
  /** Called once there is room again, with the number of dropped lines; may call `write`. */
  onRoom: (dropped: number) => void = () => {};
  readonly #stream: SonicBoom;
  #waitingBytes = 0;
  #dropped = 0;
  /** Lines dropped since the last call of `onRoom`. */
  #missing = 0;
  #isFailing = false;
  #isClosed = false;
  #retry: NodeJS.Timeout | undefined;
  #onSettled = () => {};

  /** Writes to this descriptor, which should be non-blocking. */
  constructor(descriptor: number) {
    this.#stream = new sonic.SonicBoom({
      fd: descriptor,
      maxWrite: MAX_WRITE_BYTES,
      // A full descriptor is retried every 100 ms.
      retryEAGAIN: () => !this.#isClosed,
    });
    this.#stream.on('write', (bytes: number) => this.#onWritten(bytes));
    this.#stream.on('error', () => this.#onError());
  }

  /** Lines dropped since the start. */
  get dropped(): number {
    return this.#dropped;
  }

  write(line: string): void {
    const bytes = Buffer.byteLength(line);
    if (this.#isClosed || this.#missing > 0 || this.#waitingBytes + bytes > MAX_WAITING_BYTES) {
      this.#dropped++;
      this.#missing++;
      this.#reportRoom();
      return;
    }
    this.#waitingBytes += bytes;
    this.#stream.write(line);
  }

  /** Resolves when everything is written or fails, at the latest after half a second; drops further lines. */
  async close(): Promise<void> {
    const settled = Promise.withResolvers<void>();
    this.#onSettled = settled.resolve;
    const limit = setTimeout(settled.resolve, CLOSE_LIMIT_MS);
    if (this.#waitingBytes === 0) settled.resolve();
    else if (this.#isFailing) this.#tryAgain();
    await settled.promise;
    clearTimeout(limit);
    clearTimeout(this.#retry);
    this.#isClosed = true;
  }

  #onWritten(bytes: number): void {
    this.#isFailing = false;
    this.#waitingBytes -= bytes;
    this.#reportRoom();
    if (this.#waitingBytes === 0) this.#onSettled();
  }

  #reportRoom(): void {
    if (this.#missing === 0 || this.#waitingBytes > ROOM_BYTES || this.#isClosed) return;
    const missing = this.#missing;
    this.#missing = 0;
    this.onRoom(missing);
  }

  /** The disk is full, or the reader gone: keeps the buffer and retries, since that may end. */
  #onError(): void {
    this.#isFailing = true;
    this.#onSettled();
    clearTimeout(this.#retry);
    if (!this.#isClosed) this.#retry = setTimeout(() => this.#tryAgain(), RETRY_MS).unref();
  }

  #tryAgain(): void {
    this.#stream.write(''); // writes the rest of the buffer
  }
}
