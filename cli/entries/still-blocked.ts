import { readEntry } from '../../blocklist/as-meant.ts';
import { isExpired, type StoredEntry } from '../../blocklist/entry.ts';
import { winner } from '../../blocklist/precedence.ts';
import type { EntryStore } from '../../blocklist/store.ts';
import { endsRequest } from '../../contract/actions.ts';
import { parseSubject, SubjectError } from '../../contract/subject.ts';
import { itemsCovering } from './listed-item.ts';

/** The entry that keeps this subject out if every list is asked; undefined if none does, or an allow overrides it. */
export async function blockOf(
  subject: string,
  entries: Pick<EntryStore, 'ofSubject'>,
  nowSeconds: number,
): Promise<StoredEntry | undefined> {
  try {
    const items = await itemsCovering(parseSubject(subject), entries);
    const found = items.flatMap((item) => {
      const read = readEntry(item);
      return 'entry' in read && !isExpired(read.entry, nowSeconds) ? [read.entry] : [];
    });
    const won = winner(found, [...new Set(found.map(({ list }) => list))].sort(), nowSeconds);
    return won !== undefined && endsRequest(won.action) ? won : undefined;
  } catch (error) {
    if (error instanceof SubjectError) return undefined; // text that no command writes matches nobody
    throw error;
  }
}
