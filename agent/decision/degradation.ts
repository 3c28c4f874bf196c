import type { Clock } from './clock.ts';
import type { Decision } from './decision.ts';
import { SlidingCounts, SlidingDurations, WINDOW_MS } from './sliding-window.ts';

/** Why the policy decides where the backend should have. */
export const LOOKUP_REASONS = ['timeout', 'backend_error', 'breaker_open', 'overload', 'internal_error'] as const;
export type LookupReason = (typeof LOOKUP_REASONS)[number];

/** Fewer lookups in the window say nothing about a share. */
const MIN_LOOKUPS = 20;
const LOOK_EVERY_MS = 1000;
const TELL_EVERY_MS = 10_000;
/** It is over when the share stayed below this part of the limit for as long as the window. */
const OVER = 0.5;

/** What happened in the last ten seconds. A lookup is a decision for which the cache alone had no verdict. */
export interface BackendReading {
  readonly lookups: number;
  /** Those of them that the policy decided, by reason. */
  readonly byPolicy: Readonly<Record<LookupReason, number>>;
  /** What the policy did with them. */
  readonly letThrough: number;
  readonly denied: number;
  readonly calls: number;
  readonly failedCalls: number;
  /** What half of the calls took at most; absent without any. */
  readonly p50Ms?: number;
}

export interface DegradationState extends BackendReading {
  readonly isDegraded: boolean;
  /** Since when, in milliseconds since 1970. */
  readonly sinceMs?: number;
}

/** All that is told of one episode. */
export interface Episode extends BackendReading {
  /** The part of the lookups that the policy decided. */
  readonly share: number;
  /** Is the backend not asked at all, or was it not in the last ten seconds? */
  readonly isOutage: boolean;
  readonly lastError?: string;
}

export interface DegradationEvents {
  /** It began, became an outage, or still lasts: every ten seconds. */
  degraded(episode: Episode): void;
  /** It is over; what the policy did meanwhile, as far as it was seen. */
  recovered(whole: { readonly lastedMs: number; readonly letThrough: number; readonly denied: number }): void;
}

/** What is looked at beside the counts: that of the configuration in force. */
export interface Watched {
  /** The share of lookups decided by policy up to which all is well. */
  readonly maxPolicyShare: number;
  isBackendDown(): boolean;
}

const COUNTS = [...LOOKUP_REASONS, 'lookups', 'letThrough', 'denied', 'calls', 'failedCalls'] as const;

interface Since {
  readonly nowMs: number;
  readonly epochMs: number;
  toldAtMs: number;
  isOutage: boolean;
  /** Since when all is well again. */
  wellAtMs: number | undefined;
  letThrough: number;
  denied: number;
}

/**
 * Whether the policy decides for so many of those who are not in the cache that somebody should know. That begins with
 * a share above the limit or with a backend that is not asked any more, and ends when both were well for ten seconds:
 * one episode, however often calls fail and succeed in it. It looks once a second, and not at all as long as all is well.
 */
export class Degradation {
  readonly #clock: Clock;
  readonly #events: DegradationEvents;
  readonly #counts = new SlidingCounts(COUNTS);
  readonly #durations = new SlidingDurations();
  #watched: Watched = { maxPolicyShare: 1, isBackendDown: () => false };
  #since: Since | undefined;
  #wasDownAtMs = Number.NEGATIVE_INFINITY;
  #lastError: string | undefined;
  #cancel: (() => void) | undefined;
  #isClosed = false;

  constructor(clock: Clock, events: DegradationEvents) {
    this.#clock = clock;
    this.#events = events;
  }

  /** Goes on with another configuration. */
  watch(watched: Watched): void {
    this.#watched = watched;
  }

