import type { ListStore } from '../../blocklist/records.ts';
import type { Blocklist } from '../../blocklist/store.ts';
import { didYouMean } from '../../config/did-you-mean.ts';
import { type CliError, usageError } from '../exit/cli-error.ts';
import { DEFAULT_LIST } from '../options/arguments.ts';
import { warn } from '../output/output.ts';

/** The lists of a configuration. */
export interface AskedLists {
  readonly names: readonly string[];
  readonly file: string;
}

/** How many list names are compared for a suggestion. */
const MAX_COMPARED = 1000;

/**
 * Registers a new list, with a warning: the name may be a typo, and agents look only in the lists they are configured with.
 * One that is not in `asked` is refused.
 */
export async function registerList(
  { lists, history }: Pick<Blocklist, 'lists' | 'history'>,
  name: string,
  by: string,
  at: string,
  asked?: AskedLists,
): Promise<void> {
  if ((await lists.find(name)) !== undefined) return;
  const known = await knownLists(lists);
  if (asked !== undefined && !asked.names.includes(name) && name !== DEFAULT_LIST) throw notAsked(name, known, asked);
  await history.record({ list: name, change: 'list-created', at, by });
  const created = await lists.create({ name, createdBy: by, createdAt: at });
  if (!created || name === DEFAULT_LIST) return;
  const meant = didYouMean(name, known);
  warn(
    `list ${name} is new${meant === undefined ? '' : ` (did you mean ${meant}?)`}: agents look only in the lists of their configuration`,
  );
}

function notAsked(name: string, known: readonly string[], { names, file }: AskedLists): CliError {
  const meant = didYouMean(name, [...new Set([...names, ...known])]);
  return usageError(
    `list ${name} is new, and ${file} does not ask it (lists: ${names.join(', ')})${meant === undefined ? '' : `: did you mean ${meant}?`}; --new-list writes it`,
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
