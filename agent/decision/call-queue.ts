import pLimit from 'p-limit';
import { Breaker } from './breaker.ts';
import { CallBudget } from './call-budget.ts';

/** Lookups that wait for a call, with limits independent of other queues. */
export class CallQueue<Lookup> {
  readonly budget: CallBudget;
  readonly breaker = new Breaker();
  waiting: Lookup[] = [];
  /** Is a timer set that sends calls? */
  isTimerSet = false;
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

  /** Are as many calls in flight as may be? */
  get isBusy(): boolean {
    return this.#limit.activeCount + this.#limit.pendingCount >= this.#maxConcurrent;
  }

  run(call: () => Promise<void>): Promise<void> {
    return this.#limit(call);
  }
}
