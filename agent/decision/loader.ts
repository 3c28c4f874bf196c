import pLimit from 'p-limit';
import type { Entry } from '../../contract/check.ts';
import { Breaker } from './breaker.ts';
import type { VerdictCache } from './cache.ts';
import { CallBudget } from './call-budget.ts';
import type { Clock } from './clock.ts';
import { type Contribution, LookupError, type Reason } from './decision.ts';

/** What the backend says of one subject: the entry that won, null for none, or why this one failed by itself. */
export type Lookup = { readonly entry: Entry | null } | { readonly error: string };

/** Whoever can be asked for verdicts. Rejects with `LookupError`: with reason `overload` if calls are too many for it. */
export interface Backend {
  /** As many lookups as subjects, in their order; `ttlSeconds` is how long they may be kept at most. */
  check(subjects: readonly string[]): Promise<{ readonly lookups: readonly Lookup[]; readonly ttlSeconds: number }>;
}

export interface LoaderSettings {
  readonly maxConcurrent: number;
  readonly maxCallsPerSecond: number;
  /** How long anybody waits for a lookup. */
  readonly deadlineMs: number;
  readonly batch: { readonly windowMs: number; readonly maxSubjects: number };
}

/** What is counted of lookups, since it was made. */
export interface LoaderTally {
  /** Subjects that the cache did not know. */
  misses: number;
  /** How often a call had to wait for the budget. */
  budgetWaits: number;
  /** Calls that the backend refused because they were too many. */
  throttled: number;
  /** Lookups that were not made, by why. */
  readonly refused: { timeout: number; breaker_open: number; overload: number };
}

export interface LoaderState {
  readonly breaker: Breaker['state'];
  readonly queued: number;
  readonly inFlight: number;
  /** How many calls may be made a second: less than the settings say after the backend refused some as too many. */
  readonly callsPerSecond: number;
}

/** Subjects that may wait for a call; past it the policy answers at once. */
const MAX_QUEUED_SUBJECTS = 10_000;

/** How often a subject is asked for whose calls are refused as too many. */
const MAX_ATTEMPTS = 3;

type Settle = (contribution: Contribution) => void;

interface UnderWay {
  readonly sinceMs: number;
  readonly settles: Settle[];
  /** Is it part of a call, and not in the queue? */
  isAsked: boolean;
  /** Calls that it was part of. */
  attempts: number;
}

/**
 * Looks up what the cache does not know. Equal subjects share one lookup, and different ones that come within the
 * window share one call; every answer goes to the cache, also when nobody waits for it any more.
 */
export class Loader {
  readonly #backend: Backend;
  readonly #cache: VerdictCache;
  readonly #clock: Clock;
  readonly #settings: LoaderSettings;
  readonly #limit: ReturnType<typeof pLimit>;
  readonly #budget: CallBudget;
  readonly #breaker = new Breaker();
  /** Every subject that is queued or asked, and who waits for it. */
  readonly #waiting = new Map<string, UnderWay>();
  #queue: string[] = [];
  #timerRuns = false;
  readonly #tally: LoaderTally;
  #becameIdle = () => {};

  constructor(
    backend: Backend,
    cache: VerdictCache,
    clock: Clock,
    settings: LoaderSettings,
    tally: LoaderTally = {
      misses: 0,
      budgetWaits: 0,
      throttled: 0,
      refused: { timeout: 0, breaker_open: 0, overload: 0 },
    },
  ) {
    this.#backend = backend;
    this.#cache = cache;
    this.#clock = clock;
    this.#settings = settings;
    this.#tally = tally;
    this.#limit = pLimit(settings.maxConcurrent);
    this.#budget = new CallBudget(settings.maxCallsPerSecond);
  }

  get state(): LoaderState {
    return {
      breaker: this.#breaker.state,
      queued: this.#queue.length,
      inFlight: this.#limit.activeCount,
      callsPerSecond: this.#budget.perSecond(this.#clock.nowMs()),
    };
  }

  /** Why there is no answer by the deadline: there was no call to be had for this subject, or that is not answered. */
  lateReason(subject: string): 'overload' | 'timeout' {
    // Where all calls that there may be at a time are under way, the backend is slow.
    return this.#waiting.get(subject)?.isAsked === false && !this.#isBusy ? 'overload' : 'timeout';
  }

  /** Resolves when nothing is asked any more. */
  idle(): Promise<void> {
    return this.#waiting.size === 0 ? Promise.resolve() : new Promise((resolve) => (this.#becameIdle = resolve));
  }

  /** Looks a subject up and settles once with what it contributes; or says at once why it will not. */
  load(subject: string, settle: Settle): Reason | undefined {
    this.#tally.misses++;
    const refused = this.#load(subject, settle);
    if (refused !== undefined) this.#tally.refused[refused]++;
    return refused;
  }

