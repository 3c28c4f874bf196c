import type { Clock } from '../../agent/decision/clock.ts';

interface Timer {
  readonly atMs: number;
  readonly task: () => void;
}

/** More timers than this in one moment are one that starts itself for ever. */
const MAX_AT_ONCE = 10_000;

/** A clock that stands still until a test moves it. */
export class HandClock implements Clock {
  #nowMs = 1000;
  readonly #epochOffsetMs: number;
  readonly #timers = new Set<Timer>();

  constructor(epochMs = 1_790_000_000_000) {
    this.#epochOffsetMs = epochMs - this.#nowMs;
  }

  /** How many timers wait: what a test looks at to see that nothing is left behind. */
  get timers(): number {
    return this.#timers.size;
  }

  /** How long until the next timer runs, infinite without one. */
  get nextInMs(): number {
    return Math.max(0, Math.min(...[...this.#timers].map(({ atMs }) => atMs - this.#nowMs)));
  }

  nowMs(): number {
    return this.#nowMs;
  }

  epochMs(): number {
    return this.#epochOffsetMs + this.#nowMs;
  }

  after(delayMs: number, task: () => void): () => void {
    const timer = { atMs: this.#nowMs + delayMs, task };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  /** Moves time on, stopping at each timer on the way. */
  advance(ms: number): void {
    const untilMs = this.#nowMs + ms;
    let atOnce = 0;
    for (let next = this.#next(untilMs); next !== undefined; next = this.#next(untilMs)) {
      this.#timers.delete(next);
      atOnce = next.atMs > this.#nowMs ? 0 : atOnce + 1;
      if (atOnce > MAX_AT_ONCE) throw new Error(`timers without end at ${this.#nowMs} ms`);
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      next.task();
    }
    this.#nowMs = untilMs;
  }

  #next(untilMs: number): Timer | undefined {
    let first: Timer | undefined;
    for (const timer of this.#timers)
      if (timer.atMs <= untilMs && (first === undefined || timer.atMs < first.atMs)) first = timer;
    return first;
  }
}
