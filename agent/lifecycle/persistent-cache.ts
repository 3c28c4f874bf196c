import type { Settings } from '../../config/settings.ts';
import { isPermitted } from '../../contract/permitted-actions.ts';
import { VerdictCache } from '../decision/cache.ts';
import type { CacheBlock } from '../decision/cache-snapshot-block.ts';
import type { Clock } from '../decision/clock.ts';
import type { Log } from '../log.ts';
import { CacheFileError, cacheKey, readCacheFile, writeCacheFile } from './cache-file.ts';

/** The interval between saves, which is what a crash may lose. A file of a million addresses is 16 MB: 0.3 MB/s. */
const SAVE_EVERY_MS = 60_000;

/** A key for everything that verdicts depend on: the backends and the lists. */
export function verdictsKey({ lists, shadowLists, listActions, ipv6Prefix, backend }: Settings): string {
  return cacheKey([lists, shadowLists, listActions, ipv6Prefix, backend.targets.map(({ url }) => url)]);
}

/** The cache restored from the file, or an empty one. A file that cannot be used is logged and not changed. */
export function openCache(settings: Settings, clock: Clock, log: Pick<Log, 'info' | 'warn'>): VerdictCache {
  const { file, fileMaxAgeSeconds } = settings.cache;
  if (file === undefined) return emptyCache(settings, clock);
  try {
    const kept = { key: verdictsKey(settings), nowMs: clock.epochMs(), maxAgeSeconds: fileMaxAgeSeconds };
    const found = readCacheFile(file, kept);
    const cache = emptyCache(settings, clock);
    if (found === undefined) return cache;
    const entries = cache.restore(askedIn(found.blocks, settings), found.elapsedTicks);
    log.info({ file, entries, ageSeconds: Math.round(found.ageMs / 1000) }, 'cache restored from file');
    return cache;
  } catch (error) {
    if (!(error instanceof CacheFileError)) throw error;
    log.warn({ file, problem: error.message }, 'cache file not used: starting with an empty cache');
    return emptyCache(settings, clock);
  }
}

/** Throws if the file has verdicts that these settings exclude: other lists or actions, enforced ones of shadow lists. */
function* askedIn(blocks: Iterable<CacheBlock>, { lists, shadowLists, listActions }: Settings): Generator<CacheBlock> {
  for (const block of blocks) {
    for (const { unlessAllowed, ...own } of block.verdicts)
      for (const { list, ...said } of [own, ...(unlessAllowed ? [unlessAllowed] : [])])
        if (
          list !== undefined &&
          (!lists.includes(list) ||
            (shadowLists.includes(list) && said.action !== 'log') ||
            !isPermitted(listActions, { list, ...said }))
        )
          throw new CacheFileError('has entries that the backend cannot have returned');
    yield block;
  }
}

/** The cache for new settings: the same one, a new one with the same verdicts, or an empty one if they are invalid now. */
export function cacheForReload(
  before: { readonly settings: Settings; readonly cache: VerdictCache },
  settings: Settings,
  clock: Clock,
  log: Pick<Log, 'info' | 'warn'>,
): VerdictCache {
  if (verdictsKey(before.settings) !== verdictsKey(settings)) {
    log.info({}, 'cache cleared: lists, backend or ipv6Prefix changed');
    return emptyCache(settings, clock);
  }
  if (sizesOf(before.settings) === sizesOf(settings)) return before.cache;
  const cache = emptyCache(settings, clock);
  cache.restore(before.cache.snapshot(), 0);
  return cache;
}

/** Writes the cache to its file, every minute if it has changed, and at the end. */
export class CacheSaver {
  readonly #current: () => { readonly settings: Settings; readonly cache: VerdictCache };
  readonly #clock: Clock;
  readonly #log: Pick<Log, 'info' | 'warn'>;
  #cancel = () => {};
  #isStopped = false;
  #saving: Promise<void> = Promise.resolve();
  #savedChanges = 0;
  #savedCache: VerdictCache | undefined;

  constructor(
    current: () => { readonly settings: Settings; readonly cache: VerdictCache },
    clock: Clock,
    log: Pick<Log, 'info' | 'warn'>,
  ) {
    this.#current = current;
    this.#clock = clock;
    this.#log = log;
    this.#wait();
  }

  /** Stops without writing. */
  cancel(): void {
    this.#isStopped = true;
    this.#cancel();
  }

  /** Writes a last time; never rejects. */
  async stop(): Promise<void> {
    this.cancel();
    await this.#saving;
    await this.#save();
  }

  #wait(): void {
    if (this.#isStopped) return;
    this.#cancel = this.#clock.after(SAVE_EVERY_MS, () => {
      this.#saving = this.#save().then(() => this.#wait());
    });
  }

  async #save(): Promise<void> {
    const { settings, cache } = this.#current();
    const { file } = settings.cache;
    if (file === undefined || (cache === this.#savedCache && cache.changes === this.#savedChanges)) return;
    const { changes } = cache;
    try {
      await writeCacheFile(file, verdictsKey(settings), this.#clock.epochMs(), cache.snapshot());
      this.#savedCache = cache;
      this.#savedChanges = changes;
    } catch (error) {
      const problem = error instanceof Error ? error.message : String(error);
      this.#log.warn({ file, problem }, 'cannot write the cache file');
    }
  }
}

function emptyCache({ cache, stale }: Settings, clock: Clock): VerdictCache {
  return new VerdictCache(cache, stale, clock);
}

function sizesOf({ cache, stale }: Settings): string {
  const { file: _file, fileMaxAgeSeconds: _age, ...sizes } = cache;
  return JSON.stringify([sizes, stale]);
}
