import type { Settings } from '../config/settings.ts';
import type { FollowedUpdates } from './followed-updates.ts';
import { type Generation, openGeneration, type SharedParts } from './generation.ts';
import { openCache } from './lifecycle/persistent-cache.ts';

/** The first generation, with the mirror that was kept; if it cannot be opened, nothing is left open. */
export async function openFirst(
  settings: Settings,
  updates: FollowedUpdates,
  shared: SharedParts,
): Promise<Generation> {
  try {
    updates.use(settings);
    await updates.restore(settings);
    return await openGeneration(settings, openCache(settings, shared.clock, shared.log), shared);
  } catch (error) {
    closeShared(updates, shared);
    throw error;
  }
}

export function closeShared(updates: FollowedUpdates, { metrics, degradation }: SharedParts): void {
  updates.close();
  metrics.close();
  degradation.close();
}
