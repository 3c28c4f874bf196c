import type { Policy, Reason } from '../../contract/policy.ts';
import type { Address } from './address.ts';
import type { VerdictCache } from './cache.ts';
import type { Clock } from './clock.ts';
import { combine } from './combine.ts';
import { DeadlineQueue } from './deadline-queue.ts';
import { type Decision, isAllowEntry, type SubjectVerdict, withoutAllow } from './decision.ts';
import { isLookupReason } from './degradation-detector.ts';
import type { Loader } from './loader.ts';
import { LookupSubject } from './lookup-subject.ts';
import { decideByPolicy } from './policy.ts';

/** What one message asks. `decide` reads it before it returns, so the caller may reuse the object. */
export interface Question {
  readonly policy: Policy;
  /** The `ip` subject, if there is one. */
  readonly address: Address;
  /** The other subjects in canonical text, in the order of the kinds in the configuration. */
  readonly texts: readonly string[];
  /** How many of the texts come before the address in that order. */
  readonly addressAt: number;
  /** Index of the text that is a path which servers may read as another: an allow does not count for it; -1 for none. */
  readonly oddAt: number;
  /** Why another subject of the message cannot be asked about. */
  readonly problem: Reason | undefined;
}

/** Receives every decision that needed more than fresh verdicts of the cache. */
export interface LookupEvents {
  decided(decision: Decision): void;
}

const NO_EVENTS: LookupEvents = { decided() {} };

/** Decides questions: at once when the cache knows everything, otherwise before the deadline. */
export class Engine {
  readonly #cache: VerdictCache;
  readonly #loader: Loader;
  readonly #deadlines: DeadlineQueue;
  readonly #deadlineMs: number;
  readonly #events: LookupEvents;

  constructor(
    parts: { cache: VerdictCache; loader: Loader; clock: Clock; lookups?: LookupEvents },
    deadlineMs: number,
  ) {
    this.#events = parts.lookups ?? NO_EVENTS;
    this.#cache = parts.cache;
    this.#loader = parts.loader;
    this.#deadlines = new DeadlineQueue(parts.clock);
    this.#deadlineMs = deadlineMs;
  }

  /** Returns a promise only if the backend must be asked. The promise never rejects. */
  decide(question: Question, receivedAtMs: number): Decision | Promise<Decision> {
    const { address, texts, addressAt, oddAt, problem, policy } = question;
    const isAddressOnly = texts.length === 0 && problem === undefined && address.words !== 0;
    if (isAddressOnly) return this.decideAddress(address, this.cached(address, receivedAtMs), policy, receivedAtMs);
    const pending = new PendingDecision(policy);
    if (problem !== undefined) pending.addVerdict(problem);
    texts.forEach((text, index) => {
      if (index === addressAt) this.#addAddress(pending, address, receivedAtMs);
      this.#addText(pending, text, index === oddAt, receivedAtMs);
    });
    if (addressAt >= texts.length) this.#addAddress(pending, address, receivedAtMs);
    if (pending.isDecided) return pending.isLookup ? this.#reportLookup(pending.decide()) : pending.decide();
    return this.#lookUp(pending, receivedAtMs);
  }

  /** The fresh verdict of an address, if the cache has one; refreshes it if that is due. */
  cached(address: Address, nowMs: number): SubjectVerdict | undefined {
    const hit = this.#cache.lookupAddress(address, nowMs);
    if (hit === undefined) return undefined;
    if (hit.isRefreshDue) this.#loader.refresh(LookupSubject.ofAddress(address));
    return hit.verdict;
  }

  /** Decides about an address alone, of which the cache has this verdict. */
  decideAddress(
    address: Address,
    cached: SubjectVerdict | undefined,
    policy: Policy,
    receivedAtMs: number,
  ): Decision | Promise<Decision> {
    if (typeof cached === 'object') return cached;
    if (cached !== undefined) return this.#reportLookup(decideByPolicy(policy, cached));
    const pending = new PendingDecision(policy);
    pending.addMissing(LookupSubject.ofAddress(address));
    return this.#lookUp(pending, receivedAtMs);
  }

