import type { Clock } from '../decision/clock.ts';

/** How many go on in one turn of the event loop. */
const AT_ONCE = 2;
/** Where more wait, the others have the event loop for so long in between: it takes in one connection a turn. */
const PAUSE_MS = 1;

/** Lets few of those that have much to do go on at once, so that everybody else has a turn. */
export class Turns {
  readonly #clock: Clock;
  readonly #waiting = new Set<() => void>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** `goOn` is called in a later turn, after those that waited before. */
  wait(goOn: () => void): void {
    if (this.#waiting.size === 0) setImmediate(() => this.#next());
    this.#waiting.add(goOn);
  }

  #next(): void {
    const now = [...this.#waiting].slice(0, AT_ONCE);
    for (const goOn of now) this.#waiting.delete(goOn);
    if (this.#waiting.size > 0) this.#clock.after(PAUSE_MS, () => this.#next());
    for (const goOn of now) goOn();
  }
}
