import { factsOf } from '../contract/actions.ts';
import { specificity } from '../contract/subject.ts';
import { isExpired, type StoredEntry } from './entry.ts';

/**
 * The winner of all entries found for one subject: an allow, then the most specific, then that of the first list. An entry
 * in shadow mode loses to every other one.
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
  const [rankA, rankB] = [factsOf(a.action).rank, factsOf(b.action).rank];
  if (rankA !== rankB) return rankA < rankB;
  const [ofA, ofB] = [specificity(a.subject), specificity(b.subject)];
  return ofA === ofB ? lists.indexOf(a.list) < lists.indexOf(b.list) : ofA > ofB;
}
