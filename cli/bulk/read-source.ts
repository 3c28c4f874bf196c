import type { ListRecord, ManagedStore } from '../../functions/blocklist/managed-store.ts';
import type { Format } from '../formats/feed.ts';
import { readFeed } from '../formats/feed.ts';
import type { ProtectedSet } from '../protected.ts';
import { openSource, sourceName } from '../source/source.ts';
import { gather } from './gather.ts';
import type { BulkOptions } from './options.ts';
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
    readonly known: ListRecord | undefined;
    readonly guard: ProtectedSet | undefined;
    readonly nowMs: number;
    readonly signal: AbortSignal;
    readonly tell: (line: string) => void;
    readonly say: (line: string) => Promise<void>;
  },
): Promise<ReadSource | undefined> {
  const { known, guard, nowMs, signal, tell, say, refetch } = options;
  const before = known?.source === sourceName(source) && refetch !== true ? known : undefined;
  const opened = await openSource(source, { etag: before?.etag, lastModified: before?.lastModified, signal });
  await say(opened.said);
  if (opened.unchanged) return undefined;
  const { name, bytes, etag, lastModified } = opened;
  const { format, minScore, kind } = options;
  const feed = await readFeed(bytes, { name, format, minScore, kind, nowMs });
  const skipped = await gather(wanted, { feed, name, guard, skipBad: options.skipBad === true, signal, tell, nowMs });
  return { source: name, format: feed.format, etag, lastModified, skipped };
}

/** What the list's record says of its source after a run that was not stopped. */
export async function remember(
  store: ManagedStore,
  list: string,
  { source, format, etag, lastModified }: ReadSource,
  entries: number | undefined,
): Promise<void> {
  await store.updateList(list, { source, format, etag, lastModified, entries, syncedAt: new Date().toISOString() });
}
