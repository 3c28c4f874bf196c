import { Command } from 'commander';
import type { Item } from '../../blocklist/store.ts';
import { formatSubject, parseSubject, SubjectError } from '../../contract/subject.ts';
import { actor } from '../entries/actor.ts';
import { addFilterOptions, type FilterOptions, filterOf, isFiltering } from '../entries/filter.ts';
import { jsonOf, type ListedItem, listedItem, sentenceOf } from '../entries/listed-item.ts';
import { editOfRemoval, newRunId, tellRecorded } from '../entries/run.ts';
import { blockOf } from '../entries/still-blocked.ts';
import { addWaitOptions, startWaiting, type WaitOptions } from '../entries/wait.ts';
import { readText } from '../entries/write-entries.ts';
import { usageError } from '../exit/cli-error.ts';
import { addExamples } from '../help/examples.ts';
import { removeFiltered } from '../lists/remove-filtered.ts';
import { syncedFrom } from '../lists/synced-from.ts';
import { DEFAULT_LIST, readList, readSubject } from '../options/arguments.ts';
import { withSecrets } from '../options/secret.ts';
import { addTableOptions, openBlocklist } from '../options/table-options.ts';
import { printJson, printLine } from '../output/output.ts';

interface RemoveOptions extends WaitOptions, FilterOptions {
  readonly withReason?: string;
  readonly yes?: true;
  readonly list: string;
  readonly reason?: string;
}

export function removeCommand(): Command {
  const command = new Command('remove')
    .description('remove the entries with exactly these subjects, or those that filters name, from a list')
    .argument(
      '[subject...]',
      'an address, a network, or kind:value; or the text of an invalid entry as it is in the table',
    )
    .option('--list <name>', 'the list to remove from', readList, DEFAULT_LIST)
    .option('--reason <text>', 'the reason, recorded in the history', readText)
    .option('--yes', 'with filters: really remove; without it the entries are only shown')
    .option('--json', 'print the removed entries as a JSON array');
  return addExamples(
    addTableOptions(addWaitOptions(addFilterOptions(command, 'with-reason'))),
    'haverdict remove 203.0.113.7 203.0.113.0/24 --reason "false alarm"',
    'haverdict remove host:shop.example --list tenant-a',
    'haverdict remove key:- < found-key.txt',
    'haverdict remove --within 203.0.113.0/24 --by anna --yes',
  ).action(remove);
}

async function remove(typed: string[], options: RemoveOptions): Promise<void> {
  const { list, withReason, json = false, yes = false, reason: why } = options;
  if (isFiltering(options, withReason)) {
    if (typed.length > 0) throw usageError('name subjects or filters, not both');
    const filtered = await openBlocklist(options);
    const isMeant = filterOf(options, withReason, Date.now() / 1000);
    const wait = await startWaiting(options, filtered);
    return removeFiltered(filtered, { list, isMeant, yes, json, why }, wait);
  }
  if (typed.length === 0)
    throw usageError('name what to remove: subjects, or --with-reason, --by, --within or --expiring');
  const texts = await withSecrets(typed);
  const keys = [...new Set(texts.flatMap(spellings))].map((subject) => ({ subject, list: options.list }));
  const blocklist = await openBlocklist(options);
  const waitFor = await startWaiting(options, blocklist);
  const items = new Map((await blocklist.bulk.read(keys)).map((item) => [String(item.subject), item]));
  for (const text of texts) if (!spellings(text).some((subject) => items.has(subject))) readSubject(text);
  if (items.size > 0) {
    const run = newRunId();
    await blocklist.history.record(
      {
        ...{ list: options.list, change: 'remove', at: new Date().toISOString(), by: actor(), run },
        subjects: [...items.keys()],
        ...(options.reason !== undefined && { why: options.reason }),
      },
      { edits: [...items.values()].map(editOfRemoval) },
    );
    tellRecorded(run);
  }
  const source = items.size === 0 ? undefined : await syncedFrom(blocklist.lists, options.list);
  const results = [];
  for (const subject of new Set(
    texts.map((text) => spellings(text).find((one) => items.has(one)) ?? canonical(text)),
  )) {
    const removed = await blocklist.entries.remove({ subject, list: options.list });
    const was = asListed(items.get(subject));
    const block = await blockOf(subject, blocklist.entries, Date.now() / 1000);
    results.push({
      ...{ subject, list: options.list, removed, ...(was && { entry: jsonOf(was) }) },
      ...(removed && source !== undefined && { comesBackFrom: source }),
      ...(block && { stillBlockedBy: { subject: block.subject, list: block.list, action: block.action } }),
    });
    if (!options.json)
      await printLine(
        removed ? summary(subject, options.list, was) : `list ${options.list} has no entry for ${subject}`,
      );
    if (!options.json && block !== undefined)
      await printLine(
        `${subject} still gets ${block.action}, where list ${block.list} is asked: entry ${block.subject} in list ${block.list}`,
      );
  }
  if (options.json) await printJson(results);
  else if (source !== undefined)
    await printLine(
      `the next sync of ${source} writes the same again: haverdict allow lets a subject pass in spite of its list`,
    );
  await waitFor(results.filter(({ removed }) => removed));
}

/** The canonical text, and the text as typed: invalid entries can be found only by their exact text. */
function spellings(text: string): string[] {
  try {
    const subject = parseSubject(text);
    return subject.kind === 'key' ? [formatSubject(subject)] : [formatSubject(subject), text];
  } catch (error) {
    if (error instanceof SubjectError) return [text];
    throw error;
  }
}

function canonical(text: string): string {
  return formatSubject(readSubject(text));
}

function asListed(item: Item | undefined): ListedItem | undefined {
  return item && listedItem(item, Date.now() / 1000);
}

function summary(subject: string, list: string, was: ListedItem | undefined): string {
  return `removed ${subject} from list ${list}${was === undefined ? '' : `: ${sentenceOf(was)}`}`;
}
