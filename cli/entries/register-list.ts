import type { ListStore } from '../../blocklist/records.ts';
import type { Blocklist } from '../../blocklist/store.ts';
import { didYouMean } from '../../config/did-you-mean.ts';
import { DEFAULT_LIST } from '../options/arguments.ts';
import { warn } from '../output/output.ts';

/** How many list names are compared for a suggestion. */
const MAX_COMPARED = 1000;

/** Registers a new list, with a warning: the name may be a typo, and agents look only in the lists they are configured with. */
export async function registerList(
  { lists, history }: Pick<Blocklist, 'lists' | 'history'>,
  name: string,
  by: string,
  at: string,
): Promise<void> {
  if ((await lists.find(name)) !== undefined) return;
  const known = await knownLists(lists);
  await history.record({ list: name, change: 'list-created', at, by });
  const created = await lists.create({ name, createdBy: by, createdAt: at });
  if (!created || name === DEFAULT_LIST) return;
  const meant = didYouMean(name, known);
  warn(
    `list ${name} is new${meant === undefined ? '' : ` (did you mean ${meant}?)`}: agents look only in the lists of their configuration`,
  );
}

/** The names of the registered lists and of the default list. */
export async function knownLists(lists: Pick<ListStore, 'all'>): Promise<string[]> {
  const names = new Set([DEFAULT_LIST]);
  for await (const { name } of lists.all()) {
    names.add(name);
    if (names.size > MAX_COMPARED) break;
  }
  return [...names];
}
