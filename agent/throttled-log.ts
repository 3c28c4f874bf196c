import type { Clock } from './decision/clock.ts';

const WINDOW_MS = 60_000;
/** What differs with every request must not be remembered for each. */
const MAX_KINDS = 50;
const OTHERS = 'others';

/** How often it was since it was told last; empty at the first time. To be put among the fields of the line. */
export interface Times {
  readonly times?: number;
}

interface Told {
  times: number;
  tellAgain: (times: Times) => void;
  cancel: () => void;
}

/** Lets the first of equal complaints through, and counts those that follow within a minute. */
export class ThrottledLog {
  readonly #clock: Clock;
  readonly #told = new Map<string, Told>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** `tell` is called now, or at the end of the minute with how many times it was since. */
  about(kind: string, tell: (times: Times) => void): void {
    const key = this.#told.has(kind) || this.#told.size < MAX_KINDS ? kind : OTHERS;
    const told = this.#told.get(key);
    if (told !== undefined) {
      told.times++;
      told.tellAgain = tell;
      return;
    }
    tell({});
    this.#told.set(key, {
      times: 0,
      tellAgain: tell,
      cancel: this.#clock.after(WINDOW_MS, () => this.#onWindowEnd(key)),
    });
  }

  close(): void {
    for (const { cancel } of this.#told.values()) cancel();
    this.#told.clear();
  }

  #onWindowEnd(key: string): void {
    const told = this.#told.get(key);
    if (told === undefined) return;
    if (told.times === 0) {
      this.#told.delete(key);
      return;
    }
    told.tellAgain({ times: told.times });
    told.times = 0;
    told.cancel = this.#clock.after(WINDOW_MS, () => this.#onWindowEnd(key));
  }
}
