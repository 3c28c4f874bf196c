/** After a quiet time this much of a second's calls may be made at once. */
const BURST_SECONDS = 0.1;

/** A token bucket: so many calls a second, whatever happens. */
export class CallBudget {
  readonly #perMs: number;
  readonly #burst: number;
  #tokens: number;
  #filledAtMs = 0;

  constructor(callsPerSecond: number) {
    this.#perMs = callsPerSecond / 1000;
    this.#burst = Math.max(1, callsPerSecond * BURST_SECONDS);
    this.#tokens = this.#burst;
  }

  /** Takes one call out of the budget; false if there is none left. */
  take(nowMs: number): boolean {
    this.#fill(nowMs);
    if (this.#tokens < 1) return false;
    this.#tokens--;
    return true;
  }

  /** How long until there is one call again, in whole milliseconds: a fraction may round to no time at all. */
  waitMs(nowMs: number): number {
    this.#fill(nowMs);
    return this.#tokens >= 1 ? 0 : Math.ceil((1 - this.#tokens) / this.#perMs);
  }

  #fill(nowMs: number): void {
    const elapsedMs = Math.max(0, nowMs - this.#filledAtMs);
    this.#tokens = Math.min(this.#burst, this.#tokens + elapsedMs * this.#perMs);
    this.#filledAtMs = nowMs;
  }
}
