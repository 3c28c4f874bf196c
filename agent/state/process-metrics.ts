import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { Clock } from '../decision/clock.ts';
import type { LoadCause } from '../updates/load-cause.ts';
import { observe } from './histogram.ts';
import { LastMinute, type Second, type Totals } from './last-minute.ts';
import { type FaultName, newCounters } from './metric-definitions.ts';

const LAG_RESOLUTION_MS = 20;
const NANOSECONDS = 1e9;

interface Failure {
  readonly lastErrorAtMs: number;
  readonly lastError: string;
}

/** The metrics of a process since its start; a reload does not reset them. */
export class ProcessMetrics {
  readonly counters = newCounters();
  readonly #delay = monitorEventLoopDelay({ resolution: LAG_RESOLUTION_MS });
  #lastMinute: LastMinute | undefined;
  /** The last failed call. */
  lastFailure: Failure | undefined;
  /** Why the last poll for changes failed, and the last load of a mirror; undefined where it succeeded. */
  pollFailure: Failure | undefined;
  loadFailure: Failure | undefined;

  constructor() {
    this.#delay.enable();
  }

  /** From now on `lastMinute` has what was decided in each second. */
  watchSeconds(clock: Clock, decided: () => Omit<Totals, 'decisionTime'>): void {
    const { decisionTime } = this.counters;
    this.#lastMinute = new LastMinute(clock, () => ({ ...decided(), decisionTime }));
  }

  get lastMinute(): readonly Second[] {
    return this.#lastMinute?.state ?? [];
  }

  /** This many frames were answered in the turn of the event loop in which they came. */
  answered(frames: number, tookMs: number): void {
    this.counters.frames += frames;
    observe(this.counters.decisionTime, tookMs / 1000, frames);
  }

  /** A frame was answered after a lookup. */
  answeredLate(tookMs: number, deadlineMs: number): void {
    this.answered(1, tookMs);
    observe(this.counters.deadlineMargin, (deadlineMs - tookMs) / 1000);
  }

  /** `other` is a status that SPOP does not assign. */
  spopError(status: number | 'other'): void {
    const { errors } = this.counters;
    errors[status] = (errors[status] ?? 0) + 1;
  }

  /** A page of updates was applied; its changes waited for at most this long in the log. */
  followed({ isStart, changes }: { isStart: boolean; changes: readonly unknown[] }, waitedMs: number): void {
    this.pollFailure = undefined;
    if (isStart) this.counters.starts++;
    if (isStart || changes.length === 0) return;
    this.counters.changes += changes.length;
    observe(this.counters.delay, waitedMs / 1000);
  }

  pollFailed(error: string, atMs: number): void {
    this.pollFailure = { lastErrorAtMs: atMs, lastError: error };
  }

  mirrorLoaded(cause: LoadCause): void {
    this.loadFailure = undefined;
    this.counters.loads[cause]++;
  }

  mirrorFailed(error: string, atMs: number): void {
    this.loadFailure = { lastErrorAtMs: atMs, lastError: error };
    this.counters.loadFailures++;
  }

  mirrorMismatched(): void {
    this.counters.mismatches++;
  }

  called(subjects: number, tookMs: number): void {
    this.counters.calls++;
    this.counters.subjects += subjects;
    observe(this.counters.backendTime, tookMs / 1000);
  }

  callFailed(fault: FaultName, error: string, atMs: number): void {
    this.counters.failures[fault]++;
    this.lastFailure = { lastErrorAtMs: atMs, lastError: error };
  }

  /** The event loop lag in seconds since the last call. */
  takeLag(): Record<'p50' | 'p99' | 'max', number> {
    const delay = this.#delay;
    const seconds = (nanoseconds: number) => Math.max(0, nanoseconds / NANOSECONDS - LAG_RESOLUTION_MS / 1000);
    const lag =
      delay.count === 0
        ? { p50: 0, p99: 0, max: 0 }
        : {
            p50: seconds(delay.percentile(50)),
            p99: seconds(delay.percentile(99)),
            max: seconds(delay.max),
          };
    delay.reset();
    return lag;
  }

  close(): void {
    this.#delay.disable();
    this.#lastMinute?.close();
  }
}
