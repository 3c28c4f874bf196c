import type { ListStore } from '../../blocklist/records.ts';
import type { Blocklist } from '../../blocklist/store.ts';
import { didYouMean } from '../../config/did-you-mean.ts';
import { DEFAULT_LIST } from '../options/arguments.ts';
import { warn } from '../output/output.ts';

/** More lists than anybody reads, and no more than one answer has. */
const MAX_COMPARED = 1000;

/** Registers a list that nobody has written to yet, and says so: it may be a slip, and agents ask only what they are told to. */
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
    `list ${name} is new${meant === undefined ? '' : `, did you mean ${meant}?`}; agents ask only the lists of their configuration`,
  );
}

/** The names of the lists that are registered, and that of the list which is always there. */
export async function knownLists(lists: Pick<ListStore, 'all'>): Promise<string[]> {
  const names = new Set([DEFAULT_LIST]);
  for await (const { name } of lists.all()) {
    names.add(name);
    if (names.size > MAX_COMPARED) break;
  }
  return [...names];
}
