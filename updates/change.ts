import { entryAsMeant, type ReadEntry } from '../blocklist/as-meant.ts';
import { toContractEntry } from '../blocklist/entry.ts';
import { type BulkStore, type Item, keyName } from '../blocklist/store.ts';
import { isReserved } from '../blocklist/table.ts';
import { LIST_NAME } from '../contract/check.ts';
import { printable } from '../contract/printable.ts';
import type { Change } from '../contract/updates.ts';

/** Told of every item that was read. */
type Report = (item: Item, read: ReadEntry) => void;

/**
 * What is true of a key: what its item means, or null if there is none, or none that can be an entry. Nothing that is in a
 * table makes this throw: a batch that cannot be appended would hold back all that come after it.
 */
export function changeOf(key: Change['key'], item: Item | undefined, report: Report): Change {
  if (item === undefined) return { key, entry: null };
  const read = readSafely(item);
  report(item, read);
  return { key, entry: 'entry' in read ? toContractEntry(read.entry) : null };
}

/** The change that an item of the whole table is; undefined if no agent can ask for it. */
export function changeOfScanned(item: Item): Change | undefined {
  const { subject, list } = item;
  if (typeof subject !== 'string' || typeof list !== 'string') return undefined;
  if (isReserved(subject) || !LIST_NAME.test(list)) return undefined;
  return changeOf({ subject, list }, item, () => {});
}

/** Reads what is true of keys. */
export function readsOf(
  table: Pick<BulkStore, 'read'>,
  report: Report,
): (keys: readonly Change['key'][]) => Promise<Change[]> {
  return async (keys) => {
    const items = new Map((await table.read(keys)).map((item) => [keyName(item), item]));
    return keys.map((key) => changeOf(key, items.get(keyName(key)), report));
  };
}

function readSafely(item: Item): ReadEntry {
  try {
    return entryAsMeant(item);
  } catch (error) {
    return { problem: `cannot be read: ${printable(String(error))}` };
  }
}
