import type { Readable } from 'node:stream';
import { CliError, EXIT } from '../exit/cli-error.ts';

/** Of an order without what its command reads. */
export const MAX_LINE_BYTES = 64 * 1024;
/** Far above any list that people drop on a page; larger ones are for `haverdict import`. */
export const MAX_FILE_BYTES = 64 * 1024 * 1024;
const LINE_FEED = 10;

/** The body of an order: one line of JSON, and then what its command reads as standard input. */
export class OrderBody {
  readonly #chunks: AsyncIterator<Buffer>;
  #rest: Buffer = Buffer.alloc(0);
  readonly #maxBytes: number;
  #bytes = 0;

  constructor(request: Readable, maxBytes = MAX_FILE_BYTES) {
    this.#maxBytes = maxBytes;
    this.#chunks = request.iterator({ destroyOnReturn: false });
  }

  /** The line; undefined if it is longer than any order. */
  async line(): Promise<string | undefined> {
    let read: Buffer = Buffer.alloc(0);
    for (let end = -1; end === -1; end = read.indexOf(LINE_FEED)) {
      if (read.length > MAX_LINE_BYTES) return undefined;
      const chunk = await this.#next();
      if (chunk === undefined) return read.toString();
      read = Buffer.concat([read, chunk]);
    }
    const end = read.indexOf(LINE_FEED);
    this.#rest = read.subarray(end + 1);
    return end > MAX_LINE_BYTES ? undefined : read.subarray(0, end).toString();
  }

  /** What follows the line. A reader that stops early leaves the rest. */
  async *bytes(): AsyncGenerator<Uint8Array> {
    if (this.#rest.length > 0) yield this.#rest;
    for (let chunk = await this.#next(); chunk !== undefined; chunk = await this.#next()) yield chunk;
  }

  /** Reads what the command left, so that the browser has sent everything when the answer comes. */
  async drain(): Promise<void> {
    while ((await this.#next().catch(() => undefined)) !== undefined);
  }

  async #next(): Promise<Buffer | undefined> {
    const { value, done } = await this.#chunks.next();
    if (done) return undefined;
    this.#bytes += value.length;
    if (this.#bytes <= this.#maxBytes) return value;
    throw new CliError(
      EXIT.failed,
      `nothing was written: the file is larger than the ${this.#maxBytes / 1024 ** 2} MiB that this page takes: use haverdict import`,
    );
  }
}
