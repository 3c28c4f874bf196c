import type { Clock } from './clock.ts';
import type { Decision } from './decision.ts';
import { SlidingCounts, SlidingDurations, WINDOW_MS } from './sliding-window.ts';

/** Why the policy decides because of the backend. */
export const LOOKUP_REASONS = ['timeout', 'backend_error', 'breaker_open', 'overload', 'internal_error'] as const;
export type LookupReason = (typeof LOOKUP_REASONS)[number];

/** The share is not judged with fewer lookups in the window. */
export const MIN_LOOKUPS = 20;
const CHECK_INTERVAL_MS = 1000;
const REPORT_INTERVAL_MS = 10_000;
/** An episode ends when the share was below this part of the limit for the length of the window. */
const RECOVERY_FACTOR = 0.5;

/** Counts of the last ten seconds. A lookup is a decision that needed more than fresh verdicts of the cache. */
export interface BackendReading {
  readonly lookups: number;
  /** Lookups that the policy decided, by reason. */
  readonly byPolicy: Readonly<Record<LookupReason, number>>;
  /** What the policy decided about them. */
  readonly letThrough: number;
  readonly denied: number;
  readonly calls: number;
  readonly failedCalls: number;
  /** The median duration of the calls; absent without any. */
  readonly p50Ms?: number;
}

export interface DegradationState extends BackendReading {
  readonly isDegraded: boolean;
  /** The start of the episode, in milliseconds since 1970. */
  readonly sinceMs?: number;
  /** The end of the last episode; absent before and in the first one. */
  readonly recoveredAtMs?: number;
}

/** A report about a running episode. */
export interface Episode extends BackendReading {
  /** The share of lookups that the policy decided. */
  readonly share: number;
  /** Is the backend down, or was it in the last ten seconds? */
  readonly isOutage: boolean;
  readonly lastError?: string;
}

export interface DegradationEvents {
  /** An episode began, became an outage, or continues: every ten seconds. */
  degraded(episode: Episode): void;
  /** The episode is over; the counts are approximate. */
  recovered(whole: { readonly lastedMs: number; readonly letThrough: number; readonly denied: number }): void;
}

/** What the current configuration contributes. */
export interface DegradationInputs {
  /** The highest share of lookups decided by policy that is not degraded. */
  readonly maxPolicyShare: number;
  isBackendDown(): boolean;
}

const COUNTS = [...LOOKUP_REASONS, 'lookups', 'letThrough', 'denied', 'calls', 'failedCalls'] as const;

interface OngoingEpisode {
  readonly nowMs: number;
  readonly epochMs: number;
  reportedAtMs: number;
  isOutage: boolean;
  /** Since when the backend is healthy again. */
  healthySinceMs: number | undefined;
  letThrough: number;
  denied: number;
}

/**
 * Detects that the policy decides too many lookups. An episode begins with a share above the limit or a backend that is
 * down, and ends when both were healthy for ten seconds, however often calls fail and succeed in between. It is checked
 * once a second, and not at all while everything is healthy.
 */
export class DegradationDetector {
  readonly #clock: Clock;
  readonly #events: DegradationEvents;
  readonly #counts = new SlidingCounts(COUNTS);
  readonly #durations = new SlidingDurations();
  #inputs: DegradationInputs = { maxPolicyShare: 1, isBackendDown: () => false };
  #episode: OngoingEpisode | undefined;
  #recoveredAtMs: number | undefined;
  #lastDownAtMs = Number.NEGATIVE_INFINITY;
  #lastError: string | undefined;
  #cancel: (() => void) | undefined;
  #isClosed = false;

  constructor(clock: Clock, events: DegradationEvents) {
    this.#clock = clock;
    this.#events = events;
  }

  /** Sets the inputs of the current configuration. */
  watch(inputs: DegradationInputs): void {
    this.#inputs = inputs;
  }

