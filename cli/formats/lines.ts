import { CliError, EXIT } from '../exit/cli-error.ts';
import type { FeedItem, FeedLine } from './feed-line.ts';
import { feedLines, problem } from './invalid-line.ts';

/** A line of text without its `\n`; if `isCut`, it was too long and this is its beginning. */
export interface Line {
  readonly line: number;
  readonly text: string;
  readonly isCut: boolean;
}

/** No entry is longer. A file without line ends must not become one string. */
export const MAX_LINE_LENGTH = 64 * 1024;

/** Above the size of any list, comments and empty lines included. */
export const MAX_LINES = 20_000_000;

/**
 * Splits UTF-8 into lines. Yields the lines of a chunk together, since a promise per line costs more than reading it.
 * Removes a byte order mark; keeps a `\r` before the `\n`.
 */
export async function* linesOf(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<readonly Line[]> {
  const decoder = new TextDecoder();
  const splitter = new Splitter();
  for await (const chunk of bytes) {
    yield splitter.split(decoder.decode(chunk, { stream: true }));
    if (splitter.count > MAX_LINES)
      throw new CliError(EXIT.failed, `the source has more than ${MAX_LINES} lines, which is the limit`);
  }
  yield [...splitter.split(decoder.decode()), ...splitter.end()];
}

/** Reads a feed whose lines are independent of each other. */
export async function* readByLine(
  bytes: AsyncIterable<Uint8Array>,
  read: (text: string) => readonly FeedItem[],
): AsyncGenerator<FeedLine> {
  for await (const lines of linesOf(bytes)) {
    for (const { line, text, isCut } of lines) {
      if (isCut) yield tooLong(line, text);
      else {
        const found = feedLines(
          line,
          () => text,
          () => read(text),
        );
        for (const one of found) yield one; // `yield*` would await once per line, even for one without entries
      }
    }
  }
}

export function tooLong(line: number, text: string): FeedLine {
  return problem(line, text, `is longer than ${MAX_LINE_LENGTH} characters`);
}

class Splitter {
  #line = 1;
  /** The beginning of the unfinished line, at most MAX_LINE_LENGTH characters. */
  #open = '';
  #isCut = false;

  /** The number of finished lines. */
  get count(): number {
    return this.#line - 1;
  }

  split(text: string): Line[] {
    const pieces = text.split('\n');
    const last = pieces.pop() ?? '';
    const lines = pieces.map((piece) => {
      this.#append(piece);
      return this.#close();
    });
    this.#append(last);
    return lines;
  }

  end(): Line[] {
    return this.#open === '' ? [] : [this.#close()];
  }

  #append(piece: string): void {
    const room = MAX_LINE_LENGTH - this.#open.length;
    if (piece.length > room) this.#isCut = true;
    this.#open += piece.length > room ? piece.slice(0, room) : piece;
  }

  #close(): Line {
    const line = { line: this.#line, text: this.#open, isCut: this.#isCut };
    this.#line++;
    this.#open = '';
    this.#isCut = false;
    return line;
  }
}
