import type { Policy, Reason } from '../../contract/policy.ts';
import { Deadlines } from '../../spop/deadlines.ts';
import type { Address } from './address.ts';
import type { VerdictCache } from './cache.ts';
import type { Clock } from './clock.ts';
import { combine } from './combine.ts';
import { type Decision, isAllowEntry, isKnownDeny, type SubjectVerdict, withoutAllow } from './decision.ts';
import { isLookupReason } from './degradation-detector.ts';
import type { Loader } from './loader.ts';
import { LookupSubject } from './lookup-subject.ts';
import { type MirrorAnswers, NO_MIRROR } from './mirror-answers.ts';
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

/** Decides questions: at once when mirror or cache know everything, otherwise before the deadline. */
export class Engine {
  readonly #cache: VerdictCache;
  readonly #loader: Loader;
  readonly #mirror: MirrorAnswers;
  readonly #clock: Clock;
  readonly #deadlines: Deadlines;
  readonly #deadlineMs: number;
  readonly #events: LookupEvents;

  constructor(
    parts: { cache: VerdictCache; loader: Loader; clock: Clock; mirror?: MirrorAnswers; lookups?: LookupEvents },
    deadlineMs: number,
  ) {
    this.#events = parts.lookups ?? NO_EVENTS;
    this.#cache = parts.cache;
    this.#loader = parts.loader;
    this.#mirror = parts.mirror ?? NO_MIRROR;
    this.#clock = parts.clock;
    this.#deadlines = new Deadlines(parts.clock);
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

  /** What the mirror says of an address, else its fresh verdict in the cache; refreshes that if it is due. */
  cached(address: Address, nowMs: number): SubjectVerdict | undefined {
    const live = this.#mirror.liveAddress(address, nowMs);
    if (live !== undefined) return live;
    const hit = this.#cache.lookupAddress(address, nowMs);
    if (hit === undefined) return undefined;
    const { verdict } = hit;
    if (hit.isRefreshDue) this.#loader.refresh(LookupSubject.ofAddress(address));
    return isAnswer(verdict) ? verdict : this.#withMirror(LookupSubject.ofAddress(address), verdict);
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
    const add = (subject: LookupSubject) => verdicts.push(this.#known(subject));
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
    const verdict = this.#mirror.live(text, nowMs) ?? this.#cachedText(text, nowMs);
    if (verdict === undefined) pending.addMissing(LookupSubject.ofText(text), isOdd);
    else pending.addVerdict(isOdd ? withoutAllow(verdict) : verdict);
  }

  #cachedText(text: string, nowMs: number): SubjectVerdict | undefined {
    const hit = this.#cache.lookup(text, nowMs);
    if (hit?.isRefreshDue) this.#loader.refresh(LookupSubject.ofText(text));
    return hit && this.#withMirror(LookupSubject.ofText(text), hit.verdict);
  }

  /** What is known without a lookup. */
  #known(subject: LookupSubject): SubjectVerdict {
    const { address, text } = subject;
    const nowMs = this.#clock.nowMs();
    const live = address ? this.#mirror.liveAddress(address, nowMs) : this.#mirror.live(text, nowMs);
    return live ?? this.#withMirror(subject, this.#cache.known(subject) ?? 'overload');
  }

  /** What the mirror says as a stale answer, where the backend said nothing. A deny that it said earlier stands. */
  #withMirror(subject: LookupSubject, verdict: SubjectVerdict): SubjectVerdict {
    return isAnswer(verdict) || isKnownDeny(verdict) ? verdict : (this.#mirror.stale(subject) ?? verdict);
  }

  /** Asks the backend for what is missing. */
  #lookUp(pending: PendingDecision, receivedAtMs: number): Decision | Promise<Decision> {
    for (const missing of pending.missing) {
      const { subject } = missing;
      const fill = (verdict: SubjectVerdict) => pending.fill(missing, this.#withMirror(subject, verdict));
      const refused = this.#loader.load(subject, fill);
      if (refused !== undefined) fill(this.#cache.stale(subject) ?? refused);
    }
    return pending.isDecided ? this.#reportLookup(pending.decide()) : this.#decideLater(pending, receivedAtMs);
  }

  #decideLater(pending: PendingDecision, receivedAtMs: number): Promise<Decision> {
    return new Promise((resolve) => {
      const due = { dueAtMs: receivedAtMs + this.#deadlineMs, late: () => this.#fillLate(pending) };
      this.#deadlines.add(due);
      pending.onDecided = () => {
        this.#deadlines.delete(due);
        resolve(this.#reportLookup(pending.decide()));
      };
    });
  }

  #fillLate(pending: PendingDecision): void {
    for (const missing of pending.missing) {
      const { subject } = missing;
      if (missing.isFilled) continue;
      const verdict = this.#cache.stale(subject) ?? this.#loader.lateReason(subject);
      pending.fill(missing, this.#withMirror(subject, verdict));
    }
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

/** Did the backend, or a mirror, answer this lately? */
function isAnswer(verdict: SubjectVerdict): boolean {
  return typeof verdict === 'object' && verdict.source !== 'stale';
}

function isFailedLookup(verdict: SubjectVerdict | undefined): boolean {
  return typeof verdict === 'string' && isLookupReason(verdict);
}
