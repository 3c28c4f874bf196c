import type { Clock } from './transport.ts';

const WINDOW_MS = 60_000;
/** Bounds the memory: a kind may differ with every request. */
const MAX_KINDS = 50;
const OTHERS = 'others';

/** How often a problem occurred since it was logged last, as fields of a log line; empty the first time. */
export interface Times {
  readonly times?: number;
}

interface Logged {
  times: number;
  logAgain: (times: Times) => void;
  cancel: () => void;
}

/** Logs the first problem of a kind at once, and the number of those that follow at the end of each minute. */
export class ThrottledLog {
  readonly #clock: Clock;
  readonly #logged = new Map<string, Logged>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Calls `log` now, or at the end of the minute with the number of times since. */
  about(kind: string, log: (times: Times) => void): void {
    const key = this.#logged.has(kind) || this.#logged.size < MAX_KINDS ? kind : OTHERS;
    const logged = this.#logged.get(key);
    if (logged !== undefined) {
      logged.times++;
      logged.logAgain = log;
      return;
    }
    log({});
    this.#logged.set(key, {
      times: 0,
      logAgain: log,
      cancel: this.#clock.after(WINDOW_MS, () => this.#onWindowEnd(key)),
    });
  }

  close(): void {
    for (const { cancel } of this.#logged.values()) cancel();
    this.#logged.clear();
  }

  #onWindowEnd(key: string): void {
    const logged = this.#logged.get(key);
    if (logged === undefined) return;
    if (logged.times === 0) {
      this.#logged.delete(key);
      return;
    }
    logged.logAgain({ times: logged.times });
    logged.times = 0;
    logged.cancel = this.#clock.after(WINDOW_MS, () => this.#onWindowEnd(key));
  }
}
