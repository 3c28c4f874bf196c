import type { Action } from '../../contract/check.ts';
import { isExpired, type StoredEntry } from './entry.ts';

/**
 * Of all entries found for one subject, the one that wins: an allow, then the longest prefix, then the first list. One
 * that is only logged loses to every other: what is on trial changes nothing for anybody.
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
  const [aLength, bLength] = [prefixLength(a.subject), prefixLength(b.subject)];
  return aLength === bLength ? lists.indexOf(a.list) < lists.indexOf(b.list) : aLength > bLength;
}

const RANK = { allow: 0, deny: 1, tarpit: 1, drop: 1, redirect: 1, route: 1, tag: 1, log: 2 } as const satisfies Record<
  Action,
  number
>;

/** A single address is stored without a length and is longer than any network. Other kinds have no networks. */
function prefixLength(subject: string): number {
  const slash = subject.startsWith('ip:') ? subject.indexOf('/') : -1;
  return slash < 0 ? Number.POSITIVE_INFINITY : Number(subject.slice(slash + 1));
}
