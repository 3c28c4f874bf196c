import { Command } from 'commander';
import type { ListRecord } from '../../blocklist/records.ts';
import type { Blocklist, BulkStore, EntryStore } from '../../blocklist/store.ts';
import { isReserved } from '../../blocklist/table.ts';
import { actor } from '../entries/actor.ts';
import { readText } from '../entries/write-entries.ts';
import { CliError, EXIT } from '../exit/cli-error.ts';
import { addExamples } from '../help/examples.ts';
import { deleteList } from '../lists/delete.ts';
import { describeList } from '../lists/describe.ts';
import { readList } from '../options/arguments.ts';
import { addTableOptions, openBlocklist, type TableOptions } from '../options/table-options.ts';
import { printJson, printLine } from '../output/output.ts';
import { printTable } from '../output/table.ts';

interface ListsOptions extends TableOptions {
  readonly all?: true;
  readonly count?: true;
  readonly json?: true;
}

interface CreateOptions extends TableOptions {
  readonly description?: string;
  readonly owner?: string;
  readonly json?: true;
}

/** `print` is a subcommand too, so that options after another subcommand belong to that one. */
export function listsCommand(): Command {
  const command = new Command('lists')
    .description('print, create, describe and delete lists')
    .addCommand(printCommand(), { isDefault: true })
    .addCommand(createCommand())
    .addCommand(describeCommand())
    .addCommand(deleteCommand());
  return addExamples(
    command,
    'haverdict lists --all',
    'haverdict lists create spamhaus-drop --description "networks of spammers" --owner abuse-team',
    'haverdict lists describe spamhaus-drop',
    'haverdict lists delete spamhaus-drop --yes',
  );
}

function printCommand(): Command {
  const command = new Command('print')
    .description('print the registered lists (the default)')
    .option('--count', 'count the entries of each')
    .option('--all', 'scan the whole table to find unregistered lists too; also counts entries')
    .option('--json', 'print a JSON array');
  return addTableOptions(command).action(printLists);
}

function createCommand(): Command {
  const command = new Command('create')
    .description('register a list with its purpose and owner')
    .argument('<name>', 'the list', readList)
    .option('--description <text>', 'the purpose of the list', readText)
    .option('--owner <text>', 'the maintainers of the list', readText)
    .option('--json', 'print the registration as JSON');
  return addTableOptions(command).action(createList);
}

function describeCommand(): Command {
  const command = new Command('describe')
    .description('print the contents, source and latest changes of a list')
    .argument('<name>', 'the list', readList)
    .option('--json', 'print a JSON object');
  return addTableOptions(command).action(describeList);
}

function deleteCommand(): Command {
  const command = new Command('delete')
    .description('remove all entries of a list, then its registration; its history is kept')
    .argument('<name>', 'the list', readList)
    .option('--yes', 'really delete; without it only the number of entries is printed')
    .option('--json', 'print the result as JSON');
  return addTableOptions(command).action(deleteList);
}

/** A list as printed; `counted` is the current number of entries, if they were counted. */
type PrintedList = ListRecord & { readonly registered: boolean; readonly counted?: number };

async function printLists(options: ListsOptions): Promise<void> {
  const lists = await listsOf(await openBlocklist(options), options);
  if (options.json) return printJson(lists);
  if (lists.length === 0)
    return printLine(`table ${options.table} has no registered lists; --all finds unregistered ones`);
  const heading = ['NAME', 'REGISTERED', 'ENTRIES', 'SYNCED', 'SOURCE', 'OWNER', 'DESCRIPTION'];
  const cells = ({ name, registered, counted, syncedAt, source, owner, description }: PrintedList) =>
    [name, registered ? 'yes' : 'no', counted, syncedAt, source, owner, description].map((cell) => String(cell ?? ''));
  await printTable(heading, lists.map(cells));
}

async function listsOf(
  { entries, bulk, lists: register }: Blocklist,
  { all, count }: ListsOptions,
): Promise<PrintedList[]> {
  const lists = new Map<string, PrintedList>();
  for await (const record of register.all()) lists.set(record.name, { ...record, registered: true });
  if (all === true) {
    for (const [name, counted] of await countsOfTable(bulk))
      lists.set(name, { name, registered: false, ...lists.get(name), counted });
  }
  if (all === true || count === true) {
    for (const [name, list] of lists)
      if (list.counted === undefined) lists.set(name, { ...list, counted: all ? 0 : await countOf(entries, name) });
  }
  return [...lists.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

async function countsOfTable(bulk: Pick<BulkStore, 'scan'>): Promise<Map<string, number>> {
  const counts = new Map<string, number>();
  for await (const { subject, list } of bulk.scan())
    if (!isReserved(subject)) counts.set(String(list), (counts.get(String(list)) ?? 0) + 1);
  return counts;
}

async function countOf(entries: Pick<EntryStore, 'ofList'>, list: string): Promise<number> {
  let count = 0;
  for await (const _item of entries.ofList(list)) count++;
  return count;
}

async function createList(name: string, { description, owner, ...options }: CreateOptions): Promise<void> {
  const blocklist = await openBlocklist(options);
  const registered = await blocklist.lists.find(name);
  if (registered !== undefined) throw taken(registered);
  const [by, at] = [actor(), new Date().toISOString()];
  const record: ListRecord = {
    ...{ name, createdBy: by, createdAt: at },
    ...(description !== undefined && { description }),
    ...(owner !== undefined && { owner }),
  };
  await blocklist.history.record({
    list: name,
    change: 'list-created',
    at,
    by,
    ...(description !== undefined && { why: description }),
  });
  if (!(await blocklist.lists.create(record))) throw taken({ name }); // created concurrently
  await (options.json ? printJson(record) : printLine(`list ${name} is registered`));
}

function taken({ name, createdBy, createdAt }: ListRecord): CliError {
  const who = createdBy === undefined ? '' : ` by ${createdBy}`;
  const when = createdAt === undefined ? '' : ` at ${createdAt}`;
  return new CliError(EXIT.failed, `list ${name} is already registered${who}${when}`);
}
