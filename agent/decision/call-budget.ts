/** After a quiet time this much of a second's calls may be made at once. */
const BURST_SECONDS = 0.1;
/** What is left at least, and at most, of the calls a second once the backend says that they are too many. */
const LEFT_AT_LEAST = 0.5;
const LEFT_AT_MOST = 0.9;
/** The part of the maximum that comes back in each second. */
const INCREASE_PER_SECOND = 0.05;
/** The part of the maximum that counts as used where fewer calls were made: few of them say little about the rate. */
const USED_AT_LEAST = 0.2;
/** With no calls at all nobody would learn that more are allowed again. */
const LEAST_PER_SECOND = 1;
/** The calls that were under way say the same thing many times over: it counts once. */
const DECREASE_INTERVAL_MS = 1000;

/**
 * A token bucket: never more than so many calls a second. The backend can say that these are too many for it: then the
 * rate drops by the share of calls that it refused, and comes back little by little, so that agents that share a backend
 * end up with about equal shares of what it takes (additive increase, multiplicative decrease, as in RFC 8257).
 */
export class CallBudget {
  readonly #mostPerMs: number;
  readonly #leastPerMs: number;
  /** By how much the calls a millisecond grow in each. */
  readonly #growth: number;
  readonly #burstSeconds: number;
  #perMs: number;
  #tokens: number;
  #filledAtMs = 0;
  /** The calls of the last second, and those of them that were refused, the older ones weighing less. */
  #recent = 0;
  #refused = 0;
  #decreasedAtMs = Number.NEGATIVE_INFINITY;

  constructor(callsPerSecond: number, burstSeconds = BURST_SECONDS) {
    this.#burstSeconds = burstSeconds;
    this.#mostPerMs = callsPerSecond / 1000;
    this.#leastPerMs = Math.min(this.#mostPerMs, LEAST_PER_SECOND / 1000);
    this.#growth = (this.#mostPerMs * INCREASE_PER_SECOND) / 1000;
    this.#perMs = this.#mostPerMs;
    this.#tokens = this.#burst;
  }

  /** How many calls a second may be made now. */
  perSecond(nowMs: number): number {
    this.#fill(nowMs);
    return this.#perMs * 1000;
  }

  /** Takes so many out of the budget, if there is one left: what is missing is paid back before the next. */
  tryTake(nowMs: number, calls = 1): boolean {
    this.#fill(nowMs);
    if (this.#tokens < 1) return false;
    this.#tokens -= calls;
    this.#recent += calls;
    return true;
  }

  /** How long until there are so many calls, in whole milliseconds; 0 only if they are there. */
  waitMs(nowMs: number, calls = 1): number {
    this.#fill(nowMs);
    const missing = calls - this.#tokens;
    return missing <= 0 ? 0 : Math.max(1, Math.ceil(this.#timeFor(missing)));
  }

  /** The backend refused so many, asked at `madeAtMs`, because they are too many. */
  throttled(nowMs: number, madeAtMs: number, calls = 1): void {
    this.#fill(nowMs);
    this.#refused += calls;
    if (madeAtMs < this.#decreasedAtMs || nowMs - this.#decreasedAtMs < DECREASE_INTERVAL_MS) return;
    // What is allowed and not used says nothing about what the backend takes.
    const used = Math.min(this.#perMs, Math.max(this.#recent / 1000, this.#mostPerMs * USED_AT_LEAST));
    const left = 1 - this.#refused / Math.max(1, this.#recent);
    this.#perMs = Math.max(this.#leastPerMs, used * Math.min(LEFT_AT_MOST, Math.max(LEFT_AT_LEAST, left)));
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

  /** How long until the rate is the highest again. */
  get #growingMs(): number {
    return this.#perMs >= this.#mostPerMs ? 0 : (this.#mostPerMs - this.#perMs) / this.#growth;
  }

  /** How long it takes for so many calls to come in. */
  #timeFor(calls: number): number {
    const growingMs = this.#growingMs;
    const grown = growingMs * (this.#perMs + (growingMs * this.#growth) / 2);
    if (calls >= grown) return growingMs + (calls - grown) / this.#mostPerMs;
    return (Math.sqrt(this.#perMs ** 2 + 2 * this.#growth * calls) - this.#perMs) / this.#growth;
  }
}