  /** Decides from the cache alone, stale verdicts included, without a lookup; an unknown subject is `overload`. */
  decideKnown({ address, texts, addressAt, problem, policy }: Question): Decision {
    const verdicts: SubjectVerdict[] = problem === undefined ? [] : [problem];
    const add = (subject: LookupSubject) => verdicts.push(this.#cache.known(subject) ?? 'overload');
    const addAddress = () => address.words !== 0 && add(LookupSubject.ofAddress(address));
    texts.forEach((text, index) => {
      if (index === addressAt) addAddress();
      add(LookupSubject.ofText(text));
    });
    if (addressAt >= texts.length) addAddress();
    const decision = combine(verdicts, policy);
    return verdicts.some(isFailedLookup) ? this.#reportLookup(decision) : decision;
  }

  #addAddress(pending: PendingDecision, address: Address, nowMs: number): void {
    if (address.words === 0) return;
    const verdict = this.cached(address, nowMs);
    if (verdict === undefined) pending.addMissing(LookupSubject.ofAddress(address));
    else pending.addVerdict(verdict);
  }

  #addText(pending: PendingDecision, text: string, isOdd: boolean, nowMs: number): void {
    const hit = this.#cache.lookup(text, nowMs);
    if (hit?.isRefreshDue) this.#loader.refresh(LookupSubject.ofText(text));
    if (hit === undefined) pending.addMissing(LookupSubject.ofText(text), isOdd);
    else pending.addVerdict(isOdd ? withoutAllow(hit.verdict) : hit.verdict);
  }

  /** Asks the backend for what is missing. */
  #lookUp(pending: PendingDecision, receivedAtMs: number): Decision | Promise<Decision> {
    for (const missing of pending.missing) {
      const refused = this.#loader.load(missing.subject, (verdict) => pending.fill(missing, verdict));
      if (refused !== undefined) pending.fill(missing, this.#cache.stale(missing.subject) ?? refused);
    }
    return pending.isDecided ? this.#reportLookup(pending.decide()) : this.#decideLater(pending, receivedAtMs);
  }

  #decideLater(pending: PendingDecision, receivedAtMs: number): Promise<Decision> {
    return new Promise((resolve) => {
      const cancel = this.#deadlines.add(receivedAtMs + this.#deadlineMs, () => {
        for (const missing of pending.missing) {
          const { subject } = missing;
          if (!missing.isFilled) pending.fill(missing, this.#cache.stale(subject) ?? this.#loader.lateReason(subject));
        }
      });
      pending.onDecided = () => {
        cancel();
        resolve(this.#reportLookup(pending.decide()));
      };
    });
  }

  #reportLookup(decision: Decision): Decision {
    this.#events.decided(decision);
    return decision;
  }
}

interface MissingVerdict {
  readonly subject: LookupSubject;
  readonly index: number;
  readonly isOdd: boolean;
  isFilled: boolean;
}

/** A question whose subjects are looked up: the verdicts so far, and those that are missing. */
class PendingDecision {
  readonly missing: MissingVerdict[] = [];
  onDecided = () => {};
  readonly #policy: Policy;
  readonly #verdicts: (SubjectVerdict | undefined)[] = [];
  #missingCount = 0;

  constructor(policy: Policy) {
    this.#policy = policy;
  }

  addVerdict(verdict: SubjectVerdict): void {
    this.#verdicts.push(verdict);
  }

  addMissing(subject: LookupSubject, isOdd = false): void {
    this.missing.push({ subject, index: this.#verdicts.length, isOdd, isFilled: false });
    this.#verdicts.push(undefined);
    this.#missingCount++;
  }

  fill(missing: MissingVerdict, verdict: SubjectVerdict): void {
    if (missing.isFilled) return;
    missing.isFilled = true;
    this.#verdicts[missing.index] = missing.isOdd ? withoutAllow(verdict) : verdict;
    this.#missingCount--;
    if (this.isDecided) this.onDecided();
  }

  /** An allow entry decides at once; any other verdict waits for those that are missing. */
  get isDecided(): boolean {
    return this.#missingCount === 0 || this.#verdicts.some(isAllowEntry);
  }

  /** Did it need a lookup, now or one that failed shortly before? */
  get isLookup(): boolean {
    return this.missing.length > 0 || this.#verdicts.some(isFailedLookup);
  }

  decide(): Decision {
    return combine(
      this.#verdicts.filter((verdict) => verdict !== undefined),
      this.#policy,
    );
  }
}

function isFailedLookup(verdict: SubjectVerdict | undefined): boolean {
  return typeof verdict === 'string' && isLookupReason(verdict);
}
