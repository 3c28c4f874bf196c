import { Command } from 'commander';
import { addFilterOptions, type FilterOptions, filterOf, isFiltering } from '../entries/filter.ts';
import { COLUMNS, cellsOf, jsonOf, type ListedItem, listedItem } from '../entries/listed-item.ts';
import { addExamples } from '../help/examples.ts';
import { DEFAULT_LIST, readList } from '../options/arguments.ts';
import { addTableOptions, openBlocklist, type TableOptions } from '../options/table-options.ts';
import { printJsonLine, printLine, terminalColumns } from '../output/output.ts';
import { headingOf, printRow, printTable } from '../output/table.ts';

interface ListOptions extends TableOptions, FilterOptions {
  readonly reason?: string;
  readonly json?: true;
}

/** Rows under one heading on a terminal, in columns that fit it. */
const ROWS_A_SCREEN = 500;
/** Fixed widths: a list may exceed memory, so the widest cell is unknown when the first line is printed. */
const WIDTHS = [34, 10, 8, 6, 20, 16, 7, 20, 20];

export function listCommand(): Command {
  const command = new Command('list')
    .description('print the entries of a list, sorted by subject')
    .argument('[list]', 'the list', readList, DEFAULT_LIST)
    .option('--json', 'print one JSON object per line');
  return addExamples(
    addTableOptions(addFilterOptions(command, 'reason')),
    'haverdict list',
    'haverdict list manual --within 203.0.113.0/24 --expiring 24h --json',
  ).action(printList);
}

async function printList(list: string, options: ListOptions): Promise<void> {
  const { entries } = await openBlocklist(options);
  const nowSeconds = Date.now() / 1000;
  let printed = 0;
  const columns = terminalColumns();
  const onScreen: ListedItem[] = [];
  const printScreen = () =>
    printTable(
      COLUMNS,
      onScreen.splice(0).map((listed) => cellsOf(listed)),
    );
  const isMeant = filterOf(options, options.reason, nowSeconds);
  for await (const item of entries.ofList(list)) {
    if (!isMeant(item)) continue;
    const listed = listedItem(item, nowSeconds);
    printed++;
    if (options.json) await printJsonLine(jsonOf(listed));
    else if (columns !== undefined) {
      if (onScreen.push(listed) === ROWS_A_SCREEN) await printScreen();
    } else {
      if (printed === 1) await printRow(headingOf(COLUMNS), WIDTHS);
      await printRow(cellsOf(listed), WIDTHS);
    }
  }
  if (onScreen.length > 0) await printScreen();
  if (printed === 0 && !options.json)
    await printLine(
      `list ${list} of table ${options.table} has no ${isFiltering(options, options.reason) ? 'such entries' : 'entries'}`,
    );
}
