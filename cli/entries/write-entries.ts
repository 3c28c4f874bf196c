import { type Command, Option } from 'commander';
import type { StoredEntry } from '../../blocklist/entry.ts';
import type { Blocklist } from '../../blocklist/store.ts';
import { LINE } from '../../contract/check.ts';
import { printable } from '../../contract/printable.ts';
import { usageError } from '../exit/cli-error.ts';
import { parseNewEntry } from '../guards/invisible-characters.ts';
import { DEFAULT_LIST, readList, readSubjects } from '../options/arguments.ts';
import { type ExpiryOptions, expiryOf, expiryText } from '../options/expiry.ts';
import type { Outcome } from '../options/outcome-options.ts';
import { withSecrets } from '../options/secret.ts';
import { addTableOptions, openBlocklist } from '../options/table-options.ts';
import { printJson, printLine } from '../output/output.ts';
import { actor } from './actor.ts';
import { type AskedLists, refuseUnasked, registerList } from './register-list.ts';
import { editOfPut, newRunId, tellRecorded } from './run.ts';
import { addWaitOptions, startWaiting, type WaitOptions } from './wait.ts';

export interface WriteOptions extends WaitOptions, ExpiryOptions {
  readonly list: string;
  readonly reason?: string;
  readonly note?: string;
  readonly newList?: true;
}

/** Decides which entries are written only with `--force`. */
export interface Guard {
  /** The problem in one line; undefined if the entry may be written. */
  problemOf(entry: StoredEntry): string | undefined;
}

/** Above a kilobyte an item costs a second write unit. */
const MAX_NOTE_CHARACTERS = 500;
/** How many subjects one history record holds: 100 of the longest fit into an item. */
const SUBJECTS_A_RECORD = 100;

/** The arguments and options of every command that writes entries. */
export function addWriteOptions(command: Command): Command {
  command
    .argument('<subject...>', 'an address, a network, or kind:value; key:- reads a secret from standard input')
    .option('--list <name>', 'the list to write to', readList, DEFAULT_LIST)
    .option('--new-list', 'write even if the list is not among those of the configuration')
    .option('--for <duration>', 'expire after 90s, 30m, 24h, 7d or 2w, or never')
    .addOption(new Option('--until <time>', 'expire at this ISO 8601 time with time zone').conflicts('for'))
    .option('--reason <text>', 'the reason, also sent to HAProxy')
    .option('--note <text>', 'a note that stays in the table', readNote)
    .option('--json', 'print the written entries as a JSON array');
  return addTableOptions(addWaitOptions(command));
}

/** Writes one entry for each subject; all are validated before the first is written. */
export async function writeEntries(
  outcome: Outcome,
  texts: readonly string[],
  options: WriteOptions,
  guard?: Guard,
  asked?: AskedLists,
): Promise<void> {
  const nowMs = Date.now();
  const entries = entriesFor(outcome, await withSecrets(texts), options, nowMs);
  if (guard !== undefined) refuseProtected(entries, guard);
  const blocklist = await openBlocklist(options);
  await refuseUnasked(blocklist.lists, options.list, asked);
  const waitFor = await startWaiting(options, blocklist);
  await registerList(blocklist, options.list, actor(), new Date(nowMs).toISOString(), asked);
  await recordPut(blocklist, entries, options);
  for (const entry of entries) {
    const replaced = await blocklist.entries.put(entry);
    if (!options.json) await printLine(summary(entry, replaced));
  }
  if (options.json) await printJson(entries);
  await waitFor(entries);
}

function entriesFor(
  outcome: Outcome,
  texts: readonly string[],
  options: WriteOptions,
  nowMs: number,
): readonly StoredEntry[] {
  const expiresAt = expiryOf(options, nowMs);
  return readSubjects(texts).map((subject) => {
    const parsed = parseNewEntry({
      subject,
      list: options.list,
      ...outcome,
      reason: options.reason,
      note: options.note,
      createdBy: actor(),
      createdAt: new Date(nowMs).toISOString(),
      expiresAt,
    });
    if ('problem' in parsed) throw usageError(parsed.problem);
    return parsed.entry;
  });
}

function refuseProtected(entries: readonly StoredEntry[], guard: Guard): void {
  const [first, ...more] = entries.flatMap((entry) => guard.problemOf(entry) ?? []);
  if (first === undefined) return;
  const others = more.length === 0 ? '' : ` (and ${more.length} more like it)`;
  throw usageError(`${first}${others}; use --force to write it anyway`);
}

/** Recorded before the change itself, so that no change lacks a record. */
async function recordPut(
  { bulk, history }: Pick<Blocklist, 'bulk' | 'history'>,
  entries: readonly StoredEntry[],
  options: WriteOptions,
): Promise<void> {
  const [first] = entries;
  if (first === undefined) return;
  const { list, action, expiresAt, createdAt = '', createdBy = '' } = first;
  const why = options.reason ?? options.note;
  const run = newRunId();
  const present = new Map((await bulk.read(entries)).map((item) => [item.subject, item]));
  for (let index = 0; index < entries.length; index += SUBJECTS_A_RECORD) {
    const some = entries.slice(index, index + SUBJECTS_A_RECORD);
    const subjects = some.map(({ subject }) => subject);
    await history.record(
      {
        ...{ list, change: 'put', at: createdAt, by: createdBy, action, run, subjects },
        ...(expiresAt !== undefined && { until: expiresAt }),
        ...(why !== undefined && { why }),
      },
      { edits: some.map((entry) => editOfPut(entry, present.get(entry.subject))) },
    );
    tellRecorded(run);
  }
}

/** Checks a reason or note. */
export function readText(text: string): string {
  if (LINE.test(text)) return text;
  throw usageError(`"${printable(text)}" is not a single line of printable characters`);
}

/** Parses `--note`, which has a shorter limit. */
export function readNote(text: string): string {
  if (text.length > MAX_NOTE_CHARACTERS)
    throw usageError(`the note has ${text.length} characters, the limit is ${MAX_NOTE_CHARACTERS}`);
  return readText(text);
}

const DONE: Partial<Record<StoredEntry['action'], string>> = { deny: 'blocked', allow: 'allowed' };

function summary(entry: StoredEntry, replaced: boolean): string {
  const { action, subject, list, expiresAt } = entry;
  const until = expiresAt === undefined ? ', no expiry' : ` until ${expiryText(expiresAt)}`;
  return `${DONE[action] ?? `action ${action} set for`} ${subject} in list ${list}${until}${replaced ? ', replaced the previous entry' : ''}`;
}
