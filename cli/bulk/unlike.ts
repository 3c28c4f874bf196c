import type { StoredEntry } from '../../functions/blocklist/entry.ts';
import type { ManagedStore } from '../../functions/blocklist/managed-store.ts';
import { isSame } from './difference.ts';

/** BatchGetItem takes no more, and eight calls are on their way while the first is waited for. */
const KEYS_A_READ = 100;
const READS_AHEAD = 8;

/** Those entries that the table does not have yet as they are; of the others it is told how many. Each key comes once. */
export async function* unlike(
  store: Pick<ManagedStore, 'read'>,
  entries: AsyncIterable<StoredEntry>,
  alike: (count: number) => void,
): AsyncGenerator<StoredEntry> {
  const read = async (batch: readonly StoredEntry[]) => {
    const items = new Map((await store.read(batch)).map((item) => [item.subject, item]));
    const found = batch.filter((entry) => {
      const item = items.get(entry.subject);
      return item === undefined || !isSame(entry, item);
    });
    alike(batch.length - found.length);
    return found;
  };
  const ahead: Promise<StoredEntry[]>[] = [];
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
