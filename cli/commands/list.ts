import { Command } from 'commander';
import type { ListStore } from '../../blocklist/records.ts';
import { didYouMean } from '../../config/did-you-mean.ts';
import { type AgentAddress, readAgents } from '../agent-client/agent-address.ts';
import { askHits, type EntryCount } from '../agent-client/agent-hits.ts';
import { addFilterOptions, type FilterOptions, filterOf, isFiltering } from '../entries/filter.ts';
import { COLUMNS, cellsOf, jsonOf, listedItem } from '../entries/listed-item.ts';
import { knownLists } from '../entries/register-list.ts';
import { addExamples } from '../help/examples.ts';
import { DEFAULT_LIST, MAX_LIMIT, readLimit, readList } from '../options/arguments.ts';
import { addTableOptions, openBlocklist, type TableOptions } from '../options/table-options.ts';
import { printJsonLine, printLine, terminalColumns } from '../output/output.ts';
import { headingOf, printRow, printTable } from '../output/table.ts';

interface ListOptions extends TableOptions, FilterOptions {
  readonly reason?: string;
  readonly agents?: AgentAddress[];
  readonly limit?: number;
  readonly json?: true;
}

/** Rows under one heading on a terminal, in columns that fit it. */
const ROWS_A_SCREEN = 500;
/** Fixed widths: a list may exceed memory, so the widest cell is unknown when the first line is printed. */
const HITS_WIDTH = 6;
const widthsFor = (list: string) => [34, Math.max(10, list.length), 8, 6, 20, 16, 7, 20, 20];

export function listCommand(): Command {
  const command = new Command('list')
    .description('print the entries of a list, sorted by subject')
    .argument('[list]', 'the list', readList, DEFAULT_LIST)
    .option(
      '--agents <addresses>',
      'with how many requests each entry has denied, by the counts of these agents: their admin.listen or admin.socket',
      readAgents,
    )
    .option('--limit <number>', `print so many entries, at most ${MAX_LIMIT} (default: all)`, readLimit)
    .option('--json', 'print one JSON object per line');
  return addExamples(
    addTableOptions(addFilterOptions(command, 'reason')),
    'haverdict list',
    'haverdict list manual --within 203.0.113.0/24 --expiring 24h --json',
    'haverdict list feed --agents 10.0.0.1:9101,10.0.0.2:9101',
  ).action(printList);
}

async function printList(list: string, options: ListOptions): Promise<void> {
  const hitsOf = options.agents && (await askHits(options.agents));
  const { entries, lists } = await openBlocklist(options);
  const nowSeconds = Date.now() / 1000;
  let printed = 0;
  const columns = terminalColumns();
  const onScreen: string[][] = [];
  const heading = hitsOf === undefined ? COLUMNS : ['HITS', ...COLUMNS];
  const widths = hitsOf === undefined ? widthsFor(list) : [HITS_WIDTH, ...widthsFor(list)];
  const printScreen = () => printTable(heading, onScreen.splice(0));
  const isMeant = filterOf(options, options.reason, nowSeconds);
  for await (const item of entries.ofList(list)) {
    if (!isMeant(item)) continue;
    const listed = listedItem(item, nowSeconds);
    const hits = hitsOf?.(String(item.subject), list);
    const cells = [...(hits === undefined ? [] : [hitsText(hits)]), ...cellsOf(listed)];
    printed++;
    if (options.json) await printJsonLine({ ...jsonOf(listed), ...(hits && { hits }) });
    else if (columns !== undefined) {
      if (onScreen.push(cells) === ROWS_A_SCREEN) await printScreen();
    } else {
      if (printed === 1) await printRow(headingOf(heading), widths);
      await printRow(cells, widths);
    }
    if (printed === options.limit) break;
  }
  if (onScreen.length > 0) await printScreen();
  if (printed > 0 || options.json) return;
  const none = isFiltering(options, options.reason) ? 'such entries' : 'entries';
  await printLine(`list ${list} of table ${options.table} has no ${none}${await guessFor(list, lists)}`);
}

/** Where there is no such list, the one that was probably meant. */
async function guessFor(list: string, lists: ListStore): Promise<string> {
  if ((await lists.find(list)) !== undefined) return '';
  const meant = didYouMean(list, await knownLists(lists));
  return meant === undefined || meant === list ? '' : `: did you mean ${meant}?`;
}

/** `12+` is at least 12. */
function hitsText({ count, isComplete }: EntryCount): string {
  return `${count}${isComplete ? '' : '+'}`;
}
