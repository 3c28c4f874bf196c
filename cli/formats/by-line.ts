import type { FeedEntry, FeedLine } from './feed-line.ts';
import { feedLines, problem } from './invalid-line.ts';
import { linesOf, MAX_LINE_LENGTH } from './lines.ts';

/** Reads a feed in which a line knows nothing of the others. */
export async function* readByLine(
  bytes: AsyncIterable<Uint8Array>,
  read: (text: string) => readonly FeedEntry[],
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
        for (const one of found) yield one; // `yield*` waits once for each line, also for one that brings nothing
      }
    }
  }
}

export function tooLong(line: number, text: string): FeedLine {
  return problem(line, text, `is longer than ${MAX_LINE_LENGTH} characters`);
}
