import { Mirror } from '../../agent/mirror/mirror.ts';
import type { Blocklist, Item } from '../../blocklist/store.ts';
import type { ListActions } from '../../contract/permitted-actions.ts';
import type { Change } from '../../contract/updates.ts';
import { changeOfScanned } from '../../updates/change.ts';
import { CliError, EXIT } from '../exit/cli-error.ts';
import { listsByDefault } from '../explain/lookup-plan.ts';
import { DEFAULT_LIST } from '../options/arguments.ts';
import type { KnownEntries } from './replay.ts';

/** They take about 100 MB. */
const MAX_ENTRIES = 5_000_000;

/** All entries of some lists, in memory. */
export interface TableEntries extends KnownEntries {
  readonly lists: readonly string[];
  readonly size: number;
}

/** Reads these lists of the table, or all of it where no list is named. */
export async function readTable(
  { entries, bulk }: Pick<Blocklist, 'entries' | 'bulk'>,
  lists: readonly string[] | undefined,
  listActions: ListActions,
): Promise<TableEntries> {
  if (lists === undefined) {
    const changes: Change[] = [];
    for await (const item of bulk.scan()) changes.push(...changesOf(item));
    const all = listsByDefault(
      changes.map(({ key }) => key.list),
      DEFAULT_LIST,
    );
    const mirror = new Mirror({ lists: all, listActions }, MAX_ENTRIES);
    for (const change of changes) add(mirror, change);
    return known(mirror, all);
  }
  const mirror = new Mirror({ lists, listActions }, MAX_ENTRIES);
  for (const list of lists)
    for await (const item of entries.ofList(list)) for (const change of changesOf(item)) add(mirror, change);
  return known(mirror, lists);
}

function changesOf(item: Item): Change[] {
  const change = changeOfScanned(item);
  return change === undefined ? [] : [change];
}

function add(mirror: Mirror, change: Change): void {
  mirror.apply(change);
  if (mirror.isOver)
    throw new CliError(EXIT.failed, `the lists have more than ${MAX_ENTRIES} entries: name some with --lists`);
}

function known(mirror: Mirror, lists: readonly string[]): TableEntries {
  return { lists, size: mirror.size, entryOf: (subject) => mirror.entryOf(subject, performance.now()) };
}
