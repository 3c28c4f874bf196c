import type { ReadStream, WriteStream } from 'node:tty';
import type { Line } from './screen.ts';

const ENTER = '\x1b[?1049h\x1b[?25l\x1b[?7l'; // the other screen, no cursor, no wrapping
const LEAVE = '\x1b[?7h\x1b[?25h\x1b[?1049l';
const HOME = '\x1b[H';
const END_OF_LINE = '\x1b[K';
const END_OF_SCREEN = '\x1b[J';
const COLOURS = { plain: '', heading: '\x1b[1m', good: '\x1b[32m', bad: '\x1b[31m' } as const;
const NO_COLOUR = '\x1b[0m';
const CTRL_C = '\x03';
/** Of a terminal that does not say. */
const USUAL = { columns: 80, rows: 24 } as const;

/** A whole screen over what stood there before, without a moment in which it is empty. */
export function paint(lines: readonly Line[], hasColour: boolean): string {
  const painted = lines.map(({ text, tone }) =>
    hasColour && tone !== 'plain' ? `${COLOURS[tone]}${text}${NO_COLOUR}${END_OF_LINE}` : `${text}${END_OF_LINE}`,
  );
  return `${HOME}${painted.join('\r\n')}${END_OF_SCREEN}`;
}

/** Takes a terminal over, and gives it back as it was. */
export class Terminal {
  readonly #input: ReadStream;
  readonly #output: WriteStream;
  readonly #hasColour: boolean;
  readonly #restore = () => this.close();

  /** `leave` is called for q and Ctrl-C, `resized` when the size is another. */
  constructor(input: ReadStream, output: WriteStream, events: { leave(): void; resized(): void }, hasColour: boolean) {
    this.#input = input;
    this.#output = output;
    this.#hasColour = hasColour;
    output.write(ENTER);
    output.on('resize', events.resized);
    // However this ends, the terminal is as it was.
    process.once('exit', this.#restore);
    if (!input.isTTY) return;
    input.setRawMode(true);
    input.on('data', (keys) => {
      if (/[qQ]/.test(String(keys)) || String(keys).includes(CTRL_C)) events.leave();
    });
    input.resume();
  }

  get size(): { readonly columns: number; readonly rows: number } {
    return { columns: this.#output.columns || USUAL.columns, rows: this.#output.rows || USUAL.rows };
  }

  draw(lines: readonly Line[]): void {
    this.#output.write(paint(lines, this.#hasColour));
  }

  close(): void {
    process.removeListener('exit', this.#restore);
    if (this.#input.isTTY) this.#input.setRawMode(false);
    this.#input.pause();
    this.#output.write(LEAVE);
  }
}
