import { Backoff } from './backoff.ts';

/** Consecutive failures that open the breaker. */
const FAILURES_TO_OPEN = 5;
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 10_000;

type State =
  | { readonly name: 'closed'; failures: number }
  | { readonly name: 'open'; readonly untilMs: number }
  | { readonly name: 'probing' };

/**
 * A circuit breaker: stops calls to a backend that is down. While it is open, no call is made until its wait is over; then
 * one call is the probe, and all others are blocked until it ends. Each failed probe doubles the wait.
 */
export class Breaker {
  #state: State = { name: 'closed', failures: 0 };
  readonly #backoff = new Backoff(FIRST_WAIT_MS, LONGEST_WAIT_MS);

  get state(): State['name'] {
    return this.#state.name;
  }

  /** May no call be made now? */
  isBlocked(nowMs: number): boolean {
    return this.#state.name === 'probing' || (this.#state.name === 'open' && nowMs < this.#state.untilMs);
  }

  /** A call is made that was not blocked: the probe, if the breaker is open. */
  callStarted(): void {
    if (this.#state.name === 'open') this.#state = { name: 'probing' };
  }

  succeeded(): void {
    // Also closes for a call that began before the breaker opened: the backend answered now.
    this.#state = { name: 'closed', failures: 0 };
    this.#backoff.reset();
  }

  /** The backend is up but refuses calls: this neither opens the breaker nor keeps it open. */
  throttled(): void {
    if (this.#state.name === 'probing') this.succeeded();
  }

  failed(nowMs: number): void {
    switch (this.#state.name) {
      case 'closed':
        this.#state.failures++;
        if (this.#state.failures >= FAILURES_TO_OPEN) this.#open(nowMs);
        return;
      case 'probing':
        this.#open(nowMs);
        return;
      case 'open':
        return;
      default:
        this.#state satisfies never;
    }
  }

  #open(nowMs: number): void {
    this.#state = { name: 'open', untilMs: nowMs + this.#backoff.take() };
  }
}
