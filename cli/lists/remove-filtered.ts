import type { Blocklist, Item } from '../../blocklist/store.ts';
import { printable } from '../../contract/printable.ts';
import { LastKeys } from '../bulk/last-keys.ts';
import { withLease } from '../bulk/lease.ts';
import { RunHistory } from '../bulk/run-history.ts';
import { actor } from '../entries/actor.ts';
import type { WaitFor } from '../entries/wait.ts';
import { CliError, EXIT } from '../exit/cli-error.ts';
import { endIfStopped, interruption } from '../exit/interrupt.ts';
import { printJson, printLine } from '../output/output.ts';
import { plural } from '../output/plural.ts';
import { syncedFrom } from './synced-from.ts';

/** How many entries are shown before the number of the others. */
const MAX_SHOWN = 20;

export interface FilteredRemoval {
  readonly list: string;
  readonly isMeant: (item: Item) => boolean;
  readonly yes: boolean;
  readonly json: boolean;
  readonly why: string | undefined;
}

/** Removes the entries of a list that are meant; shows them only, unless `yes`. */
export async function removeFiltered(blocklist: Blocklist, asked: FilteredRemoval, waitFor: WaitFor): Promise<void> {
  const { list, isMeant, yes, json, why } = asked;
  let count = 0;
  for await (const item of meant(blocklist, list, isMeant)) {
    if (++count <= MAX_SHOWN && !json) await printLine(`- ${printable(String(item.subject))}`);
  }
  if (count > MAX_SHOWN && !json) await printLine(`  and ${count - MAX_SHOWN} more`);
  if (!yes && count > 0)
    throw new CliError(
      EXIT.failed,
      `nothing was changed: add --yes to remove ${plural(count, 'entry')} from list ${list}`,
    );
  const by = actor();
  const { signal, dispose } = interruption();
  const removed = new LastKeys();
  let total = 0;
  try {
    await withLease(blocklist.lists, { list, by, signal }, async (held) => {
      const run = new RunHistory(blocklist.history, { list, by, ...(why !== undefined && { why }) });
      for await (const item of run.removals(meant(blocklist, list, isMeant))) {
        endIfStopped(held, `removed ${plural(total, 'entry')} from list ${list}`);
        if (!(await blocklist.bulk.removeUnchanged(item))) continue;
        total++;
        removed.add([{ subject: String(item.subject), list }]);
      }
    });
  } finally {
    dispose();
  }
  const source = total === 0 ? undefined : await syncedFrom(blocklist.lists, list);
  if (json) await printJson({ list, removed: total, ...(source !== undefined && { comesBackFrom: source }) });
  else await printLine(`removed ${plural(total, 'entry')} from list ${list}`);
  if (!json && source !== undefined) await printLine(`the next sync of ${source} writes the same again`);
  await waitFor(removed.all);
}

async function* meant(
  { entries }: Pick<Blocklist, 'entries'>,
  list: string,
  isMeant: (item: Item) => boolean,
): AsyncGenerator<Item> {
  for await (const item of entries.ofList(list)) if (isMeant(item)) yield item;
}
