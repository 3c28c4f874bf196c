import { standing } from '../contract/precedence.ts';
import { specificity } from '../contract/subject.ts';
import { isExpired, type StoredEntry } from './entry.ts';

/** The winner of all entries found for one subject; an entry in shadow mode loses to every other one. */
export function winner<Entry extends StoredEntry>(
  found: readonly Entry[],
  lists: readonly string[],
  nowSeconds: number,
): Entry | undefined {
  let won: { entry: Entry; at: number } | undefined;
  for (const entry of found) {
    if (!lists.includes(entry.list) || isExpired(entry, nowSeconds)) continue;
    const at = standing(entry.action, specificity(entry.subject), lists.indexOf(entry.list));
    if (won === undefined || at < won.at) won = { entry, at };
  }
  return won?.entry;
}
