import type { Input, Streams } from '../output/streams.ts';

/** Pieces that are kept: of a preview the first ones, and its end, which says how many there are. */
const FIRST = 1000;
const LAST = 5;
/** The largest piece, which is a whole document of JSON. */
const MAX_PIECE = 16 * 1024 * 1024;
const MAX_COMPLAINTS = 200;

/** What a run printed, as the page gets it. */
export interface Printed {
  readonly out: readonly string[];
  /** How many pieces were left out before the last ones. */
  readonly cut: number;
  readonly complaints: readonly string[];
}

/** The streams of one run for the page: reads what the page sent, and keeps what is printed, within bounds. */
export class Transcript implements Streams {
  readonly input: Input;
  readonly #out: string[] = [];
  readonly #complaints: string[] = [];
  #cut = 0;

  constructor(input: Input) {
    this.input = input;
  }

  print(text: string): void {
    this.#out.push(text.length > MAX_PIECE ? '' : text);
    if (this.#out.length <= FIRST + LAST) return;
    this.#out.splice(FIRST, 1);
    this.#cut++;
  }

  complain(text: string): void {
    if (this.#complaints.length < MAX_COMPLAINTS) this.#complaints.push(text.trimEnd());
  }

  get printed(): Printed {
    return { out: this.#out, cut: this.#cut, complaints: this.#complaints };
  }
}
