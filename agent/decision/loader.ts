import type { Entry } from '../../contract/check.ts';
import type { Reason } from '../../contract/policy.ts';
import { isClientChosen, lookupKeysOf } from '../../contract/subject.ts';
import type { Breaker } from './breaker.ts';
import type { VerdictCache } from './cache.ts';
import { CallBudget } from './call-budget.ts';
import { CallQueue } from './call-queue.ts';
import type { Clock } from './clock.ts';
import { LookupError, type SubjectVerdict } from './decision.ts';
import type { LookupSubject } from './lookup-subject.ts';
import { type PendingLookup, PendingLookups, type Settle } from './pending-lookups.ts';

/** The backend's answer about one subject: the entry that won, null for none, or why this subject failed. */
export type Lookup =
  | { readonly entry: Entry | null }
  /** `isOverload` if the backend had too much to do. */
  | { readonly error: string; readonly isOverload?: boolean };

/** What verdicts are asked from. Rejects with `LookupError`, with reason `overload` if it throttles calls. */
export interface Backend {
  /** As many lookups as subjects, in their order; `ttlSeconds` is how long they may be cached at most. */
  check(subjects: readonly string[]): Promise<{ readonly lookups: readonly Lookup[]; readonly ttlSeconds: number }>;
}

export interface LoaderSettings {
  readonly maxConcurrent: number;
  readonly maxCallsPerSecond: number;
  /** How long a decision waits for its lookups. */
  readonly deadlineMs: number;
  readonly batch: { readonly windowMs: number; readonly maxSubjects: number };
  /** Limits for subjects whose text clients choose; absent where no message has any. */
  readonly chosen?: {
    /** Keys of the table: one for each list and text under which an entry could stand. */
    readonly maxKeysPerSecond: number;
    readonly lists: number;
  };
}

/** Counters since the start. */
export interface LoaderTally {
  /** Subjects that the cache did not know. */
  misses: number;
  /** How often a call had to wait for the budget. */
  budgetWaits: number;
  /** Calls that the backend throttled. */
  throttled: number;
  /** Lookups that were not made, by reason. */
  readonly refused: { timeout: number; breaker_open: number; overload: number };
}

export interface LoaderState {
  readonly breaker: Breaker['state'];
  readonly queued: number;
  readonly inFlight: number;
  /** How many calls may be made a second: fewer than configured after the backend throttled some. */
  readonly callsPerSecond: number;
}

/** Subjects that may wait for a call; beyond that the policy decides at once. */
const MAX_QUEUED_SUBJECTS = 10_000;
/** How often a throttled subject is asked for. */
const MAX_ATTEMPTS = 3;

/** The share of all calls for subjects that clients choose, where there are any; all other subjects have the rest. */
const CHOSEN_SHARE = 0.25;
/** The burst of keys after a quiet time, in seconds of their budget. */
const KEYS_BURST_SECONDS = 1;

type Queue = CallQueue<PendingLookup>;

/**
 * Looks up what the cache does not know. Equal subjects share one lookup, and different ones that come within the batch
 * window share one call; every answer goes to the cache, also when no decision waits for it any more. The subjects of some
 * kinds are chosen by clients, so their number has no bound: these have calls and a budget of keys of their own, so that
 * no address waits for them.
 */