  /** Something was decided for which the cache alone had no verdict. */
  decided({ source, reason, action }: Decision): void {
    const nowMs = this.#clock.nowMs();
    this.#counts.add('lookups', nowMs);
    if (source !== 'policy' || !isLookupReason(reason)) return;
    this.#counts.add(reason, nowMs);
    const did = action === 'allow' ? 'letThrough' : 'denied';
    this.#counts.add(did, nowMs);
    if (this.#since !== undefined) this.#since[did]++;
    this.#lookSoon();
  }

  called(tookMs: number): void {
    const nowMs = this.#clock.nowMs();
    this.#counts.add('calls', nowMs);
    this.#durations.add(tookMs, nowMs);
  }

  callFailed(error: string): void {
    this.#counts.add('failedCalls', this.#clock.nowMs());
    this.#lastError = error;
    this.#lookSoon();
  }

  get state(): DegradationState {
    const reading = this.#reading(this.#clock.nowMs());
    if (this.#since === undefined) return { isDegraded: false, ...reading };
    return { isDegraded: true, sinceMs: this.#since.epochMs, ...reading };
  }

  close(): void {
    this.#isClosed = true;
    this.#cancel?.();
  }

  #lookSoon(): void {
    if (this.#cancel !== undefined || this.#isClosed) return;
    this.#cancel = this.#clock.after(LOOK_EVERY_MS, () => {
      this.#cancel = undefined;
      if (this.#look()) this.#lookSoon();
    });
  }

  /** Returns whether there is any reason to look again. */
  #look(): boolean {
    const nowMs = this.#clock.nowMs();
    const reading = this.#reading(nowMs);
    if (this.#watched.isBackendDown()) this.#wasDownAtMs = nowMs;
    const isOutage = nowMs - this.#wasDownAtMs < WINDOW_MS;
    const { maxPolicyShare } = this.#watched;
    const share = policyShare(reading);
    if (this.#since !== undefined) this.#goOn(this.#since, reading, isOutage, share < maxPolicyShare * OVER, nowMs);
    else if (isOutage || (reading.lookups >= MIN_LOOKUPS && share > maxPolicyShare))
      this.#begin(reading, isOutage, nowMs);
    return this.#since !== undefined || share > 0 || reading.failedCalls > 0;
  }

  #begin(reading: BackendReading, isOutage: boolean, nowMs: number): void {
    const { letThrough, denied } = reading;
    const since = { nowMs, epochMs: this.#clock.epochMs(), toldAtMs: nowMs, isOutage, wellAtMs: undefined };
    this.#since = { ...since, letThrough, denied };
    this.#tell(reading, isOutage);
  }

  #goOn(since: Since, reading: BackendReading, isOutage: boolean, isShareWell: boolean, nowMs: number): void {
    const isWell = !isOutage && isShareWell;
    since.wellAtMs = isWell ? (since.wellAtMs ?? nowMs) : undefined;
    if (since.wellAtMs !== undefined && nowMs - since.wellAtMs >= WINDOW_MS) {
      this.#since = undefined;
      const { letThrough, denied } = since;
      this.#events.recovered({ lastedMs: since.wellAtMs - since.nowMs, letThrough, denied });
      return;
    }
    const isWorse = isOutage && !since.isOutage;
    const isDue = nowMs - since.toldAtMs >= TELL_EVERY_MS;
    // Where nobody asks there is nothing to tell: a backend that is down at night is found out by the next request.
    if (!isWorse && (!isDue || isWell || reading.lookups + reading.calls === 0)) return;
    since.toldAtMs = nowMs;
    since.isOutage ||= isOutage;
    this.#tell(reading, isOutage);
  }

  #tell(reading: BackendReading, isOutage: boolean): void {
    const lastError = reading.failedCalls > 0 ? this.#lastError : undefined;
    this.#events.degraded({
      ...reading,
      share: policyShare(reading),
      isOutage,
      ...(lastError !== undefined && { lastError }),
    });
  }

  #reading(nowMs: number): BackendReading {
    const { lookups, letThrough, denied, calls, failedCalls, ...byPolicy } = this.#counts.sums(nowMs);
    const p50Ms = this.#durations.median(nowMs);
    return { lookups, byPolicy, letThrough, denied, calls, failedCalls, ...(p50Ms !== undefined && { p50Ms }) };
  }
}

/** The part of the lookups that the policy decided; 0 without any. */
export function policyShare({ lookups, letThrough, denied }: BackendReading): number {
  return lookups === 0 ? 0 : (letThrough + denied) / lookups;
}

/** Is this why the policy decided for want of the backend, and for nothing that the client did? */
export function isLookupReason(reason: string | undefined): reason is LookupReason {
  return (LOOKUP_REASONS as readonly (string | undefined)[]).includes(reason);
}
