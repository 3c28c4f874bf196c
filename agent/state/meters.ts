import { monitorEventLoopDelay } from 'node:perf_hooks';
import { BACKEND_BOUNDS, DECISION_BOUNDS, Histogram, MARGIN_BOUNDS } from './histogram.ts';
import type { BackendState, EventLoopLag, FaultName, SpopState } from './state.ts';

const LAG_RESOLUTION_MS = 20;
const NANOSECONDS = 1e9;

/** What is counted beside decisions, for as long as the process lives: a reload begins nothing anew. */
export class Meters {
  readonly decisionTime = new Histogram(DECISION_BOUNDS);
  readonly deadlineMargin = new Histogram(MARGIN_BOUNDS);
  readonly backendTime = new Histogram(BACKEND_BOUNDS);
  readonly spop = { accepted: 0, frames: 0, healthChecks: 0 };
  readonly backend = { calls: 0, subjects: 0, notCounted: 0 };
  readonly loader = { misses: 0, budgetWaits: 0, throttled: 0, refused: { timeout: 0, breaker_open: 0, overload: 0 } };
  readonly #failures: Record<FaultName, number> = { unreachable: 0, failing: 0, refused: 0, ours: 0 };
  readonly #errors = new Map<string, number>();
  readonly #delay = monitorEventLoopDelay({ resolution: LAG_RESOLUTION_MS });
  #lastError: { lastErrorAtMs: number; lastError: string } | undefined;

  constructor() {
    this.#delay.enable();
  }

  /** So many frames were answered in the turn in which they came. */
  answered(frames: number, tookMs: number): void {
    this.spop.frames += frames;
    this.decisionTime.add(tookMs / 1000, frames);
  }

  /** One frame was answered that had to wait. */
  answeredLate(tookMs: number, deadlineMs: number): void {
    this.answered(1, tookMs);
    this.deadlineMargin.add((deadlineMs - tookMs) / 1000);
  }

  /** `other` is for what SPOP does not assign. */
  spopError(status: number | 'other'): void {
    const key = String(status);
    this.#errors.set(key, (this.#errors.get(key) ?? 0) + 1);
  }

  called(subjects: number, tookMs: number): void {
    this.backend.calls++;
    this.backend.subjects += subjects;
    this.backendTime.add(tookMs / 1000);
  }

  callFailed(fault: FaultName, error: string, atMs: number): void {
    this.#failures[fault]++;
    this.#lastError = { lastErrorAtMs: atMs, lastError: error };
  }

  get spopErrors(): SpopState['errors'] {
    return Object.fromEntries(this.#errors);
  }

  get backendCalls(): Pick<
    BackendState,
    'calls' | 'subjects' | 'notCounted' | 'failures' | 'lastErrorAtMs' | 'lastError'
  > {
    return { ...this.backend, failures: { ...this.#failures }, ...this.#lastError };
  }

  /** How late the event loop was since this was asked last. */
  takeLag(): EventLoopLag {
    const seconds = (nanoseconds: number) =>
      Number.isFinite(nanoseconds) ? Math.max(0, nanoseconds / NANOSECONDS - LAG_RESOLUTION_MS / 1000) : 0;
    const isEmpty = this.#delay.count === 0;
    const lag = { p50: seconds(this.#delay.percentile(50)), p99: seconds(this.#delay.percentile(99)) };
    const max = isEmpty ? 0 : seconds(this.#delay.max);
    this.#delay.reset();
    return isEmpty ? { p50: 0, p99: 0, max: 0 } : { ...lag, max };
  }

  close(): void {
    this.#delay.disable();
  }
}
