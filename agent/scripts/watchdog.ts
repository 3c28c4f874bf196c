import type { Clock } from '../decision/clock.ts';

/** What the watchdog sees of a process of rules, and can do. */
export interface Watched {
  /** Asks for a sign of life. */
  ping(): void;
  /** Whether no more calls can be taken. */
  isFull(): boolean;
  /** Names the call that has been running for the longest time. */
  oldestCall(): number | undefined;
  /** It is of no use any more. */
  bark(problem: string): void;
}

const TICK_MS = 250;

/**
 * Finds a process that loops, or is full of calls that never end. It counts its own turns and not the time: an agent that
 * stood still has not heard of its rules either.
 */
export class Watchdog {
  readonly #clock: Clock;
  readonly #watched: Watched;
  readonly #patience: number;
  #cancel = () => {};
  #isHeard = false;
  #silentTurns = 0;
  #fullTurns = 0;
  #oldestCall: number | undefined;

  constructor(clock: Clock, stuckMs: number, watched: Watched) {
    this.#clock = clock;
    this.#patience = Math.ceil(stuckMs / TICK_MS);
    this.#watched = watched;
  }

  start(): void {
    this.#watched.ping();
    this.#cancel = this.#clock.after(TICK_MS, () => this.#onTick());
  }

  stop(): void {
    this.#cancel();
  }

  onPong(): void {
    this.#isHeard = true;
  }

  #onTick(): void {
    const problem = this.#silence() ?? this.#jam();
    if (problem === undefined) this.#cancel = this.#clock.after(TICK_MS, () => this.#onTick());
    else this.#watched.bark(problem);
  }

  #silence(): string | undefined {
    this.#silentTurns = this.#isHeard ? 0 : this.#silentTurns + 1;
    if (this.#isHeard) {
      this.#isHeard = false;
      this.#watched.ping();
    }
    if (this.#silentTurns < this.#patience) return undefined;
    return `has not responded for ${(this.#patience * TICK_MS) / 1000} s: it loops`;
  }

  #jam(): string | undefined {
    const oldestCall = this.#watched.oldestCall();
    this.#fullTurns = this.#watched.isFull() && oldestCall === this.#oldestCall ? this.#fullTurns + 1 : 0;
    this.#oldestCall = oldestCall;
    return this.#fullTurns < this.#patience ? undefined : 'is full of calls that do not come to an end';
  }
}
