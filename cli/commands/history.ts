import { Command } from 'commander';
import type { HistoryStore, RecordedChange } from '../../blocklist/records.ts';
import type { Blocklist, Item } from '../../blocklist/store.ts';
import { formatSubject } from '../../contract/subject.ts';
import { usageError } from '../exit/cli-error.ts';
import { addExamples } from '../help/examples.ts';
import { CHANGE_COLUMNS, changeCells } from '../lists/history-table.ts';
import { MAX_LIMIT, readLimit, readList, readSubject } from '../options/arguments.ts';
import { parseDuration } from '../options/duration.ts';
import { withSecrets } from '../options/secret.ts';
import { addTableOptions, openBlocklist, type TableOptions } from '../options/table-options.ts';
import { printJson, printLine } from '../output/output.ts';
import { plural } from '../output/plural.ts';
import { printTable } from '../output/table.ts';

interface HistoryOptions extends TableOptions {
  readonly list?: string;
  readonly since?: string;
  readonly limit: number;
  readonly json?: true;
}

/** What `history` prints. */
interface Found {
  /** Newest first. */
  readonly changes: readonly RecordedChange[];
  /** How many older changes `--limit` cut off. */
  readonly left: number;
  /** Lists with an entry for the subject that has no history record. */
  readonly unrecorded: readonly string[];
}

const DEFAULT_LIMIT = 100;

export function historyCommand(): Command {
  const command = new Command('history')
    .description('print who changed what, when and why, newest first')
    .argument('[subject]', 'an address, a network, or kind:value; exact match')
    .option('--list <name>', 'only changes of this list', readList)
    .option('--since <duration>', 'only changes of the last 90s, 30m, 24h, 7d or 2w')
    .option('--limit <number>', `the number of changes to print, at most ${MAX_LIMIT}`, readLimit, DEFAULT_LIMIT)
    .option('--json', 'print a JSON object');
  return addExamples(
    addTableOptions(command),
    'haverdict history 203.0.113.7',
    'haverdict history --list spamhaus-drop --since 7d --limit 20',
    'haverdict history --since 2h',
  ).action(history);
}

async function history(text: string | undefined, options: HistoryOptions): Promise<void> {
  if (text === undefined && options.list === undefined && options.since === undefined)
    throw usageError('name a subject, a list with --list, or a time with --since, or several of them');
  const since = options.since === undefined ? undefined : beginning(options.since, Date.now());
  const [typed] = text === undefined ? [] : await withSecrets([text]);
  const subject = typed === undefined ? undefined : formatSubject(readSubject(typed));
  const blocklist = await openBlocklist(options);
  const found = await find(blocklist, { ...options, since, subject });
  if (options.json) return printJson(found);

  for (const list of found.unrecorded)
    await printLine(
      `the history has no record of the entry in list ${list}: it was written by another program, or before there was a history`,
    );
  if (found.changes.length === 0)
    return printLine(
      `the history has no changes of ${subject ?? (options.list ? `list ${options.list}` : 'any list')}`,
    );
  await printTable(CHANGE_COLUMNS, found.changes.map(changeCells));
  if (found.left > 0) await printLine(`${plural(found.left, 'older change')} not shown: use a higher --limit`);
}

interface Wanted {
  readonly list?: string;
  readonly subject: string | undefined;
  readonly since: string | undefined;
  readonly limit: number;
}

async function find({ entries, history }: Blocklist, { list, subject, since, limit }: Wanted): Promise<Found> {
  const items = subject === undefined ? [] : await Array.fromAsync(entries.ofSubject(subject));
  const present = items.filter((item) => list === undefined || item.list === list);
  const lists = list === undefined ? await listsInQuestion(history, present) : [list];
  let changes: RecordedChange[] = [];
  let count = 0;
  const recorded = new Set<string>();
  for (const one of lists) {
    let ofThis = 0;
    const wanted = { ...(since !== undefined && { since }), ...(subject !== undefined && { subject }) };
    const told = new Set<string>(); // runs with totals, which are newer than their parts
    for await (const change of history.of(one, wanted)) {
      if (change.change === 'put') recorded.add(one);
      const { run, totals } = change;
      if (run !== undefined && totals === undefined && told.has(run)) continue;
      if (run !== undefined && totals !== undefined) told.add(run);
      count++;
      if (ofThis++ < limit) changes.push(change); // newest first: later ones are cut off anyway
    }
    changes = changes.sort((a, b) => (a.at < b.at ? 1 : -1)).slice(0, limit);
  }
  // The record of an older entry may be in the part that was not read.
  const isRead = ({ createdAt }: Item) => since === undefined || String(createdAt) >= since;
  const unrecorded = present.filter((item) => isRead(item) && !recorded.has(String(item.list)));
  return { changes, left: count - changes.length, unrecorded: unrecorded.map((item) => String(item.list)) };
}

/** Every list that may have a record about the subject. */
async function listsInQuestion(history: Pick<HistoryStore, 'lists'>, present: readonly Item[]): Promise<string[]> {
  const withHistory = await Array.fromAsync(history.lists());
  return [...new Set([...withHistory, ...present.map((item) => String(item.list))])].sort();
}

function beginning(duration: string, nowMs: number): string {
  return new Date(nowMs - parseDuration(duration) * 1000).toISOString();
}
