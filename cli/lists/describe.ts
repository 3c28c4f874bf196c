import type { Lease, ListRecord, RecordedChange } from '../../blocklist/records.ts';
import type { Blocklist } from '../../blocklist/store.ts';
import { CliError, EXIT } from '../exit/cli-error.ts';
import { expiryText } from '../options/expiry.ts';
import { openBlocklist, type TableOptions } from '../options/table-options.ts';
import { printJson, printLine } from '../output/output.ts';
import { printTable } from '../output/table.ts';
import { CHANGE_COLUMNS, changeCells } from './history-table.ts';
import { type ListSummary, summaryOf } from './summary.ts';

interface DescribeOptions extends TableOptions {
  readonly json?: true;
}

/** The number of changes shown; `history --list` prints all. */
const LAST_CHANGES = 5;

interface Description {
  readonly name: string;
  readonly registered: boolean;
  readonly record?: ListRecord;
  readonly summary: ListSummary;
  /** The run that is changing the list now. */
  readonly lease?: Lease;
  readonly changes: readonly RecordedChange[];
}

/** Prints the contents, source and last changes of a list. */
export async function describeList(name: string, options: DescribeOptions): Promise<void> {
  const description = await descriptionOf(name, await openBlocklist(options), Date.now() / 1000);
  const { registered, summary, changes } = description;
  if (!registered && summary.entries === 0 && changes.length === 0)
    throw new CliError(EXIT.failed, `list ${name} does not exist in table ${options.table}: see haverdict lists --all`);
  if (options.json) return printJson(description);
  const rows = lines(description).filter(([, value]) => value !== undefined);
  await printTable(
    ['LIST', name],
    rows.map(([what, value]) => [what, String(value)]),
  );
  if (changes.length === 0) return;
  await printLine('');
  await printTable(CHANGE_COLUMNS, changes.map(changeCells));
}

async function descriptionOf(
  name: string,
  { entries, lists, history }: Blocklist,
  nowSeconds: number,
): Promise<Description> {
  const [record, lease, changes] = await Promise.all([
    lists.find(name),
    lists.leaseOf(name),
    firstOf(history.of(name), LAST_CHANGES),
  ]);
  return {
    ...{ name, registered: record !== undefined, summary: await summaryOf(entries.ofList(name), nowSeconds) },
    ...(record !== undefined && { record }),
    ...(lease !== undefined && lease.until > nowSeconds && { lease }),
    changes,
  };
}

function lines({ registered, record, summary, lease }: Description): [what: string, value: unknown][] {
  return [
    ['registered', registered ? [record?.createdAt, record?.createdBy].join(' ').trim() || 'yes' : 'no'],
    ['description', record?.description],
    ['owner', record?.owner],
    ['source', record?.source],
    ['format', record?.format],
    ['trusted with', record?.trust],
    ['etag', record?.etag],
    ['last modified', record?.lastModified],
    ['synced', record?.syncedAt],
    ['skipped as invalid', record?.invalid],
    ['skipped as protected', record?.protected],
    ['changed by', lease && `${lease.holder}, until ${expiryText(lease.until)}`],
    ['entries', summary.entries],
    ['expired', summary.expired || undefined],
    ['bad', summary.bad || undefined],
    ['by action', countsText(summary.byAction)],
    ['by kind', countsText(summary.byKind)],
    ['oldest', summary.oldest],
    ['newest', summary.newest],
  ];
}

function countsText(counts: Readonly<Record<string, number>>): string | undefined {
  const texts = Object.entries(counts).map(([name, count]) => `${name} ${count}`);
  return texts.length === 0 ? undefined : texts.join(', ');
}

async function firstOf<Piece>(pieces: AsyncIterable<Piece>, count: number): Promise<Piece[]> {
  const first: Piece[] = [];
  for await (const piece of pieces) if (first.push(piece) === count) break;
  return first;
}
