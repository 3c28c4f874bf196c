import type { ListRecord } from '../../functions/blocklist/managed-store.ts';
import type { Format } from '../formats/feed.ts';
import { readFeed } from '../formats/feed.ts';
import type { ProtectedSet } from '../protected.ts';
import { openSource } from '../source/source.ts';
import type { ListState } from './as-before.ts';
import { gather } from './gather.ts';
import type { BulkOptions } from './options.ts';
import type { Session } from './session.ts';
import type { WantedEntries } from './wanted.ts';

/** What a source said of itself, for the list's record; undefined if it has not changed since the last run. */
export interface ReadSource {
  /** Its name. */
  readonly source: string;
  readonly format: Format;
  readonly etag: string | undefined;
  readonly lastModified: string | undefined;
  readonly skipped: number;
}

/** Reads a source into `wanted`. What a server said the last time makes it tell only what is new. */
export async function readSource(
  source: string,
  wanted: WantedEntries,
  options: BulkOptions & {
    /** What the list's record says, if a source that has not changed since leaves nothing to do. */
    readonly before: ListRecord | undefined;
    readonly guard: ProtectedSet | undefined;
    readonly nowMs: number;
    readonly signal: AbortSignal;
    readonly tell: (line: string) => void;
    readonly say: (line: string) => Promise<void>;
  },
): Promise<ReadSource | undefined> {
  const { before, guard, nowMs, signal, tell, say, inside } = options;
  const opened = await openSource(source, { etag: before?.etag, lastModified: before?.lastModified, signal, inside });
  await say(opened.said);
  if (opened.unchanged) return undefined;
  const { name, ending, bytes, etag, lastModified } = opened;
  const { format, minScore, kind } = options;
  const feed = await readFeed(bytes, { name, ending, format, minScore, kind, nowMs });
  const skipped = await gather(wanted, { feed, name, guard, skipBad: options.skipBad === true, signal, tell, nowMs });
  return { source: name, format: feed.format, etag, lastModified, skipped };
}

/** What the list's record says of its source after a run that was not stopped; `state` is how the run left the list. */
export async function remember(
  { store, options: { list }, read, asked }: Pick<Session, 'store' | 'options' | 'read' | 'asked'>,
  state: ListState | undefined,
  entries: number | undefined,
): Promise<void> {
  const { source, format, etag, lastModified } = read;
  const left = state?.after(asked);
  const syncedAt = new Date().toISOString();
  await store.updateList(list, { source, format, etag, lastModified, left, entries, syncedAt });
}
