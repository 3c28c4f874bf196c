import { entryAsMeant, type ReadEntry } from '../blocklist/as-meant.ts';
import { toContractEntry } from '../blocklist/entry.ts';
import type { Item } from '../blocklist/store.ts';
import { printable } from '../contract/printable.ts';
import type { Change } from '../contract/updates.ts';

/**
 * What is true of a key: what its item means, or null if there is none, or none that can be an entry. Nothing that is in a
 * table makes this throw: a batch that cannot be appended would hold back all that come after it.
 */
export function changeOf(
  key: Change['key'],
  item: Item | undefined,
  report: (item: Item, read: ReadEntry) => void,
): Change {
  if (item === undefined) return { key, entry: null };
  const read = readSafely(item);
  report(item, read);
  return { key, entry: 'entry' in read ? toContractEntry(read.entry) : null };
}

function readSafely(item: Item): ReadEntry {
  try {
    return entryAsMeant(item);
  } catch (error) {
    return { problem: `cannot be read: ${printable(String(error))}` };
  }
}
