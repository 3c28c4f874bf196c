import type { StoredEntry } from '../../blocklist/entry.ts';
import type { BulkStore } from '../../blocklist/store.ts';
import { type Difference, isSame } from './difference.ts';

/** The limit of BatchGetItem. Eight calls run at once. */
const KEYS_A_READ = 100;
const READS_AHEAD = 8;

export type ChangedEntry = Exclude<Difference, { kind: 'remove' }>;

/** Yields the entries that differ from the table, and reports how many are equal. Each key must occur once. */
export async function* changedEntries(
  bulk: Pick<BulkStore, 'read'>,
  entries: AsyncIterable<StoredEntry>,
  alike: (count: number) => void,
): AsyncGenerator<ChangedEntry> {
  const read = async (batch: readonly StoredEntry[]) => {
    const items = new Map((await bulk.read(batch)).map((item) => [item.subject, item]));
    const found = batch.flatMap((entry): ChangedEntry[] => {
      const was = items.get(entry.subject);
      if (was === undefined) return [{ kind: 'add', entry }];
      return isSame(entry, was) ? [] : [{ kind: 'change', entry, was }];
    });
    alike(batch.length - found.length);
    return found;
  };
  const ahead: Promise<ChangedEntry[]>[] = [];
  let batch: StoredEntry[] = [];
  for await (const entry of entries) {
    batch.push(entry);
    if (batch.length < KEYS_A_READ) continue;
    ahead.push(read(batch));
    batch = [];
    if (ahead.length === READS_AHEAD) yield* (await ahead.shift()) ?? [];
  }
  ahead.push(read(batch));
  for (const found of ahead) yield* await found;
}