  #load(subject: string, settle: Settle): keyof LoaderTally['refused'] | undefined {
    const nowMs = this.#clock.nowMs();
    const underWay = this.#waiting.get(subject);
    if (underWay !== undefined) {
      // Somebody has waited a whole deadline for this already: whoever comes now need not wait as well.
      if (nowMs - underWay.sinceMs >= this.#settings.deadlineMs) return this.lateReason(subject);
      if (!underWay.isAsked && this.#isTooLate(nowMs, 1)) return 'overload';
      underWay.settles.push(settle);
      return undefined;
    }
    if (this.#breaker.refuses(nowMs)) return 'breaker_open';
    if (this.#queue.length >= MAX_QUEUED_SUBJECTS) return 'overload';
    const callsBefore = Math.floor(this.#queue.length / this.#settings.batch.maxSubjects);
    const isTooLate = this.#isTooLate(nowMs, callsBefore + 1);
    this.#waiting.set(subject, { sinceMs: nowMs, settles: isTooLate ? [] : [settle], isAsked: false, attempts: 0 });
    this.#queue.push(subject);
    if (this.#queue.length >= this.#settings.batch.maxSubjects) this.#send();
    else this.#sendIn(this.#settings.batch.windowMs);
    return isTooLate ? 'overload' : undefined; // the cache gets the answer all the same
  }

  /** Looks a subject up for the cache alone. */
  refresh(subject: string): void {
    if (!this.#waiting.has(subject)) this.load(subject, () => {});
  }

  /** Sends calls until the queue is empty or a bound is met; whoever frees that bound comes back here. */
  #send(): void {
    const nowMs = this.#clock.nowMs();
    while (this.#queue.length > 0 && !this.#isBusy) {
      if (this.#breaker.refuses(nowMs)) {
        this.#refuseQueue();
        return;
      }
      if (!this.#budget.take(nowMs)) {
        this.#tally.budgetWaits++;
        this.#sendIn(this.#budget.waitMs(nowMs));
        return;
      }
      this.#breaker.allows(nowMs);
      const subjects = this.#queue.splice(0, this.#settings.batch.maxSubjects);
      for (const subject of subjects) this.#note(subject, true);
      this.#limit(() => this.#call(subjects)).then(() => this.#send());
    }
  }

  /** Is it certain that so many calls from now on take longer than anybody waits? */
  #isTooLate(nowMs: number, calls: number): boolean {
    return this.#budget.waitMs(nowMs, calls) > this.#settings.deadlineMs;
  }

  /** Are all calls under way that there may be at a time? */
  get #isBusy(): boolean {
    return this.#limit.activeCount + this.#limit.pendingCount >= this.#settings.maxConcurrent;
  }

  #note(subject: string, isAsked: boolean): void {
    const underWay = this.#waiting.get(subject);
    if (underWay === undefined) return;
    underWay.isAsked = isAsked;
    if (isAsked) underWay.attempts++;
  }

  #sendIn(delayMs: number): void {
    if (this.#timerRuns) return;
    this.#timerRuns = true;
    this.#clock.after(delayMs, () => {
      this.#timerRuns = false;
      this.#send();
    });
  }

  #refuseQueue(): void {
    const refused = this.#queue;
    this.#queue = [];
    for (const subject of refused) this.#settle(subject, this.#cache.staleOf(subject) ?? 'breaker_open');
  }

  async #call(subjects: readonly string[]): Promise<void> {
    const madeAtMs = this.#clock.nowMs();
    try {
      const { lookups, ttlSeconds } = await this.#backend.check(subjects);
      this.#breaker.succeeded();
      subjects.forEach((subject, index) => {
        this.#settle(subject, this.#learn(subject, lookups[index], ttlSeconds));
      });
    } catch (error) {
      const reason = error instanceof LookupError ? error.reason : 'internal_error';
      if (reason === 'overload') {
        this.#onThrottled(subjects, madeAtMs);
        return;
      }
      this.#breaker.failed(this.#clock.nowMs());
      for (const subject of subjects) this.#settle(subject, this.#cache.keepFailure(subject, reason));
    }
  }

  /** Calls less often from now on. Whom an answer can still reach in time is asked for again, before all others. */
  #onThrottled(subjects: readonly string[], madeAtMs: number): void {
    const nowMs = this.#clock.nowMs();
    this.#tally.throttled++;
    this.#breaker.throttled();
    this.#budget.throttled(nowMs, madeAtMs);
    const again = subjects.filter((subject) => {
      const { sinceMs, attempts } = this.#waiting.get(subject) ?? { sinceMs: 0, attempts: 0 };
      const isWorthIt = nowMs - sinceMs < this.#settings.deadlineMs && attempts < MAX_ATTEMPTS;
      if (isWorthIt) this.#note(subject, false);
      else this.#settle(subject, this.#cache.keepFailure(subject, 'overload'));
      return isWorthIt;
    });
    this.#queue.unshift(...again);
  }

  #learn(subject: string, lookup: Lookup | undefined, ttlSeconds: number): Contribution {
    if (lookup === undefined || 'error' in lookup) return this.#cache.keepFailure(subject, 'backend_error');
    return this.#cache.keepVerdict(subject, lookup.entry, ttlSeconds);
  }

  #settle(subject: string, contribution: Contribution): void {
    const underWay = this.#waiting.get(subject);
    this.#waiting.delete(subject);
    for (const settle of underWay?.settles ?? []) settle(contribution);
    if (this.#waiting.size === 0) this.#becameIdle();
  }
}