export class Loader {
  readonly #backend: Backend;
  readonly #cache: VerdictCache;
  readonly #clock: Clock;
  readonly #settings: LoaderSettings;
  readonly #regularQueue: Queue;
  /** The same queue where no message has subjects that clients choose. */
  readonly #chosenQueue: Queue;
  readonly #keyBudget: CallBudget | undefined;
  readonly #pending = new PendingLookups();
  readonly #tally: LoaderTally;

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
    this.#keyBudget = chosen && new CallBudget(chosen.maxKeysPerSecond, KEYS_BURST_SECONDS);
    const share = chosen === undefined ? 0 : CHOSEN_SHARE;
    const concurrent = Math.floor(share * maxConcurrent);
    this.#regularQueue = new CallQueue(Math.max(1, maxConcurrent - concurrent), (1 - share) * maxCallsPerSecond);
    this.#chosenQueue = chosen ? new CallQueue(Math.max(1, concurrent), share * maxCallsPerSecond) : this.#regularQueue;
  }

  get state(): LoaderState {
    const queues = [...new Set([this.#regularQueue, this.#chosenQueue])];
    const sumOf = (count: (queue: Queue) => number) => queues.reduce((sum, queue) => sum + count(queue), 0);
    const nowMs = this.#clock.nowMs();
    return {
      breaker: queues.map(({ breaker }) => breaker.state).find((state) => state !== 'closed') ?? 'closed',
      queued: sumOf(({ waiting }) => waiting.length),
      inFlight: sumOf(({ inFlight }) => inFlight),
      callsPerSecond: sumOf(({ budget }) => budget.perSecond(nowMs)),
    };
  }

  /** Why a subject has no answer at the deadline: no call was possible, or the call is not answered yet. */
  lateReason(subject: LookupSubject): 'overload' | 'timeout' {
    // Where all calls that may be made at a time are in flight, the backend is slow.
    const isQueued = this.#pending.get(subject.text)?.isInFlight === false;
    return isQueued && !this.#queueOf(subject).isBusy ? 'overload' : 'timeout';
  }

  /** Resolves when no lookup is pending. */
  idle(): Promise<void> {
    return this.#pending.idle();
  }

  /** Looks a subject up and calls `settle` once with its verdict; or returns why it is not looked up. */
  load(subject: LookupSubject, settle: Settle): Reason | undefined {
    this.#tally.misses++;
    const refused = this.#load(subject, settle);
    if (refused !== undefined) this.#tally.refused[refused]++;
    return refused;
  }

  #load(subject: LookupSubject, settle: Settle): keyof LoaderTally['refused'] | undefined {
    const nowMs = this.#clock.nowMs();
    const queue = this.#queueOf(subject);
    const pending = this.#pending.get(subject.text);
    if (pending !== undefined) {
      // A decision has waited a whole deadline for this already: no other need wait as well.
      if (nowMs - pending.sinceMs >= this.#settings.deadlineMs) return this.lateReason(subject);
      if (!pending.isInFlight && this.#isTooLate(queue, nowMs, 1)) return 'overload';
      pending.settles.push(settle);
      return undefined;
    }
    if (queue.breaker.isBlocked(nowMs)) return 'breaker_open';
    if (queue.waiting.length >= MAX_QUEUED_SUBJECTS || !this.#pay(queue, subject, nowMs)) return 'overload';
    const { maxSubjects, windowMs } = this.#settings.batch;
    const callsBefore = Math.floor(queue.waiting.length / maxSubjects);
    const isTooLate = this.#isTooLate(queue, nowMs, callsBefore + 1);
    queue.waiting.push(this.#pending.add(subject, nowMs, isTooLate ? [] : [settle]));
    if (queue.waiting.length >= maxSubjects) this.#send(queue);
    else this.#sendIn(queue, windowMs);
    return isTooLate ? 'overload' : undefined; // the cache gets the answer all the same
  }

  /** Looks a subject up for the cache alone. */
  refresh(subject: LookupSubject): void {
    if (this.#pending.get(subject.text) === undefined) this.load(subject, () => {});
  }

  /** Entries of such subjects changed: lookups in flight are answered, and not kept. */
  outdate(isChanged: (subject: LookupSubject) => boolean): void {
    this.#pending.outdate(isChanged);
  }

  #queueOf(subject: LookupSubject): Queue {
    return subject.address === undefined && isClientChosen(subject.text) ? this.#chosenQueue : this.#regularQueue;
  }

  /** Takes the keys of a subject that clients choose out of their budget; false if nothing is left of it. */
  #pay(queue: Queue, subject: LookupSubject, nowMs: number): boolean {
    const { chosen } = this.#settings;
    if (this.#keyBudget === undefined || chosen === undefined || queue === this.#regularQueue) return true;
    return this.#keyBudget.tryTake(nowMs, lookupKeysOf(subject.text).length * chosen.lists);
  }

  /** Sends calls until the queue is empty or a limit is reached; what frees that limit calls this again. */
  #send(queue: Queue): void {
    const nowMs = this.#clock.nowMs();
    while (queue.waiting.length > 0 && !queue.isBusy) {
      if (queue.breaker.isBlocked(nowMs)) {
        this.#refuseAll(queue);
        return;
      }
      if (!queue.budget.tryTake(nowMs)) {
        this.#tally.budgetWaits++;
        this.#sendIn(queue, queue.budget.waitMs(nowMs));
        return;
      }
      queue.breaker.callStarted();
      const lookups = queue.waiting.splice(0, this.#settings.batch.maxSubjects);
      for (const lookup of lookups) {
        lookup.isInFlight = true;
        lookup.attempts++;
      }
      queue.run(() => this.#call(queue, lookups)).then(() => this.#send(queue));
    }
  }

  /** Is it certain that this many calls take longer than any decision waits? */
  #isTooLate({ budget }: Queue, nowMs: number, calls: number): boolean {
    return budget.waitMs(nowMs, calls) > this.#settings.deadlineMs;
  }

  #sendIn(queue: Queue, delayMs: number): void {
    if (queue.isTimerSet) return;
    queue.isTimerSet = true;
    this.#clock.after(delayMs, () => {
      queue.isTimerSet = false;
      this.#send(queue);
    });
  }

  #refuseAll(queue: Queue): void {
    const refused = queue.waiting;
    queue.waiting = [];
    for (const lookup of refused) this.#pending.settle(lookup, this.#cache.stale(lookup.subject) ?? 'breaker_open');
  }

  async #call(queue: Queue, lookups: readonly PendingLookup[]): Promise<void> {
    const madeAtMs = this.#clock.nowMs();
    try {
      const answer = await this.#backend.check(lookups.map(({ subject }) => subject.text));
      queue.breaker.succeeded();
      const throttled = lookups.filter((_, index) => isOverload(answer.lookups[index]));
      if (throttled.length > 0) this.#retry(queue, throttled, madeAtMs);
      lookups.forEach((lookup, index) => {
        const found = answer.lookups[index];
        if (!isOverload(found)) this.#pending.settle(lookup, this.#verdictOf(lookup, found, answer.ttlSeconds));
      });
    } catch (error) {
      const reason = error instanceof LookupError ? error.reason : 'internal_error';
      if (reason === 'overload') {
        this.#tally.throttled++;
        queue.breaker.throttled();
        queue.budget.throttled(this.#clock.nowMs(), madeAtMs);
        this.#retry(queue, lookups, madeAtMs);
        return;
      }
      queue.breaker.failed(this.#clock.nowMs());
      for (const lookup of lookups) this.#pending.settle(lookup, this.#failureOf(lookup, reason));
    }
  }

  /**
   * Lowers the budget of keys, and puts throttled lookups at the head of the queue again if an answer can still be in time.
   * Those of subjects that clients choose are not retried.
   */
  #retry(queue: Queue, throttled: readonly PendingLookup[], madeAtMs: number): void {
    const nowMs = this.#clock.nowMs();
    this.#keyBudget?.throttled(nowMs, madeAtMs, this.#settings.chosen?.maxKeysPerSecond);
    const isRetried = this.#keyBudget === undefined || queue === this.#regularQueue;
    const retried = throttled.filter(
      ({ sinceMs, attempts }) => isRetried && nowMs - sinceMs < this.#settings.deadlineMs && attempts < MAX_ATTEMPTS,
    );
    for (const lookup of throttled) {
      if (retried.includes(lookup)) lookup.isInFlight = false;
      else this.#pending.settle(lookup, this.#failureOf(lookup, 'overload'));
    }
    queue.waiting.unshift(...retried);
  }

  #verdictOf(lookup: PendingLookup, found: Lookup | undefined, ttlSeconds: number): SubjectVerdict {
    if (found === undefined || 'error' in found) return this.#failureOf(lookup, 'backend_error');
    if (lookup.isOutdated) return this.#cache.verdictOf(found.entry);
    return this.#cache.keepVerdict(lookup.subject, found.entry, ttlSeconds);
  }

  #failureOf({ subject, isOutdated }: PendingLookup, reason: Reason): SubjectVerdict {
    return isOutdated ? (this.#cache.stale(subject) ?? reason) : this.#cache.keepFailure(subject, reason);
  }
}

function isOverload(lookup: Lookup | undefined): boolean {
  return lookup !== undefined && 'error' in lookup && lookup.isOverload === true;
}
