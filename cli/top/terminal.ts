import { emitKeypressEvents, type Key } from 'node:readline';
import type { ReadStream, WriteStream } from 'node:tty';
import type { Line } from './screen.ts';

const ENTER = '\x1b[?1049h\x1b[?25l\x1b[?7l'; // alternate screen, no cursor, no wrapping
const LEAVE = '\x1b[?7h\x1b[?25h\x1b[?1049l';
const HOME = '\x1b[H';
const END_OF_LINE = '\x1b[K';
const END_OF_SCREEN = '\x1b[J';
const COLOURS = { plain: '', heading: '\x1b[1m', good: '\x1b[32m', bad: '\x1b[31m' } as const;
const NO_COLOUR = '\x1b[0m';
/** For a terminal of unknown size. */
const DEFAULT_SIZE = { columns: 80, rows: 24 } as const;

/** Redraws the screen without clearing it first, so that it does not flicker. */
export function paint(lines: readonly Line[], hasColour: boolean): string {
  const painted = lines.map(({ text, tone }) =>
    hasColour && tone !== 'plain' ? `${COLOURS[tone]}${text}${NO_COLOUR}${END_OF_LINE}` : `${text}${END_OF_LINE}`,
  );
  return `${HOME}${painted.join('\r\n')}${END_OF_SCREEN}`;
}

/** Takes over a terminal, and restores it on close. */
export class Terminal {
  readonly #input: ReadStream;
  readonly #output: WriteStream;
  readonly #hasColour: boolean;
  readonly #restore = () => this.close();

  /** `pressed` is called for each key, `resized` when the size changes. */
  constructor(
    input: ReadStream,
    output: WriteStream,
    events: { pressed(key: Key): void; resized(): void },
    hasColour: boolean,
  ) {
    this.#input = input;
    this.#output = output;
    this.#hasColour = hasColour;
    output.write(ENTER);
    output.on('resize', events.resized);
    // restores the terminal however the process ends
    process.once('exit', this.#restore);
    if (!input.isTTY) return;
    input.setRawMode(true);
    emitKeypressEvents(input);
    input.on('keypress', (_text, key: Key) => events.pressed(key));
    input.resume();
  }

  get size(): { readonly columns: number; readonly rows: number } {
    return { columns: this.#output.columns || DEFAULT_SIZE.columns, rows: this.#output.rows || DEFAULT_SIZE.rows };
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
