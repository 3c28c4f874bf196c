import type { VerdictCache } from '../decision/cache.ts';
import type { Clock } from '../decision/clock.ts';
import type { Log } from '../log.ts';

interface Current {
  readonly settings: { readonly cache: { readonly maxEntries: number } };
  readonly cache: Pick<VerdictCache, 'state'>;
}

/** The interval between checks. */
const CHECK_EVERY_MS = 10_000;
/** The shortest time between two warnings. */
const WARN_EVERY_MS = 600_000;

/** Warns if the cache is full, so that it evicts verdicts before they expire. */
export class CacheFullWarning {
  readonly #current: () => Current;
  readonly #clock: Clock;
  readonly #log: Pick<Log, 'warn'>;
  #cancel = () => {};
  #watched: Current['cache'] | undefined;
  /** The evictions of the watched cache at the last warning. */
  #reportedEvicted = 0;
  #warnedAtMs = Number.NEGATIVE_INFINITY;

  constructor(current: () => Current, clock: Clock, log: Pick<Log, 'warn'>) {
    this.#current = current;
    this.#clock = clock;
    this.#log = log;
    this.#wait();
  }

  stop(): void {
    this.#cancel();
  }

  #wait(): void {
    this.#cancel = this.#clock.after(CHECK_EVERY_MS, () => {
      this.#check();
      this.#wait();
    });
  }

  #check(): void {
    const { settings, cache } = this.#current();
    const { entries, evicted } = cache.state;
    // a reload may replace the cache, and a flush resets the count
    if (cache !== this.#watched || evicted < this.#reportedEvicted) this.#reportedEvicted = 0;
    this.#watched = cache;
    const nowMs = this.#clock.nowMs();
    if (evicted === this.#reportedEvicted || nowMs - this.#warnedAtMs < WARN_EVERY_MS) return;
    const fields = { entries, maxEntries: settings.cache.maxEntries, evicted: evicted - this.#reportedEvicted };
    this.#log.warn(fields, 'cache is full: verdicts are evicted before they expire, see cache.maxEntries');
    this.#reportedEvicted = evicted;
    this.#warnedAtMs = nowMs;
  }
}
