import type { ManagedStore } from '../../blocklist/managed-store.ts';
import { didYouMean } from '../../config/did-you-mean.ts';
import { DEFAULT_LIST } from '../options/arguments.ts';
import { warn } from '../output/output.ts';

/** More lists than anybody reads, and no more than one answer has. */
const MAX_COMPARED = 1000;

/** Registers a list that nobody has written to yet, and says so: it may be a slip, and agents ask only what they are told to. */
export async function registerList(store: ManagedStore, name: string, by: string, at: string): Promise<void> {
  if ((await store.listRecord(name)) !== undefined) return;
  const known = await knownLists(store);
  await store.record({ list: name, change: 'list-created', at, by });
  const created = await store.createList({ name, createdBy: by, createdAt: at });
  if (!created || name === DEFAULT_LIST) return;
  const meant = didYouMean(name, known);
  warn(
    `list ${name} is new${meant === undefined ? '' : `, did you mean ${meant}?`}; agents ask only the lists of their configuration`,
  );
}

/** The names of the lists that are registered, and that of the list which is always there. */
export async function knownLists(store: ManagedStore): Promise<string[]> {
  const names = new Set([DEFAULT_LIST]);
  for await (const { name } of store.lists()) {
    names.add(name);
    if (names.size > MAX_COMPARED) break;
  }
  return [...names];
}
