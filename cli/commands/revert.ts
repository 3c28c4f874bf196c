import { Command } from 'commander';
import { parseEntry } from '../../blocklist/entry.ts';
import type { ListRecord, RecordedEdits } from '../../blocklist/records.ts';
import type { Blocklist, Item } from '../../blocklist/store.ts';
import { REVERT_DAYS } from '../../blocklist/table.ts';
import { printable } from '../../contract/printable.ts';
import { LastKeys } from '../bulk/last-keys.ts';
import { withLease } from '../bulk/lease.ts';
import { RunHistory } from '../bulk/run-history.ts';
import { actor } from '../entries/actor.ts';
import { registerList } from '../entries/register-list.ts';
import { addWaitOptions, BULK_LIMIT, startWaiting, type WaitOptions } from '../entries/wait.ts';
import { readText } from '../entries/write-entries.ts';
import { CliError, EXIT, usageError } from '../exit/cli-error.ts';
import { endIfStopped, interruption } from '../exit/interrupt.ts';
import { protectedSet } from '../guards/protected.ts';
import { addExamples } from '../help/examples.ts';
import { addConfigOption, type ConfigOptions, readSections } from '../options/config-option.ts';
import { addTableOptions, openBlocklist } from '../options/table-options.ts';
import { printJson, printLine } from '../output/output.ts';
import { plural } from '../output/plural.ts';
import { startProgress } from '../output/progress.ts';
import { type Planned, planned, takeSteps } from '../revert/revert-run.ts';

interface RevertOptions extends WaitOptions, ConfigOptions {
  readonly yes?: true;
  readonly dryRun?: true;
  readonly force?: true;
  readonly reason?: string;
}

/** How many lines of each kind are printed; `--dry-run` prints all. */
const MAX_SHOWN = 20;

export function revertCommand(): Command {
  const command = new Command('revert')
    .description('take back one change, or a whole import or sync, of the history')
    .argument('<run>', 'the run, as in the column RUN of haverdict history', readRun)
    .option('--yes', 'really revert; without it what would be done is only printed')
    .option('--dry-run', 'print every change without making it')
    .option('--reason <text>', 'the reason, recorded in the history', readText)
    .option('--force', 'also restore entries that would block protected addresses')
    .option('--json', 'print the counts as a JSON object');
  return addExamples(
    addTableOptions(addConfigOption(addWaitOptions(command, BULK_LIMIT))),
    'haverdict revert 4f1c09ab77de',
    'haverdict revert 4f1c09ab77de --yes --reason "the feed was wrong"',
  ).action(revert);
}

/** What was done, or would be. */
interface Counts {
  restored: number;
  removed: number;
  /** Left alone. */
  kept: number;
  /** As before already. */
  unchanged: number;
}

async function revert(id: string, options: RevertOptions): Promise<void> {
  const { blocklist: settings } = await readSections(['blocklist'], options, process.env);
  const blocklist = await openBlocklist(options);
  const newest = await firstOf(blocklist.history.editsOf(id));
  if (newest === undefined)
    throw new CliError(
      EXIT.failed,
      `no run ${id} can be reverted in table ${options.table}: see the column RUN of haverdict history; a run is kept for ${REVERT_DAYS} days`,
    );
  const guard = options.force ? undefined : protectedSet(settings, process.env);
  const refusal = (item: Item) => {
    const parsed = parseEntry(item);
    return 'entry' in parsed ? guard?.problemOf(parsed.entry) : undefined;
  };
  const how = { nowMs: Date.now(), refusal };
  const isWriting = options.yes === true && options.dryRun !== true;
  if (isWriting) return write(id, newest, blocklist, how, options);

  const shown = new Shown(options, options.dryRun ? Number.POSITIVE_INFINITY : MAX_SHOWN);
  const progress = progressOf(id);
  for await (const { edits, list } of blocklist.history.editsOf(id))
    for (const step of await planned(blocklist.bulk, list, edits, how)) {
      await shown.see(step);
      progress.advance(1);
    }
  await shown.end(newest, 'would');
  if (options.dryRun) return;
  throw new CliError(EXIT.failed, `nothing was changed: add --yes to revert run ${id}`);
}

