import { readEntry } from '../../blocklist/as-meant.ts';
import { isExpired } from '../../blocklist/entry.ts';
import type { Item } from '../../blocklist/store.ts';

/** Counts of the items of a list. */
export interface ListSummary {
  readonly entries: number;
  readonly expired: number;
  /** Items that are not valid entries. */
  readonly bad: number;
  /** The number of valid entries by action. */
  readonly byAction: Readonly<Record<string, number>>;
  readonly byKind: Readonly<Record<string, number>>;
  /** The creation times of the oldest and newest entry, ISO 8601; absent if no entry has one. */
  readonly oldest?: string;
  readonly newest?: string;
}

/** Counts the items of one list as they are read. */
export async function summaryOf(items: AsyncIterable<Item>, nowSeconds: number): Promise<ListSummary> {
  let [entries, expired, bad] = [0, 0, 0];
  let [oldest, newest]: (string | undefined)[] = [];
  const [byAction, byKind] = [new Map<string, number>(), new Map<string, number>()];
  for await (const item of items) {
    entries++;
    const parsed = readEntry(item);
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
