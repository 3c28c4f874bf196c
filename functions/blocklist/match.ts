import { isExpired, type StoredEntry } from './entry.ts';

/** Of all entries found for one subject, the one that wins: an allow, then the longest prefix, then the first list. */
export function winner(
  found: readonly StoredEntry[],
  lists: readonly string[],
  nowSeconds: number,
): StoredEntry | undefined {
  const counting = found.filter((entry) => lists.includes(entry.list) && !isExpired(entry, nowSeconds));
  return counting.reduce<StoredEntry | undefined>(
    (best, entry) => (best === undefined || precedes(entry, best, lists) ? entry : best),
    undefined,
  );
}

function precedes(a: StoredEntry, b: StoredEntry, lists: readonly string[]): boolean {
  if ((a.action === 'allow') !== (b.action === 'allow')) return a.action === 'allow';
  const [aLength, bLength] = [prefixLength(a.subject), prefixLength(b.subject)];
  return aLength === bLength ? lists.indexOf(a.list) < lists.indexOf(b.list) : aLength > bLength;
}

/** A single address is stored without a length and is longer than any network. Other kinds have no networks. */
function prefixLength(subject: string): number {
  const slash = subject.startsWith('ip:') ? subject.indexOf('/') : -1;
  return slash < 0 ? Number.POSITIVE_INFINITY : Number(subject.slice(slash + 1));
}
