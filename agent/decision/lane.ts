import pLimit from 'p-limit';
import { Breaker } from './breaker.ts';
import { CallBudget } from './call-budget.ts';

/** Where subjects wait for calls of their own: behind none that wait elsewhere, and whatever becomes of their calls. */
export class Lane {
  readonly budget: CallBudget;
  readonly breaker = new Breaker();
  /** Subjects that wait for a call. */
  queue: string[] = [];
  /** Whether a time is set at which calls are made of them. */
  isTimed = false;
  readonly #limit: ReturnType<typeof pLimit>;
  readonly #maxConcurrent: number;

  constructor(maxConcurrent: number, maxCallsPerSecond: number) {
    this.#maxConcurrent = maxConcurrent;
    this.#limit = pLimit(maxConcurrent);
    this.budget = new CallBudget(maxCallsPerSecond);
  }

  get inFlight(): number {
    return this.#limit.activeCount;
  }

  /** Are all calls under way that there may be at a time? */
  get isBusy(): boolean {
    return this.#limit.activeCount + this.#limit.pendingCount >= this.#maxConcurrent;
  }

  run(call: () => Promise<void>): Promise<void> {
    return this.#limit(call);
  }
}
