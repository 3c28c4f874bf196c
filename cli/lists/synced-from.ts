import type { ListStore } from '../../blocklist/records.ts';

/** The source whose next sync makes the list equal to it again; undefined if the list is none that is synced. */
export async function syncedFrom(lists: Pick<ListStore, 'find'>, list: string): Promise<string | undefined> {
  const { source, entries } = (await lists.find(list)) ?? {};
  return entries === undefined ? undefined : source; // an import does not count them
}
