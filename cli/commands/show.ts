import { Command } from 'commander';
import { winner } from '../../blocklist/precedence.ts';
import { formatSubject } from '../../contract/subject.ts';
import { COLUMNS, cellsOf, itemsCovering, jsonOf, type ListedItem, listedItem } from '../entries/listed-item.ts';
import { addExamples } from '../help/examples.ts';
import { DEFAULT_LIST, readLists, readSubject } from '../options/arguments.ts';
import { withSecrets } from '../options/secret.ts';
import { addTableOptions, openBlocklist, type TableOptions } from '../options/table-options.ts';
import { printJson, printLine } from '../output/output.ts';
import { printTable } from '../output/table.ts';

interface ShowOptions extends TableOptions {
  readonly lists?: string[];
  readonly json?: true;
}

export function showCommand(): Command {
  const command = new Command('show')
    .description('print every entry that matches a subject, and which one wins')
    .argument('<subject>', 'an address, a network, or kind:value')
    .option('--lists <names>', 'the lists to look in, in order of precedence (default: all, manual first)', readLists)
    .option('--json', 'print a JSON array');
  return addExamples(
    addTableOptions(command),
    'haverdict show 203.0.113.7',
    'haverdict show 203.0.113.0/24 --lists manual,feed --json',
  ).action(show);
}

async function show(typed: string, options: ShowOptions): Promise<void> {
  const [text = typed] = await withSecrets([typed]);
  const subject = readSubject(text);
  const nowSeconds = Date.now() / 1000;
  const items = await itemsCovering(subject, (await openBlocklist(options)).entries);
  const listed = items.map((item) => listedItem(item, nowSeconds));
  const entries = listed.flatMap((one) => (one.state === 'bad' ? [] : [one.entry]));
  const lists = options.lists ?? byDefault(entries.map((entry) => entry.list));
  const won = winner(entries, lists, nowSeconds);
  const wins = (one: ListedItem) => one.state !== 'bad' && one.entry === won;

  if (options.json)
    return printJson(listed.map((one) => ({ ...jsonOf(one), outcome: outcomeOf(one, wins(one), lists) })));
  if (listed.length === 0) return printLine(`table ${options.table} has no entry for ${formatSubject(subject)}`);
  await printTable(
    COLUMNS,
    listed.map((one) => cellsOf(one, stateOf(one, wins(one), lists))),
  );
}

function byDefault(lists: readonly string[]): string[] {
  return [DEFAULT_LIST, ...lists.filter((list) => list !== DEFAULT_LIST).sort()];
}

/** The same word that `explain` has. */
function outcomeOf(one: ListedItem, wins: boolean, lists: readonly string[]): string {
  if (one.state !== 'good') return one.state;
  if (wins) return 'wins';
  return lists.includes(one.entry.list) ? 'loses' : 'not asked';
}

function stateOf(one: ListedItem, wins: boolean, lists: readonly string[]): string {
  if (wins) return 'wins';
  return one.state === 'bad' || lists.includes(one.entry.list) ? '' : 'not asked';
}
