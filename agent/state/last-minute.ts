import type { Clock } from '../decision/clock.ts';
import { type HistogramState, quantile } from './histogram.ts';

/** What a process decided in one second. */
export interface Second {
  /** When it began: whole seconds since 1970, in milliseconds. */
  readonly atMs: number;
  readonly decisions: number;
  readonly denied: number;
  readonly byPolicy: number;
  /** The p99 of the decision time, an upper bound as exact as the buckets, at most the last bound; null without decisions. */
  readonly p99Seconds: number | null;
}

/** Counts since the start. */
export interface Totals extends Omit<Second, 'atMs' | 'p99Seconds'> {
  readonly decisionTime: HistogramState;
}

/** How many seconds are kept. */
export const KEPT_SECONDS = 60;
const SECOND_MS = 1000;

/** What a process decided in each of the last seconds; looks once a second, so that decisions cost nothing more. */
export class LastMinute {
  readonly #clock: Clock;
  readonly #totals: () => Totals;
  readonly #seconds: Second[] = [];
  #before: Totals;
  #cancel = () => {};

  constructor(clock: Clock, totals: () => Totals) {
    this.#clock = clock;
    this.#totals = totals;
    this.#before = copied(totals());
    this.#wait();
  }

  /** Oldest first; seconds in which the process did not run are missing. */
  get state(): readonly Second[] {
    return [...this.#seconds];
  }

  close(): void {
    this.#cancel();
  }

  /** Until the next whole second, so that the seconds of several processes are the same. */
  #wait(): void {
    this.#cancel = this.#clock.after(SECOND_MS - (this.#clock.epochMs() % SECOND_MS), () => this.#look());
  }

  #look(): void {
    const now = copied(this.#totals());
    const before = this.#before;
    this.#before = now;
    // A timer can be some milliseconds early or late.
    const atMs = Math.round(this.#clock.epochMs() / SECOND_MS) * SECOND_MS - SECOND_MS;
    const decisions = now.decisions - before.decisions;
    this.#seconds.push({
      atMs,
      decisions,
      denied: now.denied - before.denied,
      byPolicy: now.byPolicy - before.byPolicy,
      p99Seconds: p99Of(now.decisionTime, before.decisionTime),
    });
    if (this.#seconds.length > KEPT_SECONDS) this.#seconds.shift();
    this.#wait();
  }
}

/** Adds up the seconds of several processes, up to the last one that all of them have; the p99 is the greatest. */
export function mergeSeconds(several: readonly (readonly Second[])[]): Second[] {
  const untilMs = Math.min(...several.flatMap((seconds) => seconds.at(-1)?.atMs ?? []));
  const sums = new Map<number, Second>();
  for (const second of several.flat().filter(({ atMs }) => atMs <= untilMs)) {
    const sum = sums.get(second.atMs);
    sums.set(second.atMs, sum === undefined ? second : added(sum, second));
  }
  return [...sums.values()].sort((a, b) => a.atMs - b.atMs).slice(-KEPT_SECONDS);
}

function added(one: Second, other: Second): Second {
  const p99s = [one.p99Seconds, other.p99Seconds].filter((p99) => p99 !== null);
  return {
    atMs: one.atMs,
    decisions: one.decisions + other.decisions,
    denied: one.denied + other.denied,
    byPolicy: one.byPolicy + other.byPolicy,
    p99Seconds: p99s.length === 0 ? null : Math.max(...p99s),
  };
}

function copied({ decisionTime, ...counts }: Totals): Totals {
  return { ...counts, decisionTime: { ...decisionTime, counts: [...decisionTime.counts] } };
}

function p99Of({ bounds, counts, sumSeconds }: HistogramState, before: HistogramState): number | null {
  const grown = counts.map((count, index) => count - (before.counts[index] ?? 0));
  if (grown.every((count) => count === 0)) return null;
  const bound = quantile({ bounds, counts: grown, sumSeconds }, 0.99);
  return Number.isFinite(bound) ? bound : (bounds.at(-1) ?? null);
}
