import { Command } from 'commander';
import { COLUMNS, cellsOf, jsonOf, listedItem } from '../entries/listed-item.ts';
import { addExamples } from '../help/examples.ts';
import { DEFAULT_LIST, readList } from '../options/arguments.ts';
import { addTableOptions, openBlocklist, type TableOptions } from '../options/table-options.ts';
import { headingOf, printJsonLine, printLine, printRow } from '../output/output.ts';

interface ListOptions extends TableOptions {
  readonly json?: true;
}

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
  for await (const item of entries.ofList(list)) {
    const listed = listedItem(item, nowSeconds);
    if (printed++ === 0 && !options.json) await printRow(headingOf(COLUMNS), WIDTHS);
    await (options.json ? printJsonLine(jsonOf(listed)) : printRow(cellsOf(listed), WIDTHS));
  }
  if (printed === 0 && !options.json) await printLine(`list ${list} of table ${options.table} has no entries`);
}
