import { isOpenAfter } from './csv-row.ts';
import { type Line, linesOf, MAX_LINE_LENGTH } from './lines.ts';

/** A CSV record and the number of its first line. Not whole if it is too long or has an unclosed quote. */
export interface CsvRecord {
  readonly line: number;
  readonly text: string;
  readonly isWhole: boolean;
}

/** Joins lines within quoted cells into records; yields the records of each chunk together. */
export async function* recordsOf(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<readonly CsvRecord[]> {
  const joiner = new Joiner();
  for await (const lines of linesOf(bytes)) {
    for (const line of lines) joiner.add(line);
    yield joiner.take();
  }
  joiner.end();
  yield joiner.take();
}

class Joiner {
  #records: CsvRecord[] = [];
  /** The lines of a record with an open quote, with at most MAX_LINE_LENGTH characters in total. */
  #open: Line[] = [];
  #length = 0;

  add(line: Line): void {
    const isFirst = this.#open.length === 0;
    const isOpen = !(isFirst && line.text.startsWith('#')) && isOpenAfter(line.text, !isFirst);
    this.#open.push(line);
    this.#length += line.text.length + 1;
    if (line.isCut || this.#length > MAX_LINE_LENGTH + 1) this.#giveUp();
    else if (!isOpen) this.#close();
  }

  take(): CsvRecord[] {
    const records = this.#records;
    this.#records = [];
    return records;
  }

  end(): void {
    this.#giveUp();
  }

  #close(): void {
    const line = this.#open[0]?.line ?? 0;
    const text = this.#open
      .map(({ text }) => text)
      .join('\n')
      .replace(/\r$/, '');
    this.#records.push({ line, text, isWhole: true });
    this.#open = [];
    this.#length = 0;
  }

  /**
   * Gives up only the line with the unclosed quote, and reads the lines after it separately. Joining these again would make
   * the time quadratic for a file full of such quotes.
   */
  #giveUp(): void {
    for (const [index, line] of this.#open.splice(0).entries()) {
      const isWhole = index > 0 && !line.isCut && (line.text.startsWith('#') || !isOpenAfter(line.text, false));
      this.#records.push({ line: line.line, text: line.text.replace(/\r$/, ''), isWhole });
    }
    this.#length = 0;
  }
}
