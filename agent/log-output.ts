import sonic, { type SonicBoom } from 'sonic-boom';

/** About 3,000 denies: three minutes of the most that is told of them. */
const MAX_WAITING_BYTES = 1024 * 1024;
/** Once full, so much must be free again: else every second line would tell of a loss. */
const ROOM_BYTES = MAX_WAITING_BYTES / 2;
/** PIPE_BUF: so much is taken whole or not at all, so that lines of several workers do not mix. */
const MAX_WRITE_BYTES = 4096;
const RETRY_MS = 1_000;
const CLOSE_LIMIT_MS = 500;

/**
 * Where log lines go: a descriptor that may stall, fill up or be closed by its reader at any time. A line waits in memory,
 * up to a bound; past that it is dropped and counted. Nothing here blocks, throws, or keeps the process from ending
 * (docs/decisions/0015-log-output.md).
 */
export class LogOutput {
  /** Told once there is room again, with how many lines were dropped meanwhile. It may write. */
  onRoom: (dropped: number) => void = () => {};
  readonly #stream: SonicBoom;
  #waitingBytes = 0;
  #dropped = 0;
  /** Since lines were written the last time. */
  #missing = 0;
  #isFailing = false;
  #isClosed = false;
  #retry: NodeJS.Timeout | undefined;
  #onSettled = () => {};

  /** Writes to this descriptor, which should be one that does not block. */
  constructor(descriptor: number) {
    this.#stream = new sonic.SonicBoom({
      fd: descriptor,
      maxWrite: MAX_WRITE_BYTES,
      // What is full is tried again every 100 ms.
      retryEAGAIN: () => !this.#isClosed,
    });
    this.#stream.on('write', (bytes: number) => this.#onWritten(bytes));
    this.#stream.on('error', () => this.#onError());
  }

  /** Lines lost since the start. */
  get dropped(): number {
    return this.#dropped;
  }

  write(line: string): void {
    const bytes = Buffer.byteLength(line);
    if (this.#isClosed || this.#missing > 0 || this.#waitingBytes + bytes > MAX_WAITING_BYTES) {
      this.#dropped++;
      this.#missing++;
      this.#tellOfRoom();
      return;
    }
    this.#waitingBytes += bytes;
    this.#stream.write(line);
  }

  /** Resolves when all is written or cannot be, at the latest after half a second; takes no more from then on. */
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
    this.#tellOfRoom();
    if (this.#waitingBytes === 0) this.#onSettled();
  }

  #tellOfRoom(): void {
    if (this.#missing === 0 || this.#waitingBytes > ROOM_BYTES || this.#isClosed) return;
    const missing = this.#missing;
    this.#missing = 0;
    this.onRoom(missing);
  }

  /** A full disk, a reader that is gone: what waits is kept, since it may end. */
  #onError(): void {
    this.#isFailing = true;
    this.#onSettled();
    clearTimeout(this.#retry);
    if (!this.#isClosed) this.#retry = setTimeout(() => this.#tryAgain(), RETRY_MS).unref();
  }

  #tryAgain(): void {
    this.#stream.write(''); // with what is left of the last try
  }
}
