import { Command, Option } from 'commander';
import { readEntry } from '../../blocklist/as-meant.ts';
import { isExpired, type StoredEntry } from '../../blocklist/entry.ts';
import type { Item } from '../../blocklist/store.ts';
import { printable } from '../../contract/printable.ts';
import { WRITTEN_FORMATS, type WrittenFormat, writeFeed } from '../formats/write-feed.ts';
import { addExamples } from '../help/examples.ts';
import { DEFAULT_LIST, readList } from '../options/arguments.ts';
import { addTableOptions, openBlocklist, type TableOptions } from '../options/table-options.ts';
import { warn, write } from '../output/output.ts';
import { writeWhole } from '../output/write-whole.ts';

interface ExportOptions extends TableOptions {
  readonly format: WrittenFormat;
  readonly out?: string;
  readonly expired?: true;
}

export function exportCommand(): Command {
  const command = new Command('export')
    .description('write the entries of a list to standard output or a file')
    .argument('[list]', 'the list', readList, DEFAULT_LIST)
    .addOption(
      new Option('--format <name>', 'the format; ndjson and csv keep every attribute')
        .choices(WRITTEN_FORMATS)
        .default('ndjson'),
    )
    .option('--out <file>', 'write to this file, which is replaced only when complete')
    .option('--expired', 'include expired entries');
  return addExamples(
    addTableOptions(command),
    'haverdict export manual --out manual.ndjson',
    'haverdict export drop --format plain',
    'haverdict export manual --format csv | column -s, -t',
  ).action(exportList);
}

async function exportList(list: string, options: ExportOptions): Promise<void> {
  const { entries } = await openBlocklist(options);
  const text = writeFeed(options.format, good(entries.ofList(list), options.expired === true));
  if (options.out === undefined) for await (const part of text) await write(part);
  else await writeWhole(options.out, text, 0o644);
}

async function* good(items: AsyncIterable<Item>, withExpired: boolean): AsyncGenerator<StoredEntry> {
  const nowSeconds = Date.now() / 1000;
  for await (const item of items) {
    const parsed = readEntry(item);
    if ('problem' in parsed) warn(`${printable(String(item.subject))} is not exported: ${parsed.problem}`);
    else if (withExpired || !isExpired(parsed.entry, nowSeconds)) yield parsed.entry;
  }
}
