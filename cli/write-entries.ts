import { hostname, userInfo } from 'node:os';
import { type Command, Option } from 'commander';
import { parseEntry, type StoredEntry } from '../functions/blocklist/entry.ts';
import { DEFAULT_LIST, readList, readSubjects } from './arguments.ts';
import { usageError } from './cli-error.ts';
import { type ExpiryOptions, expiryOf, expiryText } from './expiry.ts';
import type { Outcome } from './outcome-options.ts';
import { printJson, printLine } from './output.ts';
import { addTableOptions, openStore, type TableOptions } from './table-options.ts';

export interface WriteOptions extends TableOptions, ExpiryOptions {
  readonly list: string;
  readonly reason?: string;
  readonly note?: string;
  readonly json?: true;
}

/** Past a kilobyte an item costs a second write unit; whoever has more to say names a ticket. */
const MAX_NOTE_CHARACTERS = 500;

/** The arguments and options of every command that writes entries. */
export function addWriteOptions(command: Command): Command {
  command
    .argument('<subject...>', 'an address, a network, or kind:value')
    .option('--list <name>', 'the list to write to', readList, DEFAULT_LIST)
    .option('--for <duration>', 'end after 90s, 30m, 24h, 7d or 2w')
    .addOption(new Option('--until <time>', 'end at this ISO 8601 time with zone').conflicts('for'))
    .option('--reason <text>', 'why; HAProxy is told it too')
    .option('--note <text>', 'what only people who look at the table are told', readNote)
    .option('--json', 'print what was written as a JSON array');
  return addTableOptions(command);
}

/** Writes one entry for each subject. All are read before the first is written. */
export async function writeEntries(outcome: Outcome, texts: readonly string[], options: WriteOptions): Promise<void> {
  const entries = entriesFor(outcome, texts, options, Date.now());
  const store = await openStore(options);
  for (const entry of entries) {
    const replaced = await store.put(entry);
    if (!options.json) await printLine(summary(entry, replaced));
  }
  if (options.json) await printJson(entries);
}

function entriesFor(
  outcome: Outcome,
  texts: readonly string[],
  options: WriteOptions,
  nowMs: number,
): readonly StoredEntry[] {
  const expiresAt = expiryOf(options, nowMs);
  return readSubjects(texts).map((subject) => {
    const parsed = parseEntry({
      subject,
      list: options.list,
      ...outcome,
      reason: options.reason,
      note: options.note,
      createdBy: `${userName()}@${hostname()}`,
      createdAt: new Date(nowMs).toISOString(),
      expiresAt,
    });
    if ('problem' in parsed) throw usageError(parsed.problem);
    return parsed.entry;
  });
}

function readNote(text: string): string {
  if (text.length > MAX_NOTE_CHARACTERS)
    throw usageError(`the note has ${text.length} characters, the limit is ${MAX_NOTE_CHARACTERS}`);
  return text;
}

function summary(entry: StoredEntry, replaced: boolean): string {
  const until = entry.expiresAt === undefined ? 'for ever' : `until ${expiryText(entry.expiresAt)}`;
  return `${entry.action} ${entry.subject} in ${entry.list} ${until}${replaced ? ', replacing the entry there' : ''}`;
}

/** In a container the user may have a number but no name. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid ${process.getuid?.() ?? 'unknown'}`;
  }
}
