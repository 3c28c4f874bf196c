import type { Entry } from '../../contract/check.ts';
import type { Reason } from '../../contract/policy.ts';
import { isChosen, widthOf } from '../../contract/subject.ts';
import type { Breaker } from './breaker.ts';
import type { VerdictCache } from './cache.ts';
import { CallBudget } from './call-budget.ts';
import type { Clock } from './clock.ts';
import { type Contribution, LookupError } from './decision.ts';
import { Lane } from './lane.ts';

/** What the backend says of one subject: the entry that won, null for none, or why this one failed by itself. */
export type Lookup =
  | { readonly entry: Entry | null }
  /** `isOverload` where it was too much for now. */
  | { readonly error: string; readonly isOverload?: boolean };

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
  /** What may be asked about subjects that clients choose; absent where no message has any. */
  readonly chosen?: {
    /** Keys of the table: one for each list and text under which an entry could stand. */
    readonly maxKeysPerSecond: number;
    readonly lists: number;
  };
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

/** How often a subject is asked for that is refused as too much. */
const MAX_ATTEMPTS = 3;

/** The part of all calls that is for subjects that clients choose, where there are any; the others have the rest. */
const CHOSEN_SHARE = 0.25;
/** After a quiet time so many seconds' keys may be asked for at once. */
const KEYS_BURST_SECONDS = 1;

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
 * window share one call; every answer goes to the cache, also when nobody waits for it any more. Of some kinds clients
 * choose how many new subjects there are: these have calls of their own, and a budget of what they cost, so that no
 * address waits for them or goes without its keys.
 */
