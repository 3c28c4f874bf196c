import type { Clock } from '../decision/clock.ts';

/** What the watchdog asks of a script process, and what it reports. */
export interface Watched {
  ping(): void;
  /** Whether the process has as many calls in progress as it may have. */
  isFull(): boolean;
  /** The id of the call that has been in progress for the longest time. */
  oldestCall(): number | undefined;
  onStuck(problem: string): void;
}

const TICK_MS = 250;

/**
 * Detects a process that is in an endless loop, or full of calls that never finish. It counts its own ticks instead of
 * reading the time: an agent that was suspended has not received the pongs either.
 */
export class Watchdog {
  readonly #clock: Clock;
  readonly #watched: Watched;
  readonly #maxTicks: number;
  #cancel = () => {};
  #hasPong = false;
  #ticksWithoutPong = 0;
  #ticksFull = 0;
  #oldestCall: number | undefined;

  constructor(clock: Clock, stuckMs: number, watched: Watched) {
    this.#clock = clock;
    this.#maxTicks = Math.ceil(stuckMs / TICK_MS);
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
    this.#hasPong = true;
  }

  #onTick(): void {
    const problem = this.#checkPong() ?? this.#checkCalls();
    if (problem === undefined) this.#cancel = this.#clock.after(TICK_MS, () => this.#onTick());
    else this.#watched.onStuck(problem);
  }

  #checkPong(): string | undefined {
    this.#ticksWithoutPong = this.#hasPong ? 0 : this.#ticksWithoutPong + 1;
    if (this.#hasPong) {
      this.#hasPong = false;
      this.#watched.ping();
    }
    if (this.#ticksWithoutPong < this.#maxTicks) return undefined;
    return `has not responded for ${(this.#maxTicks * TICK_MS) / 1000} s: endless loop?`;
  }

  #checkCalls(): string | undefined {
    const oldestCall = this.#watched.oldestCall();
    this.#ticksFull = this.#watched.isFull() && oldestCall === this.#oldestCall ? this.#ticksFull + 1 : 0;
    this.#oldestCall = oldestCall;
    return this.#ticksFull < this.#maxTicks ? undefined : 'has too many calls that never finish';
  }
}
