import { Command } from 'commander';
import pLimit from 'p-limit';
import type { Item } from '../../blocklist/store.ts';
import { assertMaxChange, RiskyChanges, type Totals } from '../bulk/change-limits.ts';
import type { ChangedEntry } from '../bulk/changed-entries.ts';
import { skippedJson } from '../bulk/collect-feed.ts';
import { type Difference, differences, lineOf } from '../bulk/difference.ts';
import { ExternalSort } from '../bulk/external-sort.ts';
import { readMetricsFile, writeMetricsFile } from '../bulk/metrics-file.ts';
import { addBulkOptions, type BulkOptions } from '../bulk/options.ts';
import { inSession, type Session, saveSourceState } from '../bulk/session.ts';
import { ListDigest } from '../bulk/unchanged-source.ts';
import { usageError } from '../exit/cli-error.ts';
import { endIfStopped } from '../exit/interrupt.ts';
import { addExamples } from '../help/examples.ts';
import { DEFAULT_LIST, readList } from '../options/arguments.ts';
import { printJson, printLine } from '../output/output.ts';
import { plural } from '../output/plural.ts';
import { startProgress } from '../output/progress.ts';

interface SyncOptions extends BulkOptions {
  readonly yes?: true;
  readonly metricsFile?: string;
}

const REMOVALS_AT_ONCE = 16;

export function syncCommand(): Command {
  const command = new Command('sync')
    .description('make a list equal to a file or feed: add, change and remove entries')
    .requiredOption('--list <name>', 'the list, which must have no other source', readList)
    .option(
      '--yes',
      'write even if the list changes by more than blocklist.maxChange, or a known source has new allows or redirects',
    )
    .option(
      '--metrics-file <path>',
      "write the time of this sync to a file for node_exporter's textfile collector",
      readMetricsFile,
    );
  return addExamples(
    addBulkOptions(command),
    'haverdict sync https://feeds.example/drop.json --list drop --dry-run',
    'haverdict sync firehol_level1.netset --list firehol --skip-protected --reason firehol',
    'haverdict sync drop.txt --list drop --metrics-file /var/lib/prometheus/node-exporter/haverdict-drop.prom',
    'haverdict sync partners.csv --list partners --action tag --var req.set.x-partner=1',
  ).action((source: string, options: SyncOptions) => {
    if (options.list === DEFAULT_LIST && !options.force)
      throw usageError(
        `sync would remove the entries that people typed into list ${DEFAULT_LIST}: use another --list, or --force`,
      );
    const synced = async (entries: number) => {
      if (options.metricsFile === undefined || options.dryRun) return;
      await writeMetricsFile(options.metricsFile, options.list, entries, Date.now());
    };
    return inSession(
      'sync',
      source,
      options,
      (session) => syncAll(session, options.yes === true, synced),
      (known) => synced(known?.entries ?? 0),
    );
  });
}

async function syncAll(session: Session, isSure: boolean, synced: (entries: number) => Promise<void>): Promise<void> {
  const { blocklist, options, wanted, order } = session;
  const present = new ExternalSort<Item>();
  const state = new ListDigest();
  try {
    for await (const item of blocklist.entries.ofList(options.list)) {
      endIfStopped(session.signal, 'nothing was changed');
      await present.add(order(String(item.subject)), item);
      state.add(item);
    }
    const all = () => differences(wanted.sorted(), present.sorted());
    const surprises = new RiskyChanges(options.action);
    const totals = await count(all(), async (one) => {
      surprises.see(one);
      if (options.dryRun && !options.json && !options.quiet) await printLine(lineOf(one));
    });
    if (!options.dryRun && !isSure) {
      assertMaxChange(options.list, totals, present.count, session.maxChange);
      if (!session.read.isFirst) surprises.refuse(options.list);
    }
    if (options.dryRun) return await report(session, totals, 'would');
    await synced(await write(session, all, totals, present.count, state));
  } finally {
    await present.close();
  }
}

async function count(found: AsyncIterable<Difference>, see: (one: Difference) => Promise<void>): Promise<Totals> {
  const totals = { added: 0, changed: 0, removed: 0 };
  for await (const one of found) {
    if (one.kind === 'add') totals.added++;
    else if (one.kind === 'change') totals.changed++;
    else totals.removed++;
    await see(one);
  }
  return totals;
}

/**
 * Writes before it removes, so that a subject whose text changes always has an entry. Updates `state`, the digest of the
 * list. Resolves with the number of entries in the list.
 */
async function write(
  session: Session,
  all: () => AsyncIterable<Difference>,
  totals: Totals,
  present: number,
  state: ListDigest,
): Promise<number> {
  const { blocklist, options, run, signal, changed } = session;
  const { list } = options;
  const due = totals.added + totals.changed + totals.removed;
  const progress = startProgress({ label: `sync of ${list}`, total: due, quiet: options.quiet || options.json });
  let written = 0;
  let removed = 0;
  let kept = 0;
  try {
    // each pass reads both sides again, so an empty one is skipped
    if (totals.added + totals.changed > 0)
      written = await blocklist.bulk.put(run.puts(puts(all(), state)), {
        signal,
        written: (some) => progress.advance(some),
        finished: (keys) => changed.add(keys),
      });
    const limit = pLimit({ concurrency: REMOVALS_AT_ONCE });
    const batch: Promise<void>[] = [];
    for await (const item of totals.removed > 0 ? run.removals(removals(all())) : []) {
      if (signal.aborted) break;
      batch.push(
        limit(async () => {
          if (await blocklist.bulk.removeUnchanged(item)) {
            removed++;
            state.take(item);
            changed.add([{ subject: String(item.subject), list }]);
          } else kept++;
          progress.advance(1);
        }),
      );
      if (batch.length === REMOVALS_AT_ONCE) await Promise.all(batch.splice(0));
    }
    await Promise.all(batch);
  } finally {
    progress.stop();
  }
  endIfStopped(signal, `wrote ${plural(written, 'entry')} of list ${list}, removed ${removed}`);
  if (due > 0)
    await run.end(
      'sync',
      { put: written, removed, unchanged: present - totals.changed - totals.removed },
      session.read.skipped,
    );
  const entries = present + totals.added - removed;
  await saveSourceState(session, state, entries);
  if (kept > 0) await session.print(`${plural(kept, 'entry')} changed during the sync, not removed`);
  await report(session, totals, '');
  return entries;
}

async function report({ options, read, print }: Session, totals: Totals, would: 'would' | ''): Promise<void> {
  const { list } = options;
  if (options.json)
    return printJson({ list, ...totals, ...skippedJson(read.skipped), dryRun: options.dryRun === true });
  const { added, changed, removed } = totals;
  await print(`list ${list}: ${would === '' ? '' : 'would be '}${added} added, ${changed} changed, ${removed} removed`);
}

async function* puts(found: AsyncIterable<Difference>, state: ListDigest): AsyncGenerator<ChangedEntry> {
  for await (const one of found) {
    if (one.kind === 'remove') continue;
    if (one.kind === 'change') state.take(one.was);
    state.add(one.entry);
    yield one;
  }
}

async function* removals(found: AsyncIterable<Difference>): AsyncGenerator<Item> {
  for await (const one of found) if (one.kind === 'remove') yield one.was;
}
