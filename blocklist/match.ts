import type { Action } from '../contract/check.ts';
import { specificity } from '../contract/subject.ts';
import { isExpired, type StoredEntry } from './entry.ts';

/**
 * Of all entries found for one subject, the one that wins: an allow, then the most specific, then that of the first list.
 * One that is only logged loses to every other: what is on trial changes nothing for anybody.
 */
export function winner<Entry extends StoredEntry>(
  found: readonly Entry[],
  lists: readonly string[],
  nowSeconds: number,
): Entry | undefined {
  const counting = found.filter((entry) => lists.includes(entry.list) && !isExpired(entry, nowSeconds));
  return counting.reduce<Entry | undefined>(
    (best, entry) => (best === undefined || precedes(entry, best, lists) ? entry : best),
    undefined,
  );
}

function precedes(a: StoredEntry, b: StoredEntry, lists: readonly string[]): boolean {
  if (RANK[a.action] !== RANK[b.action]) return RANK[a.action] < RANK[b.action];
  const [ofA, ofB] = [specificity(a.subject), specificity(b.subject)];
  return ofA === ofB ? lists.indexOf(a.list) < lists.indexOf(b.list) : ofA > ofB;
}

const RANK = { allow: 0, deny: 1, tarpit: 1, drop: 1, redirect: 1, route: 1, tag: 1, log: 2 } as const satisfies Record<
  Action,
  number
>;
