import type { ReadEntry } from '../blocklist/as-meant.ts';
import { type BulkStore, type Item, keyName } from '../blocklist/store.ts';
import type { AppendDeps, ChangeKey } from '../updates/append.ts';
import { changeOf } from '../updates/change.ts';

/** What is true of keys, read from the table. */
export function readChanges(
  table: Pick<BulkStore, 'read'>,
  report: (item: Item, read: ReadEntry) => void,
): AppendDeps['read'] {
  return async (keys: readonly ChangeKey[]) => {
    const items = new Map((await table.read(keys)).map((item) => [keyName(item), item]));
    return keys.map((key) => changeOf(key, items.get(keyName(key)), report));
  };
}
