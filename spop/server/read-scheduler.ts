import type { Clock } from '../transport.ts';

/** How many sockets are resumed in one turn of the event loop. */
const SOCKETS_A_TURN = 2;
/** The pause until the next ones, for the rest of the event loop: it accepts one connection a turn. */
const PAUSE_MS = 1;

/** Resumes the sockets that receive large frames a few at a time, so that they do not block the others. */
export class ReadScheduler {
  readonly #clock: Clock;
  readonly #waiting = new Set<() => void>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Calls `resume` in a later turn, first in, first out. */
  schedule(resume: () => void): void {
    if (this.#waiting.size === 0) setImmediate(() => this.#next());
    this.#waiting.add(resume);
  }

  #next(): void {
    const now = [...this.#waiting].slice(0, SOCKETS_A_TURN);
    for (const resume of now) this.#waiting.delete(resume);
    if (this.#waiting.size > 0) this.#clock.after(PAUSE_MS, () => this.#next());
    for (const resume of now) resume();
  }
}
