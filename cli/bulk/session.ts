import { setFlagsFromString } from 'node:v8';
import type { ListRecord } from '../../blocklist/records.ts';
import type { Blocklist } from '../../blocklist/store.ts';
import { actor } from '../entries/actor.ts';
import { warnOfUnaskedKinds } from '../entries/effect.ts';
import { refuseUnasked, registerList } from '../entries/register-list.ts';
import { startWaiting } from '../entries/wait.ts';
import { CliError, EXIT, usageError } from '../exit/cli-error.ts';
import { interruption } from '../exit/interrupt.ts';
import { type ProtectedSet, protectedSet } from '../guards/protected.ts';
import { DEFAULT_LIST } from '../options/arguments.ts';
import { askedLists, readSections } from '../options/config-option.ts';
import { openBlocklist } from '../options/table-options.ts';
import { printError, printJson, printLine } from '../output/output.ts';
import { plural } from '../output/plural.ts';
import type { Skipped } from './collect-feed.ts';
import { DesiredEntries } from './desired-entries.ts';
import { LastKeys } from './last-keys.ts';
import { withLease } from './lease.ts';
import { type BulkOptions, defaultsOf } from './options.ts';
import { type ReadSource, readSource } from './read-source.ts';
import { RunHistory } from './run-history.ts';
import { type ListDigest, type Operation, recordIfUnchanged, requestDigest } from './unchanged-source.ts';
import { BY_SUBJECT, HASHED, type WriteOrder } from './write-order.ts';

/** Any valid subject. */
const SAMPLE = 'ip:203.0.113.1';

/** One run of `import` or `sync`: one list, one source. */
export interface Session {
  readonly blocklist: Blocklist;
  readonly options: BulkOptions;
  /** The largest share of a list that a sync may add or remove. */
  readonly maxChange: number;
  readonly wanted: DesiredEntries;
  /** In which entries are compared and written. */
  readonly order: WriteOrder;
  readonly read: ReadSource;
  /** The digest of the options, which identifies an equal run. */
  readonly asked: string;
  readonly run: RunHistory;
  readonly signal: AbortSignal;
  readonly changed: LastKeys;
  /** Prints a line, except with `--quiet` or `--json`. */
  print(line: string): Promise<void>;
}

/** Reads the source and runs `work` while no other run changes the list; calls `unchanged` if there is nothing to do. */
export async function inSession(
  operation: Operation,
  source: string,
  options: BulkOptions,
  work: (session: Session) => Promise<void>,
  unchanged: (known: ListRecord | undefined) => Promise<void> = async () => {},
): Promise<void> {
  keepHeapSmall();
  const nowMs = Date.now();
  const by = actor();
  const { blocklist: settings, lists } = await readSections(['blocklist', 'lists'], options, process.env);
  const guard: ProtectedSet | undefined = options.force ? undefined : protectedSet(settings, process.env);
  const order = options.dryRun ? BY_SUBJECT : HASHED;
  const wanted = new DesiredEntries(defaultsOf(options, by, nowMs), order);
  const sample = wanted.parse({ subject: SAMPLE });
  if ('problem' in sample) throw usageError(sample.problem); // once, and not for every line
  const blocklist = await openBlocklist(options);
  const { signal, dispose } = interruption();
  const print = async (line: string) => {
    if (!options.quiet && !options.json) await printLine(line);
  };
  try {
    const agents = askedLists(lists, options);
    await refuseUnasked(blocklist.lists, options.list, agents);
    if (options.kind !== undefined && !options.quiet) await warnOfUnaskedKinds([options.kind], options);
    const known = await blocklist.lists.find(options.list);
    const asked = requestDigest(operation, source, options, settings);
    const before = await recordIfUnchanged(known, () => blocklist.entries.ofList(options.list), asked, options, nowMs);
    const read = await readSource(source, wanted, {
      ...options,
      before,
      known,
      guard,
      nowMs,
      signal,
      report: printError,
      print,
    });
    if (read === undefined) {
      await unchanged(known);
      await (options.json ? printJson({ list: options.list, unchanged: true }) : print(unchangedSince(known)));
      return endIfSkipped({ invalid: known?.invalid ?? 0, protected: known?.protected ?? 0 });
    }
    const why = options.reason ?? options.note;
    const run = new RunHistory(blocklist.history, {
      list: options.list,
      by,
      source: read.source,
      ...(why !== undefined && { why }),
    });
    const changed = new LastKeys();
    const session = {
      blocklist,
      options,
      maxChange: settings.maxChange,
      wanted,
      order,
      read,
      asked,
      run,
      changed,
      print,
    };
    if (options.dryRun) {
      await work({ ...session, signal });
      return endIfSkipped(read.skipped, 'would skip');
    }
    const waitFor = await startWaiting(options, blocklist);
    await registerList(blocklist, options.list, by, new Date(nowMs).toISOString(), agents);
    await withLease(blocklist.lists, { list: options.list, by, signal }, (held) => work({ ...session, signal: held }));
    dispose(); // nothing is written any more
    await waitFor(changed.all);
    endIfSkipped(read.skipped);
  } finally {
    dispose();
    await wanted.close();
  }
}

/** Stores the source in the list's record after a complete run; `state` is the list as the run left it. */
export async function saveSourceState(
  { blocklist, options: { list }, read, asked }: Pick<Session, 'blocklist' | 'options' | 'read' | 'asked'>,
  state: ListDigest | undefined,
  entries: number | undefined,
): Promise<void> {
  const { source, etag, lastModified, skipped } = read;
  const left = state?.after(asked);
  const syncedAt = new Date().toISOString();
  const counts = { invalid: skipped.invalid || undefined, protected: skipped.protected || undefined };
  // Several sources may be imported into the list for manual entries, so nothing is stored about any of them.
  const { format, trust } = list === DEFAULT_LIST ? {} : read;
  await blocklist.lists.update(list, { source, format, trust, etag, lastModified, left, entries, syncedAt, ...counts });
}

/** A run that did everything but write some lines of its source tells so by its exit code. */
function endIfSkipped(skipped: Skipped, did: 'done, but skipped' | 'would skip' = 'done, but skipped'): void {
  const parts = [
    ...(skipped.invalid === 0 ? [] : [`${plural(skipped.invalid, 'line')} as invalid`]),
    ...(skipped.protected === 0 ? [] : [`${plural(skipped.protected, 'line')} as protected`]),
  ];
  if (parts.length > 0) throw new CliError(EXIT.skipped, `${did} ${parts.join(' and ')}`);
}

function unchangedSince(known: ListRecord | undefined): string {
  return `the source has not changed since ${known?.syncedAt}: nothing to do (--refetch reads it anyway)`;
}

/**
 * Makes V8 collect early. By default its heap grows while the machine has memory: a sync of 1,000,000 addresses takes
 * 395 MB, but 175 MB with this, in the same time (test/integration/memory.test.ts).
 */
function keepHeapSmall(): void {
  setFlagsFromString('--semi-space-growth-factor=1');
  setFlagsFromString('--heap-growing-percent=30');
}
