import { VerdictCache } from '../agent/decision/cache.ts';
import { systemClock } from '../agent/decision/clock.ts';
import { writeCacheFile } from '../agent/lifecycle/cache-file.ts';
import { verdictsKey } from '../agent/lifecycle/persistent-cache.ts';
import { loadSettings } from '../config/load.ts';
import { fillCache } from './engine.ts';
import type { PoolOptions } from './notify-pool.ts';

/** Writes the file from which an agent with this configuration begins: with the verdict on each address of the pool. */
export async function writeCache(
  configFile: string,
  addresses: number,
  family: PoolOptions['family'],
  ttlSeconds: number,
): Promise<void> {
  const settings = loadSettings(configFile, {});
  const cache = new VerdictCache(settings.cache, settings.stale, systemClock);
  fillCache(cache, addresses, family, ttlSeconds);
  const { file = '' } = settings.cache;
  await writeCacheFile(file, verdictsKey(settings), systemClock.epochMs(), cache.snapshot());
}
