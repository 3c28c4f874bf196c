import type { BulkStore, Item, Key } from '../../blocklist/store.ts';

/** What one BatchGetItem takes. */
const KEYS_A_CALL = 100;

export interface Pace {
  readonly itemsPerSecond: number;
  /** Milliseconds. */
  clock(): number;
  wait(ms: number): Promise<unknown>;
}

/** Reads one call after the other, and no faster than this, so that an import leaves the table to lookups. */
export function pacedReads(
  table: Pick<BulkStore, 'read'>,
  { itemsPerSecond, clock, wait }: Pace,
): Pick<BulkStore, 'read'> {
  let freeMs = 0;
  return {
    async read(keys: readonly Key[]): Promise<Item[]> {
      const items: Item[] = [];
      for (let at = 0; at < keys.length; at += KEYS_A_CALL) {
        const call = keys.slice(at, at + KEYS_A_CALL);
        const nowMs = clock();
        if (freeMs > nowMs) await wait(freeMs - nowMs);
        freeMs = Math.max(nowMs, freeMs) + (call.length * 1000) / itemsPerSecond;
        items.push(...(await table.read(call)));
      }
      return items;
    },
  };
}
