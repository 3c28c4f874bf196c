import type { Item, Key } from '../../blocklist/store.ts';
import { withLease } from '../bulk/lease.ts';
import { RunHistory } from '../bulk/run-history.ts';
import { actor } from '../entries/actor.ts';
import { CliError, EXIT } from '../exit/cli-error.ts';
import { endIfStopped, interruption } from '../exit/interrupt.ts';
import { openBlocklist, type TableOptions } from '../options/table-options.ts';
import { printJson, printLine } from '../output/output.ts';
import { plural } from '../output/plural.ts';

interface DeleteOptions extends TableOptions {
  readonly yes?: true;
  readonly json?: true;
}

/** Removes all entries of a list, then its registration. Records each step in the history first. */
export async function deleteList(name: string, options: DeleteOptions): Promise<void> {
  const blocklist = await openBlocklist(options);
  const record = await blocklist.lists.find(name);
  let entries = 0;
  for await (const _item of blocklist.entries.ofList(name)) entries++;
  if (entries === 0 && record === undefined)
    throw new CliError(EXIT.failed, `list ${name} does not exist in table ${options.table}: see haverdict lists --all`);
  if (!options.yes)
    throw new CliError(
      EXIT.failed,
      `list ${name} has ${plural(entries, 'entry')}: add --yes to delete it with all of them`,
    );

  const by = actor();
  const { signal, dispose } = interruption();
  try {
    const removed = await withLease(blocklist.lists, { list: name, by, signal }, async (held) => {
      const at = new Date().toISOString();
      const run = new RunHistory(blocklist.history, { list: name, by });
      await blocklist.history.record(
        { ...{ list: name, change: 'list-deleted', at, by, run: run.id }, totals: { removed: entries } },
        { edits: [], registration: record },
      );
      const count = await blocklist.bulk.remove(keysOf(run.removals(blocklist.entries.ofList(name))), { signal: held });
      endIfStopped(held, `${count} of ${plural(entries, 'entry')} removed`);
      await blocklist.lists.delete(name);
      return count;
    });
    const done = `list ${name} is deleted with ${plural(removed, 'entry')}`;
    await (options.json ? printJson({ name, removed }) : printLine(done));
  } finally {
    dispose();
  }
}

/** The keys of items. The index by list contains only items with string keys. */
async function* keysOf(items: AsyncIterable<Item>): AsyncGenerator<Key> {
  for await (const { subject, list } of items) yield { subject: String(subject), list: String(list) };
}
