import type { Input, Streams } from '../output/streams.ts';

/** Pieces that are kept: of a preview the first ones, and its end, which says how many there are. */
const FIRST = 1000;
const LAST = 5;
/** The largest piece, which is a whole document of JSON. */
const MAX_PIECE = 16 * 1024 * 1024;
const MAX_COMPLAINTS = 200;
/** How often a run of unknown length says how far it is; a run of known length says every percent. */
const EVERY = 1000;

/** What a run printed, as the page gets it. */
export interface Printed {
  readonly out: readonly string[];
  /** How many pieces were left out before the last ones. */
  readonly cut: number;
  readonly complaints: readonly string[];
  /** By what it can be taken back; absent if nothing was changed. */
  readonly run?: string;
}

/** How far a run is. */
export interface Advance {
  readonly label: string;
  readonly done: number;
  readonly total: number | undefined;
}

/** The streams of one run for the page: reads what the page sent, and keeps what is printed, within bounds. */
export class Transcript implements Streams {
  readonly input: Input;
  readonly #tell: (advance: Advance) => void;
  readonly #out: string[] = [];
  readonly #complaints: string[] = [];
  #cut = 0;
  #step = 0;
  #run: string | undefined;

  constructor(input: Input, tell: (advance: Advance) => void) {
    this.input = input;
    this.#tell = tell;
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

  advance(label: string, done: number, total: number | undefined): void {
    const step = Math.floor(total === undefined ? done / EVERY : (done / total) * 100);
    if (step === this.#step) return;
    this.#step = step;
    this.#tell({ label, done, total });
  }

  recorded(run: string): void {
    this.#run = run;
  }

  get printed(): Printed {
    const run = this.#run;
    return { out: this.#out, cut: this.#cut, complaints: this.#complaints, ...(run !== undefined && { run }) };
  }
}
