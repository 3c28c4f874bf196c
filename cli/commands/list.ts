import { Command } from 'commander';
import { COLUMNS, cellsOf, jsonOf, type ListedItem, listedItem } from '../entries/listed-item.ts';
import { addExamples } from '../help/examples.ts';
import { DEFAULT_LIST, readList } from '../options/arguments.ts';
import { addTableOptions, openBlocklist, type TableOptions } from '../options/table-options.ts';
import { headingOf, printJsonLine, printLine, printRow, printTable, terminalColumns } from '../output/output.ts';

interface ListOptions extends TableOptions {
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
  return addExamples(addTableOptions(command), 'haverdict list', 'haverdict list manual --json').action(printList);
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
  for await (const item of entries.ofList(list)) {
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
  if (printed === 0 && !options.json) await printLine(`list ${list} of table ${options.table} has no entries`);
}
