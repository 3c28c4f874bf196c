import type { LogAnswer, LogPlace } from '../backend/backend.ts';
import { Backoff } from '../decision/backoff.ts';
import type { Clock } from '../decision/clock.ts';
import type { Moment } from './freshness.ts';
import { OFF, type PageStep, pageStep } from './updates-step.ts';

/** What is polled now; another object after a reload. */
export interface PollSource {
  readonly lists: readonly string[];
  readonly pollMs: number;
  updates(place: LogPlace | undefined): Promise<LogAnswer>;
}

export interface PollEvents {
  /** A page was applied. */
  followed(step: PageStep, waitedMs: number): void;
  /** So many polls in a row failed. */
  failed(error: Error, times: number): void;
  /** The backend has no log of changes. */
  none(url: string): void;
  /** The place is not in the log any more, or the log is that of another backend. */
  lost(url: string): void;
  /** The log has more than a page holds. */
  lagging(): void;
}

/** Agents that start at the same time poll at different times. */
const SPREAD_MS = 1_000;
/** What a backend may ask for as a wait between two polls. */
const WAIT_MS = { least: 200, most: 15_000 } as const;
/** Where there is more at once: a backend that always says so cannot keep this host busy. */
const MORE_MS = 10;
/** Between polls that fail. */
const BACKOFF_MS = { first: 500, most: 5_000 } as const;
/** How often a backend without updates is asked again. */
const NONE_MS = 300_000;

/** The process's place in the log, and for which lists it is. */
interface Place extends LogPlace {
  readonly lists: string;
}

/**
 * Asks the backend for changes, one poll at a time, outside the budget of calls and the breaker: a poll that fails says
 * nothing of lookups, and lookups keep no poll waiting.
 */
export class Poller {
  readonly #source: () => PollSource | undefined;
  readonly #apply: (step: PageStep) => Promise<void>;
  readonly #events: PollEvents;
  readonly #clock: Clock;
  readonly #now: () => Moment;
  readonly #random: () => number;
  readonly #backoff = new Backoff(BACKOFF_MS.first, BACKOFF_MS.most);
  /** Before the log is followed from its end on again: each time every cached verdict ends. */
  readonly #lostBackoff = new Backoff(BACKOFF_MS.first, BACKOFF_MS.most);
  #place: Place | undefined;
  #failures = 0;
  /** When the last poll was sent that a page answered. */
  #askedMs = 0;
  #isPolling = false;
  #isClosed = false;
  #cancel = () => {};

  constructor(
    source: () => PollSource | undefined,
    apply: (step: PageStep) => Promise<void>,
    events: PollEvents,
    clock: Clock,
    now: () => Moment,
    random: () => number = Math.random,
  ) {
    this.#source = source;
    this.#apply = apply;
    this.#events = events;
    this.#clock = clock;
    this.#now = now;
    this.#random = random;
    this.#pollIn(this.#random() * SPREAD_MS);
  }

  /** The source may be another one now. */
  reloaded(): void {
    this.#pollIn(this.#random() * SPREAD_MS);
  }

  /** Goes on from this place in the log, whatever is answered meanwhile. */
  moveTo(place: LogPlace, lists: readonly string[]): void {
    this.#place = { ...place, lists: lists.join(',') };
  }

  close(): void {
    this.#isClosed = true;
    this.#cancel();
  }

  #pollIn(delayMs: number): void {
    this.#cancel();
    if (!this.#isClosed) this.#cancel = this.#clock.after(delayMs, () => void this.#poll());
  }

  async #poll(): Promise<void> {
    if (this.#isPolling) return; // it goes on by itself
    this.#isPolling = true;
    const delayMs = await this.#pollOnce();
    this.#isPolling = false;
    if (delayMs !== undefined) this.#pollIn(delayMs);
    else if (this.#source() !== undefined) this.#pollIn(0); // a reload came between
  }

  /** Returns how long to wait for the next poll; undefined if nothing is polled. */
  async #pollOnce(): Promise<number | undefined> {
    const source = this.#source();
    if (source === undefined) {
      if (this.#place !== undefined) await this.#apply(OFF);
      this.#place = undefined;
      return undefined;
    }
    const askedAt = this.#now();
    const askedMs = this.#clock.nowMs();
    const lists = source.lists.join(',');
    const before = this.#place;
    try {
      const answered = await source.updates(before?.lists === lists ? before : undefined);
      // a reload came between, or a mirror was loaded
      if (this.#isClosed || this.#source() !== source || this.#place !== before) return 0;
      return await this.#take(answered, { source, askedAt, askedMs, lists });
    } catch (error) {
      if (this.#isClosed || this.#source() !== source) return 0;
      this.#failures++;
      this.#events.failed(error instanceof Error ? error : new Error(String(error)), this.#failures);
      return this.#backoff.take() * (0.5 + this.#random() / 2);
    }
  }

  async #take({ url, isEnd, answer }: LogAnswer, asked: Asked): Promise<number> {
    const { source, askedAt, askedMs, lists } = asked;
    if (answer === 'none') {
      this.#place = undefined;
      this.#events.none(url);
      await this.#apply(OFF);
      return NONE_MS * (0.5 + this.#random() / 2);
    }
    if (answer === 'gone') {
      if (isEnd) throw new Error(`${url} says 410 to a request without a cursor`);
      this.#place = undefined;
      this.#events.lost(url);
      return this.#lostBackoff.take() * this.#random();
    }
    const { cursor, more, waitMs } = answer;
    const before = this.#place;
    if (isEnd && before !== undefined) this.#events.lost(url);
    const step = pageStep(answer, { askedAt, gotAt: this.#now(), after: isEnd ? undefined : before?.cursor });
    const isMoved = cursor !== before?.cursor;
    await this.#apply(step);
    if (this.#place !== before) return 0; // a mirror was loaded meanwhile
    this.#place = { url, cursor, lists };
    this.#events.followed(step, this.#clock.nowMs() - this.#askedMs);
    this.#askedMs = askedMs;
    this.#failures = 0;
    this.#backoff.reset();
    if (!isEnd) this.#lostBackoff.reset();
    if (more && isMoved) {
      this.#events.lagging();
      return MORE_MS;
    }
    const wantedMs = Math.max(source.pollMs, Math.min(waitMs, WAIT_MS.most));
    return Math.max(WAIT_MS.least, wantedMs - (this.#clock.nowMs() - askedMs));
  }
}

interface Asked {
  readonly source: PollSource;
  readonly askedAt: Moment;
  readonly askedMs: number;
  readonly lists: string;
}