  /** A decision needed more than fresh verdicts of the cache. */
  decided({ source, reason, action }: Decision): void {
    const nowMs = this.#clock.nowMs();
    this.#counts.add('lookups', nowMs);
    if (source !== 'policy' || !isLookupReason(reason)) return;
    this.#counts.add(reason, nowMs);
    const outcome = action === 'allow' ? 'letThrough' : 'denied';
    this.#counts.add(outcome, nowMs);
    if (this.#episode !== undefined) this.#episode[outcome]++;
    this.#scheduleCheck();
  }

  called(tookMs: number): void {
    const nowMs = this.#clock.nowMs();
    this.#counts.add('calls', nowMs);
    this.#durations.add(tookMs, nowMs);
  }

  callFailed(error: string): void {
    this.#counts.add('failedCalls', this.#clock.nowMs());
    this.#lastError = error;
    this.#scheduleCheck();
  }

  get state(): DegradationState {
    const reading = this.#reading(this.#clock.nowMs());
    const recovered = this.#recoveredAtMs === undefined ? {} : { recoveredAtMs: this.#recoveredAtMs };
    if (this.#episode === undefined) return { isDegraded: false, ...recovered, ...reading };
    return { isDegraded: true, sinceMs: this.#episode.epochMs, ...recovered, ...reading };
  }

  close(): void {
    this.#isClosed = true;
    this.#cancel?.();
  }

  #scheduleCheck(): void {
    if (this.#cancel !== undefined || this.#isClosed) return;
    this.#cancel = this.#clock.after(CHECK_INTERVAL_MS, () => {
      this.#cancel = undefined;
      if (this.#check()) this.#scheduleCheck();
    });
  }

  /** Returns whether to check again. */
  #check(): boolean {
    const nowMs = this.#clock.nowMs();
    const reading = this.#reading(nowMs);
    if (this.#inputs.isBackendDown()) this.#lastDownAtMs = nowMs;
    const isOutage = nowMs - this.#lastDownAtMs < WINDOW_MS;
    const { maxPolicyShare } = this.#inputs;
    const share = policyShare(reading);
    if (this.#episode !== undefined)
      this.#continue(this.#episode, reading, isOutage, share < maxPolicyShare * RECOVERY_FACTOR, nowMs);
    else if (isOutage || (reading.lookups >= MIN_LOOKUPS && share > maxPolicyShare))
      this.#begin(reading, isOutage, nowMs);
    return this.#episode !== undefined || share > 0 || reading.failedCalls > 0;
  }

  #begin(reading: BackendReading, isOutage: boolean, nowMs: number): void {
    const { letThrough, denied } = reading;
    const episode = { nowMs, epochMs: this.#clock.epochMs(), reportedAtMs: nowMs, isOutage, healthySinceMs: undefined };
    this.#episode = { ...episode, letThrough, denied };
    this.#report(reading, isOutage);
  }

  #continue(
    episode: OngoingEpisode,
    reading: BackendReading,
    isOutage: boolean,
    isShareHealthy: boolean,
    nowMs: number,
  ): void {
    const isHealthy = !isOutage && isShareHealthy;
    episode.healthySinceMs = isHealthy ? (episode.healthySinceMs ?? nowMs) : undefined;
    if (episode.healthySinceMs !== undefined && nowMs - episode.healthySinceMs >= WINDOW_MS) {
      this.#episode = undefined;
      this.#recoveredAtMs = this.#clock.epochMs() - (nowMs - episode.healthySinceMs);
      const { letThrough, denied } = episode;
      this.#events.recovered({ lastedMs: episode.healthySinceMs - episode.nowMs, letThrough, denied });
      return;
    }
    const isWorse = isOutage && !episode.isOutage;
    const isDue = nowMs - episode.reportedAtMs >= REPORT_INTERVAL_MS;
    // Without lookups there is nothing to report: the next request shows whether the backend is still down.
    if (!isWorse && (!isDue || isHealthy || reading.lookups + reading.calls === 0)) return;
    episode.reportedAtMs = nowMs;
    episode.isOutage ||= isOutage;
    this.#report(reading, isOutage);
  }

  #report(reading: BackendReading, isOutage: boolean): void {
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

/** The share of lookups that the policy decided; 0 without any. */
export function policyShare({ lookups, letThrough, denied }: BackendReading): number {
  return lookups === 0 ? 0 : (letThrough + denied) / lookups;
}

/** Did the policy decide because of the backend, and not because of the client? */
export function isLookupReason(reason: string | undefined): reason is LookupReason {
  return (LOOKUP_REASONS as readonly (string | undefined)[]).includes(reason);
}
