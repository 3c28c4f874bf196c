import { parseEntry, toContractEntry } from '../blocklist/entry.ts';
import type { Item } from '../blocklist/store.ts';
import type { Change } from '../contract/updates.ts';

/** What is true of a key: what its item means, or null if there is none, or none that can be an entry. */
export function changeOf(
  key: Change['key'],
  item: Item | undefined,
  report: (item: Item, problem: string) => void,
): Change {
  if (item === undefined) return { key, entry: null };
  const parsed = parseEntry(item);
  if ('entry' in parsed) return { key, entry: toContractEntry(parsed.entry) };
  report(item, parsed.problem);
  return { key, entry: null };
}
