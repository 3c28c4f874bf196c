import type { Clock } from './clock.ts';

interface Waiting {
  readonly atMs: number;
  expire: (() => void) | undefined;
}

/** Deadlines that are all equally far away: first in, first out, so that one timer serves them all. */
export class DeadlineQueue {
  readonly #clock: Clock;
  readonly #waiting: Waiting[] = [];
  #head = 0;
  #timerRuns = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Runs `expire` at `atMs`, unless the returned function is called before. Times must not go backwards. */
  add(atMs: number, expire: () => void): () => void {
    const waiting: Waiting = { atMs, expire };
    this.#waiting.push(waiting);
    if (!this.#timerRuns) this.#startTimer(atMs);
    return () => {
      waiting.expire = undefined;
    };
  }

  #startTimer(atMs: number): void {
    this.#timerRuns = true;
    this.#clock.after(Math.max(0, atMs - this.#clock.nowMs()), () => this.#onTimer());
  }

  #onTimer(): void {
    const nowMs = this.#clock.nowMs();
    for (; this.#head < this.#waiting.length; this.#head++) {
      const next = this.#waiting[this.#head] as Waiting; // in bounds: the loop's condition
      if (next.expire === undefined) continue;
      if (next.atMs > nowMs) break;
      next.expire();
    }
    this.#forgetPast();
    // Only now: an `expire` that adds must not start a timer that comes after those who still wait.
    this.#timerRuns = false;
    const next = this.#waiting[this.#head];
    if (next !== undefined) this.#startTimer(next.atMs);
  }

  #forgetPast(): void {
    this.#waiting.splice(0, this.#head);
    this.#head = 0;
  }
}
