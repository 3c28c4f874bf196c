import { DEFAULT_LIST } from '../options/arguments.ts';
import type { Session } from './session.ts';
import type { ListDigest } from './unchanged-source.ts';

/** What the list's record says of its source after a run that was not stopped; `state` is how the run left the list. */
export async function saveSourceState(
  { blocklist, options: { list }, read, asked }: Pick<Session, 'blocklist' | 'options' | 'read' | 'asked'>,
  state: ListDigest | undefined,
  entries: number | undefined,
): Promise<void> {
  const { source, etag, lastModified } = read;
  const left = state?.after(asked);
  const syncedAt = new Date().toISOString();
  // Anything is imported into the list of people: what holds for one source is not for the next.
  const { format, trust } = list === DEFAULT_LIST ? {} : read;
  await blocklist.lists.update(list, { source, format, trust, etag, lastModified, left, entries, syncedAt });
}
