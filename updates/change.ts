import { entryAsMeant, type ReadEntry } from '../blocklist/as-meant.ts';
import { toContractEntry } from '../blocklist/entry.ts';
import type { Item } from '../blocklist/store.ts';
import type { Change } from '../contract/updates.ts';

/** What is true of a key: what its item means, or null if there is none, or none that can be an entry. */
export function changeOf(
  key: Change['key'],
  item: Item | undefined,
  report: (item: Item, read: ReadEntry) => void,
): Change {
  if (item === undefined) return { key, entry: null };
  const read = entryAsMeant(item);
  report(item, read);
  return { key, entry: 'entry' in read ? toContractEntry(read.entry) : null };
}
