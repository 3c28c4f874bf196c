import type { VerdictCache } from '../decision/cache.ts';
import type { Clock } from '../decision/clock.ts';
import type { Log } from '../log.ts';

interface Current {
  readonly settings: { readonly cache: { readonly maxEntries: number } };
  readonly cache: Pick<VerdictCache, 'state'>;
}

/** How soon a full cache is told. */
const LOOK_EVERY_MS = 10_000;
/** How often it is told again while it stays full. */
const TELL_EVERY_MS = 600_000;

/** Tells a cache that forgets subjects before their time because it has no room for more. */
export class CacheFullWarning {
  readonly #current: () => Current;
  readonly #clock: Clock;
  readonly #log: Pick<Log, 'warn'>;
  #cancel = () => {};
  #watched: Current['cache'] | undefined;
  /** Of the watched cache, when it was told last. */
  #toldEvicted = 0;
  #toldAtMs = Number.NEGATIVE_INFINITY;

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
    this.#cancel = this.#clock.after(LOOK_EVERY_MS, () => {
      this.#look();
      this.#wait();
    });
  }

  #look(): void {
    const { settings, cache } = this.#current();
    const { entries, evicted } = cache.state;
    // a reload may bring another one, and a flush begins to count anew
    if (cache !== this.#watched || evicted < this.#toldEvicted) this.#toldEvicted = 0;
    this.#watched = cache;
    const nowMs = this.#clock.nowMs();
    if (evicted === this.#toldEvicted || nowMs - this.#toldAtMs < TELL_EVERY_MS) return;
    const fields = { entries, maxEntries: settings.cache.maxEntries, evicted: evicted - this.#toldEvicted };
    this.#log.warn(fields, 'cache is full: verdicts are evicted before they expire, see cache.maxEntries');
    this.#toldEvicted = evicted;
    this.#toldAtMs = nowMs;
  }
}
