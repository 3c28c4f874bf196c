import { isExpired, parseEntry } from '../../blocklist/entry.ts';
import type { Item } from '../../blocklist/store.ts';

/** What is in a list. */
export interface ListSummary {
  readonly entries: number;
  readonly expired: number;
  /** Items that are no entries. */
  readonly bad: number;
  /** How many do what, of those that are entries. */
  readonly byAction: Readonly<Record<string, number>>;
  readonly byKind: Readonly<Record<string, number>>;
  /** When the first and the last of them were made, ISO 8601; absent where none says. */
  readonly oldest?: string;
  readonly newest?: string;
}

/** Counts the items of one list, one after the other. */
export async function summaryOf(items: AsyncIterable<Item>, nowSeconds: number): Promise<ListSummary> {
  let [entries, expired, bad] = [0, 0, 0];
  let [oldest, newest]: (string | undefined)[] = [];
  const [byAction, byKind] = [new Map<string, number>(), new Map<string, number>()];
  for await (const item of items) {
    entries++;
    const parsed = parseEntry(item);
    if ('problem' in parsed) {
      bad++;
      continue;
    }
    const { subject, action, createdAt } = parsed.entry;
    if (isExpired(parsed.entry, nowSeconds)) expired++;
    count(byAction, action);
    count(byKind, subject.slice(0, subject.indexOf(':')));
    if (createdAt === undefined) continue;
    if (oldest === undefined || createdAt < oldest) oldest = createdAt;
    if (newest === undefined || createdAt > newest) newest = createdAt;
  }
  return {
    ...{ entries, expired, bad, byAction: inOrder(byAction), byKind: inOrder(byKind) },
    ...(oldest !== undefined && { oldest }),
    ...(newest !== undefined && { newest }),
  };
}

function count(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}

function inOrder(counts: ReadonlyMap<string, number>): Record<string, number> {
  return Object.fromEntries([...counts].sort(([a], [b]) => (a < b ? -1 : 1)));
}
