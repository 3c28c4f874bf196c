import type { ListRecord } from '../../blocklist/records.ts';
import { readFeed } from '../formats/read-feed.ts';
import type { ProtectedSet } from '../guards/protected.ts';
import { DEFAULT_LIST } from '../options/arguments.ts';
import { openSource } from '../source/open-source.ts';
import { collectFeed } from './collect-feed.ts';
import type { DesiredEntries } from './desired-entries.ts';
import type { BulkOptions } from './options.ts';
import { storedTrust, Trust } from './trusted-attributes.ts';

/** What a source said of itself, for the list's record; undefined if it has not changed since the last run. */
export interface ReadSource {
  /** Its name. */
  readonly source: string;
  /** Undefined if there was nothing in it to tell it by. */
  readonly format: string | undefined;
  readonly etag: string | undefined;
  readonly lastModified: string | undefined;
  readonly skipped: number;
  /** What the source may say, as the list's record keeps it. */
  readonly trust: string | undefined;
  /** Whether the list had another source before, or none. */
  readonly isFirst: boolean;
}

/** Reads a source into `wanted`. What a server said the last time makes it tell only what is new. */
export async function readSource(
  source: string,
  wanted: DesiredEntries,
  options: BulkOptions & {
    /** What the list's record says, if a source that has not changed since leaves nothing to do. */
    readonly before: ListRecord | undefined;
    readonly known: ListRecord | undefined;
    readonly guard: ProtectedSet | undefined;
    readonly nowMs: number;
    readonly signal: AbortSignal;
    readonly tell: (line: string) => void;
    readonly say: (line: string) => Promise<void>;
  },
): Promise<ReadSource | undefined> {
  const { before, known, guard, nowMs, signal, tell, say, inside } = options;
  const opened = await openSource(source, { etag: before?.etag, lastModified: before?.lastModified, signal, inside });
  await say(opened.said);
  if (opened.unchanged) return undefined;
  const { name, ending, bytes, etag, lastModified } = opened;
  const { format, minScore, kind = 'ip', ignore } = options;
  const isFirst = known?.source !== name;
  const kept = isFirst || options.list === DEFAULT_LIST ? undefined : known;
  const words = options.trust ?? storedTrust(kept?.trust);
  const feed = await readFeed(bytes, { name, ending, format, minScore, kind, ignore, before: kept?.format, nowMs });
  const trust = new Trust(kind, words);
  const { skipInvalid = false, quiet = false } = options;
  const skipped = await collectFeed(wanted, { feed, name, guard, skipInvalid, quiet, trust, signal, tell, nowMs });
  return {
    ...{ source: name, etag, lastModified, skipped, isFirst },
    format: wanted.count === 0 && format === undefined ? kept?.format : feed.format,
    trust: words.length === 0 ? undefined : words.join(','),
  };
}
