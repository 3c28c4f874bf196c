import type { ListStore } from '../../blocklist/records.ts';
import type { Blocklist } from '../../blocklist/store.ts';
import { didYouMean } from '../../config/did-you-mean.ts';
import { usageError } from '../exit/cli-error.ts';
import { DEFAULT_LIST } from '../options/arguments.ts';
import { warn } from '../output/output.ts';

/** The lists of a configuration. */
export interface AskedLists {
  readonly names: readonly string[];
  readonly file: string;
}

/** How many list names are compared for a suggestion. */
const MAX_COMPARED = 1000;

/** Refuses a list that no agent with this configuration asks: what is written there has no effect. */
export async function refuseUnasked(lists: ListStore, name: string, asked: AskedLists | undefined): Promise<void> {
  if (asked === undefined || asked.names.includes(name)) return;
  const isNew = name !== DEFAULT_LIST && (await lists.find(name)) === undefined;
  const meant = isNew ? didYouMean(name, [...new Set([...asked.names, ...(await knownLists(lists))])]) : undefined;
  const what = isNew
    ? `list ${name} is new, and is not among the lists of ${asked.file}`
    : `list ${name} is not among the lists of ${asked.file}`;
  const guess = meant === undefined ? '' : ` (did you mean ${meant}?)`;
  throw usageError(`${what}, ${asked.names.join(', ')}${guess}: add it there, or write it with --new-list`);
}

/**
 * Registers a new list. One that is not among those of the configuration may be a typo, and agents look only in theirs: that is
 * a warning.
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
  await history.record({ list: name, change: 'list-created', at, by });
  const created = await lists.create({ name, createdBy: by, createdAt: at });
  if (!created || name === DEFAULT_LIST || asked?.names.includes(name)) return;
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