async function write(
  id: string,
  { list, source }: RecordedEdits,
  blocklist: Blocklist,
  how: Parameters<typeof planned>[3],
  options: RevertOptions,
): Promise<void> {
  const by = actor();
  const why = options.reason === undefined ? `revert of ${id}` : `revert of ${id}: ${options.reason}`;
  const run = new RunHistory(blocklist.history, { list, by, why });
  const shown = new Shown(options, MAX_SHOWN, ['keep']);
  const changed = new LastKeys();
  const progress = progressOf(id);
  const waitFor = await startWaiting(options, blocklist);
  const { signal, dispose } = interruption();
  try {
    await withLease(blocklist.lists, { list, by, signal }, async (held) => {
      let registration: ListRecord | undefined;
      for await (const part of blocklist.history.editsOf(id)) {
        endIfStopped(held, shown.text('was'));
        registration ??= part.registration;
        const steps = await planned(blocklist.bulk, list, part.edits, how);
        for (const step of await takeSteps(blocklist.bulk, run, steps, (key) => changed.add([key])))
          await shown.see(step);
        progress.advance(part.edits.length);
      }
      await restoreList(blocklist, list, registration, by);
      const { restored, removed, kept, unchanged } = shown.counts;
      if (shown.hasWritten) await run.end('revert', { put: restored, removed, unchanged, kept });
    });
  } finally {
    dispose();
  }
  await shown.end({ list, ...(source !== undefined && { source }) }, 'was', shown.hasWritten ? run.id : undefined);
  await waitFor(changed.all);
  if (shown.counts.kept > 0)
    throw new CliError(EXIT.skipped, `done, but left ${plural(shown.counts.kept, 'entry')} alone, as said above`);
}

/** For a page. On a terminal the lines of the steps tell it. */
function progressOf(id: string) {
  return startProgress({ label: `revert of ${id}`, quiet: true });
}

/** A list that was deleted gets its description and the like back. */
async function restoreList(
  { lists, history }: Blocklist,
  list: string,
  registration: ListRecord | undefined,
  by: string,
): Promise<void> {
  const at = new Date().toISOString();
  if (registration === undefined || (await lists.find(list)) !== undefined)
    return registerList({ lists, history }, list, by, at);
  await history.record({ list, change: 'list-created', at, by });
  await lists.create(registration);
}

/** Prints steps, of each kind only some, and counts them. */
class Shown {
  readonly counts: Counts = { restored: 0, removed: 0, kept: 0, unchanged: 0 };
  readonly #options: RevertOptions;
  readonly #most: number;
  readonly #kinds: readonly Planned['kind'][];

  constructor(options: RevertOptions, most: number, kinds: readonly Planned['kind'][] = ['put', 'remove', 'keep']) {
    this.#options = options;
    this.#most = most;
    this.#kinds = kinds;
  }

  async see(step: Planned): Promise<void> {
    const name = COUNTED[step.kind];
    this.counts[name]++;
    if (this.#options.json || !this.#kinds.includes(step.kind)) return;
    if (this.counts[name] <= this.#most) await printLine(lineOf(step));
    else if (this.counts[name] === this.#most + 1) await printLine(`  and more ${name}: --dry-run prints all`);
  }

  get hasWritten(): boolean {
    return this.counts.restored + this.counts.removed > 0;
  }

  text(would: 'was' | 'would'): string {
    const { restored, removed, kept, unchanged } = this.counts;
    const same = unchanged === 0 ? '' : `, ${unchanged} as before already`;
    return `${would === 'would' ? 'would be ' : ''}${restored} restored, ${removed} removed, ${kept} left alone${same}`;
  }

  async end({ list, source }: Pick<RecordedEdits, 'list' | 'source'>, would: 'was' | 'would', run?: string) {
    if (this.#options.json) return printJson({ list, ...this.counts, dryRun: would === 'would', ...(run && { run }) });
    await printLine(`list ${list}: ${this.text(would)}`);
    if (run !== undefined) await printLine(`haverdict revert ${run} takes this back`);
    if (run !== undefined && source !== undefined)
      await printLine(`the next import or sync of ${source} writes the same again: stop it first`);
  }
}

const COUNTED = { put: 'restored', remove: 'removed', keep: 'kept', none: 'unchanged' } as const;

function lineOf(step: Planned): string {
  const subject = printable(step.subject);
  const action = (item: Item) => printable(String(item.action ?? 'deny'));
  if (step.kind === 'remove') return `- ${subject} ${action(step.was)}`;
  if (step.kind === 'keep') return `= ${subject} left alone: ${step.why}`;
  if (step.kind === 'none') return `  ${subject} as before already`;
  if (step.was === undefined) return `+ ${subject} ${action(step.entry)}`;
  const [before, after] = [action(step.was), action(step.entry)];
  return `~ ${subject} ${before === after ? after : `${before} → ${after}`}`;
}

async function firstOf<Piece>(pieces: AsyncIterable<Piece>): Promise<Piece | undefined> {
  for await (const piece of pieces) return piece;
  return undefined;
}

function readRun(text: string): string {
  if (/^[0-9a-f-]{12,36}$/.test(text)) return text;
  throw usageError(`"${printable(text)}" is not a run: name one of the column RUN of haverdict history`);
}
