import { Command } from 'commander';
import { DEFAULT_LIST, readList, readSubjects } from '../arguments.ts';
import { printJson, printLine } from '../output.ts';
import { addTableOptions, openStore, type TableOptions } from '../table-options.ts';

interface RemoveOptions extends TableOptions {
  readonly list: string;
  readonly json?: true;
}

export function removeCommand(): Command {
  const command = new Command('remove')
    .description('remove the entries of exactly these subjects from a list')
    .argument('<subject...>', 'an address, a network, or kind:value')
    .option('--list <name>', 'the list to remove from', readList, DEFAULT_LIST)
    .option('--json', 'print as a JSON array what was there');
  return addTableOptions(command).action(remove);
}

async function remove(texts: string[], options: RemoveOptions): Promise<void> {
  const keys = readSubjects(texts).map((subject) => ({ subject, list: options.list }));
  const store = await openStore(options);
  const results = [];
  for (const key of keys) {
    const removed = await store.remove(key);
    results.push({ ...key, removed });
    if (!options.json)
      await printLine(removed ? `removed ${key.subject} from ${key.list}` : `${key.subject} was not in ${key.list}`);
  }
  if (options.json) await printJson(results);
}
