import { Command } from 'commander';
import type { Item } from '../../blocklist/store.ts';
import { formatSubject, parseSubject, SubjectError } from '../../contract/subject.ts';
import { actor } from '../entries/actor.ts';
import { jsonOf, type ListedItem, listedItem, sentenceOf } from '../entries/listed-item.ts';
import { editOfRemoval, newRunId } from '../entries/run.ts';
import { addWaitOptions, startWaiting, type WaitOptions } from '../entries/wait.ts';
import { readText } from '../entries/write-entries.ts';
import { addExamples } from '../help/examples.ts';
import { DEFAULT_LIST, readList, readSubject } from '../options/arguments.ts';
import { withSecrets } from '../options/secret.ts';
import { addTableOptions, openBlocklist } from '../options/table-options.ts';
import { printJson, printLine } from '../output/output.ts';

interface RemoveOptions extends WaitOptions {
  readonly list: string;
  readonly reason?: string;
}

export function removeCommand(): Command {
  const command = new Command('remove')
    .description('remove the entries with exactly these subjects from a list')
    .argument(
      '<subject...>',
      'an address, a network, or kind:value; or the text of an invalid entry as it is in the table',
    )
    .option('--list <name>', 'the list to remove from', readList, DEFAULT_LIST)
    .option('--reason <text>', 'the reason, recorded in the history', readText)
    .option('--json', 'print the removed entries as a JSON array');
  return addExamples(
    addTableOptions(addWaitOptions(command)),
    'haverdict remove 203.0.113.7 203.0.113.0/24 --reason "false alarm"',
    'haverdict remove host:shop.example --list tenant-a',
    'haverdict remove key:- < found-key.txt',
  ).action(remove);
}

async function remove(typed: string[], options: RemoveOptions): Promise<void> {
  const texts = await withSecrets(typed);
  const keys = [...new Set(texts.flatMap(spellings))].map((subject) => ({ subject, list: options.list }));
  const blocklist = await openBlocklist(options);
  const waitFor = await startWaiting(options, blocklist);
  const items = new Map((await blocklist.bulk.read(keys)).map((item) => [String(item.subject), item]));
  for (const text of texts) if (!spellings(text).some((subject) => items.has(subject))) readSubject(text);
  if (items.size > 0)
    await blocklist.history.record(
      {
        ...{ list: options.list, change: 'remove', at: new Date().toISOString(), by: actor(), run: newRunId() },
        subjects: [...items.keys()],
        ...(options.reason !== undefined && { why: options.reason }),
      },
      { edits: [...items.values()].map(editOfRemoval) },
    );
  const results = [];
  for (const subject of new Set(
    texts.map((text) => spellings(text).find((one) => items.has(one)) ?? canonical(text)),
  )) {
    const removed = await blocklist.entries.remove({ subject, list: options.list });
    const was = asListed(items.get(subject));
    results.push({ subject, list: options.list, removed, ...(was && { entry: jsonOf(was) }) });
    if (!options.json)
      await printLine(
        removed ? summary(subject, options.list, was) : `list ${options.list} has no entry for ${subject}`,
      );
  }
  if (options.json) await printJson(results);
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