export class Loader {
  readonly #backend: Backend;
  readonly #cache: VerdictCache;
  readonly #clock: Clock;
  readonly #settings: LoaderSettings;
  readonly #usual: Lane;
  /** The same where no message has subjects that clients choose. */
  readonly #chosen: Lane;
  readonly #keys: CallBudget | undefined;
  /** Every subject that is queued or asked, and who waits for it. */
  readonly #waiting = new Map<string, UnderWay>();
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
    const { maxConcurrent, maxCallsPerSecond, chosen } = settings;
    this.#keys = chosen && new CallBudget(chosen.maxKeysPerSecond, KEYS_BURST_SECONDS);
    const share = chosen === undefined ? 0 : CHOSEN_SHARE;
    const concurrent = Math.floor(share * maxConcurrent);
    this.#usual = new Lane(Math.max(1, maxConcurrent - concurrent), (1 - share) * maxCallsPerSecond);
    this.#chosen = chosen ? new Lane(Math.max(1, concurrent), share * maxCallsPerSecond) : this.#usual;
  }

  get state(): LoaderState {
    const lanes = [...new Set([this.#usual, this.#chosen])];
    const sumOf = (count: (lane: Lane) => number) => lanes.reduce((sum, lane) => sum + count(lane), 0);
    const nowMs = this.#clock.nowMs();
    return {
      breaker: lanes.map(({ breaker }) => breaker.state).find((state) => state !== 'closed') ?? 'closed',
      queued: sumOf(({ queue }) => queue.length),
      inFlight: sumOf(({ inFlight }) => inFlight),
      callsPerSecond: sumOf(({ budget }) => budget.perSecond(nowMs)),
    };
  }

  /** Why there is no answer by the deadline: there was no call to be had for this subject, or that is not answered. */
  lateReason(subject: string): 'overload' | 'timeout' {
    // Where all calls that there may be at a time are under way, the backend is slow.
    return this.#waiting.get(subject)?.isAsked === false && !this.#laneOf(subject).isBusy ? 'overload' : 'timeout';
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
    const lane = this.#laneOf(subject);
    const underWay = this.#waiting.get(subject);
    if (underWay !== undefined) {
      // Somebody has waited a whole deadline for this already: whoever comes now need not wait as well.
      if (nowMs - underWay.sinceMs >= this.#settings.deadlineMs) return this.lateReason(subject);
      if (!underWay.isAsked && this.#isTooLate(lane, nowMs, 1)) return 'overload';
      underWay.settles.push(settle);
      return undefined;
    }
    if (lane.breaker.refuses(nowMs)) return 'breaker_open';
    if (lane.queue.length >= MAX_QUEUED_SUBJECTS || !this.#pay(lane, subject, nowMs)) return 'overload';
    const callsBefore = Math.floor(lane.queue.length / this.#settings.batch.maxSubjects);
    const isTooLate = this.#isTooLate(lane, nowMs, callsBefore + 1);
    this.#waiting.set(subject, { sinceMs: nowMs, settles: isTooLate ? [] : [settle], isAsked: false, attempts: 0 });
    lane.queue.push(subject);
    if (lane.queue.length >= this.#settings.batch.maxSubjects) this.#send(lane);
    else this.#sendIn(lane, this.#settings.batch.windowMs);
    return isTooLate ? 'overload' : undefined; // the cache gets the answer all the same
  }

  /** Looks a subject up for the cache alone. */
  refresh(subject: string): void {
    if (!this.#waiting.has(subject)) this.load(subject, () => {});
  }

  #laneOf(subject: string): Lane {
    return this.#chosen !== this.#usual && isChosen(subject) ? this.#chosen : this.#usual;
  }

  /** Takes what a subject costs out of its budget; false if nothing is left of that. */
  #pay(lane: Lane, subject: string, nowMs: number): boolean {
    const { chosen } = this.#settings;
    if (this.#keys === undefined || chosen === undefined || lane === this.#usual) return true;
    return this.#keys.take(nowMs, widthOf(subject) * chosen.lists);
  }

  /** Sends calls until the queue is empty or a bound is met; whoever frees that bound comes back here. */
  #send(lane: Lane): void {
    const nowMs = this.#clock.nowMs();
    while (lane.queue.length > 0 && !lane.isBusy) {
      if (lane.breaker.refuses(nowMs)) {
        this.#refuseQueue(lane);
        return;
      }
      if (!lane.budget.take(nowMs)) {
        this.#tally.budgetWaits++;
        this.#sendIn(lane, lane.budget.waitMs(nowMs));
        return;
      }
      lane.breaker.allows(nowMs);
      const subjects = lane.queue.splice(0, this.#settings.batch.maxSubjects);
      for (const subject of subjects) this.#note(subject, true);
      lane.run(() => this.#call(lane, subjects)).then(() => this.#send(lane));
    }
  }

  /** Is it certain that so many calls from now on take longer than anybody waits? */
  #isTooLate({ budget }: Lane, nowMs: number, calls: number): boolean {
    return budget.waitMs(nowMs, calls) > this.#settings.deadlineMs;
  }

  #note(subject: string, isAsked: boolean): void {
    const underWay = this.#waiting.get(subject);
    if (underWay === undefined) return;
    underWay.isAsked = isAsked;
    if (isAsked) underWay.attempts++;
  }

  #sendIn(lane: Lane, delayMs: number): void {
    if (lane.isTimed) return;
    lane.isTimed = true;
    this.#clock.after(delayMs, () => {
      lane.isTimed = false;
      this.#send(lane);
    });
  }

  #refuseQueue(lane: Lane): void {
    const refused = lane.queue;
    lane.queue = [];
    for (const subject of refused) this.#settle(subject, this.#cache.staleOf(subject) ?? 'breaker_open');
  }

  async #call(lane: Lane, subjects: readonly string[]): Promise<void> {
    const madeAtMs = this.#clock.nowMs();
    try {
      const { lookups, ttlSeconds } = await this.#backend.check(subjects);
      lane.breaker.succeeded();
      const tooMuch = subjects.filter((_, index) => isOverload(lookups[index]));
      if (tooMuch.length > 0) this.#askAgain(lane, tooMuch, madeAtMs);
      subjects.forEach((subject, index) => {
        const lookup = lookups[index];
        if (!isOverload(lookup)) this.#settle(subject, this.#learn(subject, lookup, ttlSeconds));
      });
    } catch (error) {
      const reason = error instanceof LookupError ? error.reason : 'internal_error';
      if (reason === 'overload') {
        this.#tally.throttled++;
        lane.breaker.throttled();
        lane.budget.throttled(this.#clock.nowMs(), madeAtMs);
        this.#askAgain(lane, subjects, madeAtMs);
        return;
      }
      lane.breaker.failed(this.#clock.nowMs());
      for (const subject of subjects) this.#settle(subject, this.#cache.keepFailure(subject, reason));
    }
  }

  /**
   * These were too much: less of what clients choose is asked about from now on. Whom an answer can still reach in time is
   * asked for again, before all others, but for what clients choose.
   */
  #askAgain(lane: Lane, subjects: readonly string[], madeAtMs: number): void {
    const nowMs = this.#clock.nowMs();
    this.#keys?.throttled(nowMs, madeAtMs, this.#settings.chosen?.maxKeysPerSecond);
    const again = subjects.filter((subject) => {
      const { sinceMs, attempts } = this.#waiting.get(subject) ?? { sinceMs: 0, attempts: 0 };
      const isInTime = nowMs - sinceMs < this.#settings.deadlineMs && attempts < MAX_ATTEMPTS;
      const isWorthIt = isInTime && (this.#keys === undefined || lane === this.#usual);
      if (isWorthIt) this.#note(subject, false);
      else this.#settle(subject, this.#cache.keepFailure(subject, 'overload'));
      return isWorthIt;
    });
    lane.queue.unshift(...again);
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

function isOverload(lookup: Lookup | undefined): boolean {
  return lookup !== undefined && 'error' in lookup && lookup.isOverload === true;
}
