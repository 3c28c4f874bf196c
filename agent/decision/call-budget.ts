/** The burst after a quiet time, in seconds of the rate. */
const BURST_SECONDS = 0.1;
/** Throttling lowers the rate to this factor at least, and at most. */
const MIN_DECREASE_FACTOR = 0.5;
const MAX_DECREASE_FACTOR = 0.9;
/** The rate grows by this share of the maximum a second. */
const INCREASE_PER_SECOND = 0.05;
/** The share of the maximum that counts as used even if fewer calls were made: few calls say little about the rate. */
const MIN_USED = 0.2;
/** The lowest rate: without calls, the agent would not learn that the backend takes more again. */
const MIN_PER_SECOND = 1;
/** Calls in flight together are throttled together: that counts once. */
const DECREASE_INTERVAL_MS = 1000;

/**
 * A token bucket of calls. If the backend throttles, the rate drops by the share of calls that it refused, and recovers
 * slowly, so that agents that share a backend end up with about equal shares of what it takes (additive increase,
 * multiplicative decrease, as in RFC 8257).
 */
export class CallBudget {
  readonly #mostPerMs: number;
  readonly #leastPerMs: number;
  /** By how much the calls a millisecond grow each millisecond. */
  readonly #growth: number;
  readonly #burstSeconds: number;
  #perMs: number;
  #tokens: number;
  #filledAtMs = 0;
  /** The calls of about the last second, and those that were refused: exponentially decaying counts. */
  #recent = 0;
  #refused = 0;
  #decreasedAtMs = Number.NEGATIVE_INFINITY;

  constructor(callsPerSecond: number, burstSeconds = BURST_SECONDS) {
    this.#burstSeconds = burstSeconds;
    this.#mostPerMs = callsPerSecond / 1000;
    this.#leastPerMs = Math.min(this.#mostPerMs, MIN_PER_SECOND / 1000);
    this.#growth = (this.#mostPerMs * INCREASE_PER_SECOND) / 1000;
    this.#perMs = this.#mostPerMs;
    this.#tokens = this.#burst;
  }

  /** The current rate. */
  perSecond(nowMs: number): number {
    this.#fill(nowMs);
    return this.#perMs * 1000;
  }

  /** Takes `calls` if at least one is left; what is missing delays the next. */
  tryTake(nowMs: number, calls = 1): boolean {
    this.#fill(nowMs);
    if (this.#tokens < 1) return false;
    this.#tokens -= calls;
    this.#recent += calls;
    return true;
  }

  /** The whole milliseconds until this many calls can be taken; 0 only if they can be now. */
  waitMs(nowMs: number, calls = 1): number {
    this.#fill(nowMs);
    const missing = calls - this.#tokens;
    return missing <= 0 ? 0 : Math.max(1, Math.ceil(this.#timeFor(missing)));
  }

  /** The backend refused this many calls, made at `madeAtMs`, as too many. */
  throttled(nowMs: number, madeAtMs: number, calls = 1): void {
    this.#fill(nowMs);
    this.#refused += calls;
    if (madeAtMs < this.#decreasedAtMs || nowMs - this.#decreasedAtMs < DECREASE_INTERVAL_MS) return;
    // The rate that was allowed but not used says nothing about what the backend takes.
    const used = Math.min(this.#perMs, Math.max(this.#recent / 1000, this.#mostPerMs * MIN_USED));
    const left = 1 - this.#refused / Math.max(1, this.#recent);
    this.#perMs = Math.max(this.#leastPerMs, used * Math.min(MAX_DECREASE_FACTOR, Math.max(MIN_DECREASE_FACTOR, left)));
    this.#decreasedAtMs = nowMs;
  }

  get #burst(): number {
    return Math.max(1, this.#perMs * 1000 * this.#burstSeconds);
  }

  #fill(nowMs: number): void {
    const elapsedMs = Math.max(0, nowMs - this.#filledAtMs);
    this.#filledAtMs = nowMs;
    const growingMs = Math.min(elapsedMs, this.#growingMs);
    const grown = growingMs * (this.#perMs + (growingMs * this.#growth) / 2);
    if (growingMs > 0) this.#perMs = Math.min(this.#mostPerMs, this.#perMs + growingMs * this.#growth);
    this.#tokens = Math.min(this.#burst, this.#tokens + grown + (elapsedMs - growingMs) * this.#perMs);
    const weight = Math.exp(-elapsedMs / 1000);
    this.#recent *= weight;
    this.#refused *= weight;
  }

  /** How long until the rate is at its maximum again. */
  get #growingMs(): number {
    return this.#perMs >= this.#mostPerMs ? 0 : (this.#mostPerMs - this.#perMs) / this.#growth;
  }

  /** How long it takes to refill this many calls. */
  #timeFor(calls: number): number {
    const growingMs = this.#growingMs;
    const grown = growingMs * (this.#perMs + (growingMs * this.#growth) / 2);
    if (calls >= grown) return growingMs + (calls - grown) / this.#mostPerMs;
    return (Math.sqrt(this.#perMs ** 2 + 2 * this.#growth * calls) - this.#perMs) / this.#growth;
  }
}
