import type { Clock } from './clock.ts';

interface Waiting {
  readonly atMs: number;
  expire: (() => void) | undefined;
}

/** Deadlines with the same timeout: first in, first out, so that one timer serves them all. */
export class DeadlineQueue {
  readonly #clock: Clock;
  readonly #waiting: Waiting[] = [];
  #head = 0;
  #timerRuns = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Calls `expire` at `atMs`, unless the returned function is called before. Times must not decrease. */
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
    this.#removePast();
    // Only now: an `expire` that calls `add` must not start a timer later than the next deadline.
    this.#timerRuns = false;
    const next = this.#waiting[this.#head];
    if (next !== undefined) this.#startTimer(next.atMs);
  }

  #removePast(): void {
    this.#waiting.splice(0, this.#head);
    this.#head = 0;
  }
}
