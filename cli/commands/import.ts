import { Command } from 'commander';
import type { StoredEntry } from '../../blocklist/entry.ts';
import { ACTIONS, isConfirmed } from '../../contract/actions.ts';
import { RiskyChanges } from '../bulk/change-limits.ts';
import { changedEntries } from '../bulk/changed-entries.ts';
import { skippedJson } from '../bulk/collect-feed.ts';
import { lineOf } from '../bulk/difference.ts';
import { addBulkOptions, type BulkOptions } from '../bulk/options.ts';
import { inSession, type Session, saveSourceState } from '../bulk/session.ts';
import { stateOf } from '../bulk/unchanged-source.ts';
import { endIfStopped } from '../exit/interrupt.ts';
import { addExamples } from '../help/examples.ts';
import { DEFAULT_LIST, readList } from '../options/arguments.ts';
import { printJson, printLine } from '../output/output.ts';
import { plural } from '../output/plural.ts';
import { startProgress } from '../output/progress.ts';

export function importCommand(): Command {
  const command = new Command('import')
    .description('add the entries of a file or feed to a list')
    .option('--list <name>', 'the list to write to', readList, DEFAULT_LIST)
    .option('--yes', 'write even if a known source has new allows or redirects');
  return addExamples(
    addBulkOptions(command),
    'haverdict import addresses.txt --reason abuse --for 7d',
    'haverdict import https://feeds.example/drop.json --list drop --dry-run',
    'cscli decisions list -o json | haverdict import - --list crowdsec --skip-invalid',
  ).action((source: string, options: BulkOptions) => inSession('import', source, options, importAll));
}

/** Writes the entries that differ from the table, so that an interrupted run can be resumed. */
async function importAll(session: Session): Promise<void> {
  const { blocklist, options, wanted, read, run, signal, changed, print } = session;
  const { list, dryRun, json, quiet } = options;
  if (dryRun) {
    let count = 0;
    const progress = startProgress({ label: `preview for ${list}`, total: wanted.count, quiet: true }); // its lines are
    for await (const one of changedEntries(blocklist.bulk, values(wanted), (unchanged) =>
      progress.advance(unchanged),
    )) {
      if (!json && !quiet) await printLine(lineOf(one));
      progress.advance(1);
      count++;
    }
    const summary = { list, wouldWrite: count, ...skippedJson(read.skipped) };
    return json ? printJson(summary) : print(`would write ${plural(count, 'entry')} to list ${list}`);
  }
  if (!read.isFirst && !options.yes && ACTIONS.some((action) => isConfirmed(action) && wanted.has(action)))
    await assertNoRiskyChanges(session);
  const progress = startProgress({ label: `import into ${list}`, total: wanted.count, quiet: quiet || json });
  const entries = changedEntries(blocklist.bulk, values(wanted), (count) => progress.advance(count));
  const written = await blocklist.bulk
    .put(run.puts(entries), {
      signal,
      written: (count) => progress.advance(count),
      finished: (keys) => changed.add(keys),
    })
    .finally(() => progress.stop());
  endIfStopped(signal, `wrote ${plural(written, 'entry')} to list ${list}`);
  if (written > 0) await run.end('import', { put: written }, read.skipped);
  const canBeUnchanged = (read.etag ?? read.lastModified) !== undefined; // otherwise nothing reads the state
  await saveSourceState(session, canBeUnchanged ? await stateOf(blocklist.entries.ofList(list)) : undefined, undefined);
  if (json) return printJson({ list, written, ...skippedJson(read.skipped) });
  await print(`wrote ${plural(written, 'entry')} to list ${list}`);
}

/** Looks up only the entries that could be risky; usually there are none. */
async function assertNoRiskyChanges({ blocklist, options, wanted }: Session): Promise<void> {
  const surprises = new RiskyChanges(options.action);
  const bold = values(wanted, ({ action }) => isConfirmed(action));
  for await (const one of changedEntries(blocklist.bulk, bold, () => {})) surprises.see(one);
  surprises.refuse(options.list);
}

async function* values(
  wanted: Session['wanted'],
  isWanted: (entry: StoredEntry) => boolean = () => true,
): AsyncGenerator<StoredEntry> {
  for await (const { value } of wanted.sorted()) if (isWanted(value)) yield value;
}
