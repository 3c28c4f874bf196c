import type { Policy, Reason } from '../../contract/policy.ts';
import type { Address } from './address.ts';
import type { VerdictCache } from './cache.ts';
import type { Clock } from './clock.ts';
import { combine } from './combine.ts';
import { DeadlineQueue } from './deadline.ts';
import { type Contribution, type Decision, isAllowEntry, withoutAllow } from './decision.ts';
import { isLookupReason } from './degradation.ts';
import type { Loader } from './loader.ts';
import { decideByPolicy } from './policy.ts';

/** What one message asks. It is read before `decide` returns, so that whoever asks may use the object again. */
export interface Question {
  readonly policy: Policy;
  /** The `ip` subject, if there is one. */
  readonly address: Address;
  /** The other subjects in canonical text, in the order of the kinds in the configuration. */
  readonly texts: readonly string[];
  /** How many of the texts come before the address in that order. */
  readonly addressAt: number;
  /** Which of the texts is a path that servers may read as another: an allow does not count for it; -1 for none. */
  readonly oddAt: number;
  /** Why something else that the message should have said cannot be asked. */
  readonly problem: Reason | undefined;
}

/** Whoever is told of the decisions for which the cache alone had no verdict. */
export interface LookupEvents {
  decided(decision: Decision): void;
}

const UNHEARD: LookupEvents = { decided() {} };

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
    this.#events = parts.lookups ?? UNHEARD;
    this.#cache = parts.cache;
    this.#loader = parts.loader;
    this.#deadlines = new DeadlineQueue(parts.clock);
    this.#deadlineMs = deadlineMs;
  }

  /** A value when it is at hand, a promise only when the backend must be asked. The promise never rejects. */
  decide(question: Question, receivedAtMs: number): Decision | Promise<Decision> {
    const { address, texts, problem } = question;
    if (texts.length === 0 && problem === undefined && address.words !== 0) {
      const known = this.#recallAddress(address, receivedAtMs);
      if (known !== undefined)
        return typeof known === 'string' ? this.#lookedUp(decideByPolicy(question.policy, known)) : known;
    }
    return this.#decideAll(question, receivedAtMs);
  }

  /** The decision about nothing but this address, if the cache has it and it is not to be asked anew. */
  recall(address: Address, nowMs: number): Decision | undefined {
    return this.#cache.decisionAbout(address, nowMs);
  }

  /** Decides from what the cache has, past its lifetime too, and never asks: what it does not have is `overload`. */
  decideKnown({ address, texts, addressAt, problem, policy }: Question, receivedAtMs: number): Decision {
    const contributions: Contribution[] = problem === undefined ? [] : [problem];
    const ofAddress = () => {
      if (address.words === 0) return;
      contributions.push(this.recall(address, receivedAtMs) ?? this.#cache.knownOf(`ip:${address}`) ?? 'overload');
    };
    texts.forEach((text, index) => {
      if (index === addressAt) ofAddress();
      contributions.push(this.#cache.knownOf(text) ?? 'overload');
    });
    if (addressAt >= texts.length) ofAddress();
    const decision = combine(contributions, policy);
    return contributions.some(isFailedLookup) ? this.#lookedUp(decision) : decision;
  }

  #decideAll(question: Question, receivedAtMs: number): Decision | Promise<Decision> {
    const { address, texts, addressAt, oddAt, problem, policy } = question;
    const asked = new Asked(policy);
    if (problem !== undefined) asked.known(problem);
    texts.forEach((text, index) => {
      if (index === addressAt) this.#askAddress(asked, address, receivedAtMs);
      asked.about(text, this.#recall(text, receivedAtMs), index === oddAt);
    });
    if (addressAt >= texts.length) this.#askAddress(asked, address, receivedAtMs);
    if (asked.isDecided) return asked.isLookup ? this.#lookedUp(asked.decide()) : asked.decide();
    for (const gap of asked.gaps) {
      const refused = this.#loader.load(gap.subject, (contribution) => asked.fill(gap, contribution));
      if (refused !== undefined) asked.fill(gap, this.#cache.staleOf(gap.subject) ?? refused);
    }
    return asked.isDecided ? this.#lookedUp(asked.decide()) : this.#decideLater(asked, receivedAtMs);
  }

  #lookedUp(decision: Decision): Decision {
    this.#events.decided(decision);
    return decision;
  }

  #decideLater(asked: Asked, receivedAtMs: number): Promise<Decision> {
    return new Promise((resolve) => {
      const cancel = this.#deadlines.add(receivedAtMs + this.#deadlineMs, () => {
        for (const gap of asked.gaps)
          if (!gap.filled) asked.fill(gap, this.#cache.staleOf(gap.subject) ?? this.#loader.lateReason(gap.subject));
      });
      asked.onDecided = () => {
        cancel();
        resolve(this.#lookedUp(asked.decide()));
      };
    });
  }

  #askAddress(asked: Asked, address: Address, nowMs: number): void {
    if (address.words === 0) return;
    asked.about(`ip:${address}`, this.#recallAddress(address, nowMs));
  }

  #recallAddress(address: Address, nowMs: number): Contribution | undefined {
    const known = this.#cache.recallAddress(address, nowMs);
    if (known !== undefined && this.#cache.refreshDue) this.#loader.refresh(`ip:${address}`);
    return known;
  }

  #recall(subject: string, nowMs: number): Contribution | undefined {
    const known = this.#cache.recall(subject, nowMs);
    if (known !== undefined && this.#cache.refreshDue) this.#loader.refresh(subject);
    return known;
  }
}

interface Gap {
  readonly subject: string;
  readonly index: number;
  readonly isOdd: boolean;
  filled: boolean;
}

/** A question on its way to a decision: what is known already, and what is missing. */
class Asked {
  readonly gaps: Gap[] = [];
  onDecided = () => {};
  readonly #policy: Policy;
  readonly #contributions: (Contribution | undefined)[] = [];
  #open = 0;

  constructor(policy: Policy) {
    this.#policy = policy;
  }

  known(contribution: Contribution): void {
    this.#contributions.push(contribution);
  }

  about(subject: string, contribution: Contribution | undefined, isOdd = false): void {
    this.#contributions.push(isOdd ? contribution && withoutAllow(contribution) : contribution);
    if (contribution !== undefined) return;
    this.gaps.push({ subject, index: this.#contributions.length - 1, isOdd, filled: false });
    this.#open++;
  }

  fill(gap: Gap, contribution: Contribution): void {
    if (gap.filled) return;
    gap.filled = true;
    this.#contributions[gap.index] = gap.isOdd ? withoutAllow(contribution) : contribution;
    this.#open--;
    if (this.isDecided) this.onDecided();
  }

  /** Nothing can change an allow entry; everything else has to wait for what is missing. */
  get isDecided(): boolean {
    return this.#open === 0 || this.#contributions.some(isAllowEntry);
  }

  /** Is something missing, or remembered not to be had? */
  get isLookup(): boolean {
    return this.gaps.length > 0 || this.#contributions.some(isFailedLookup);
  }

  decide(): Decision {
    return combine(
      this.#contributions.filter((contribution) => contribution !== undefined),
      this.#policy,
    );
  }
}

function isFailedLookup(contribution: Contribution | undefined): boolean {
  return typeof contribution === 'string' && isLookupReason(contribution);
}
