import type { Settings } from '../../config/settings.ts';
import type { MirrorSettings } from './local-mirror.ts';

/** What a mirror depends on; undefined if none is kept. */
export function mirrorSettingsOf(settings: Settings): MirrorSettings | undefined {
  const { updates, lists, shadowLists, listActions, backend, cache, stale } = settings;
  if (updates.mode !== 'mirror') return undefined;
  return {
    asked: { lists, shadowLists, listActions },
    key: JSON.stringify([lists.toSorted(), backend.targets.map(({ url }) => url)]),
    maxEntries: updates.maxEntries,
    allowTtlMs: cache.allowTtlSeconds * 1000,
    denyTtlMs: cache.denyTtlSeconds * 1000,
    listedMs: updates.ifErrorSeconds * 1000,
    unlistedMs: stale.ifErrorSeconds * 1000,
  };
}
