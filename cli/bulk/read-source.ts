import type { ListRecord } from '../../blocklist/records.ts';
import { readFeed } from '../formats/read-feed.ts';
import type { ProtectedSet } from '../guards/protected.ts';
import { DEFAULT_LIST } from '../options/arguments.ts';
import { openSource } from '../source/open-source.ts';
import { collectFeed, type Skipped } from './collect-feed.ts';
import type { DesiredEntries } from './desired-entries.ts';
import { DEFAULT_MAX_INVALID } from './max-invalid.ts';
import { Names } from './names.ts';
import type { BulkOptions } from './options.ts';
import { storedTrust, TrustedAttributes } from './trusted-attributes.ts';

/** What the list's record stores about a source. */
export interface ReadSource {
  /** File name or URL. */
  readonly source: string;
  /** Undefined if the source was empty. */
  readonly format: string | undefined;
  readonly etag: string | undefined;
  readonly lastModified: string | undefined;
  readonly skipped: Skipped;
  /** The value of `--trust`, as the list's record stores it. */
  readonly trust: string | undefined;
  /** Whether the list had no source or another one before. */
  readonly isFirst: boolean;
}

/**
 * Reads a source into `wanted`. Sends the validators of the last run, so that a server can answer 304. Returns undefined if
 * the source has not changed.
 */
export async function readSource(
  source: string,
  wanted: DesiredEntries,
  options: BulkOptions & {
    /** The list's record, if nothing is to be done while the source is unchanged. */
    readonly before: ListRecord | undefined;
    readonly known: ListRecord | undefined;
    readonly guard: ProtectedSet | undefined;
    readonly nowMs: number;
    readonly signal: AbortSignal;
    readonly report: (line: string) => void;
    readonly print: (line: string) => Promise<void>;
  },
): Promise<ReadSource | undefined> {
  const { before, known, guard, nowMs, signal, report, print, inside } = options;
  const opened = await openSource(source, { etag: before?.etag, lastModified: before?.lastModified, signal, inside });
  await print(opened.summary);
  if (opened.unchanged) return undefined;
  const { name, ending, bytes, etag, lastModified } = opened;
  const { format, minScore, kind = 'ip', ignore, column, field: paths } = options;
  const isFirst = known?.source !== name;
  const kept = isFirst || options.list === DEFAULT_LIST ? undefined : known;
  const words = options.trust ?? storedTrust(kept?.trust);
  const feed = await readFeed(bytes, {
    ...{ name, ending, format, minScore, kind, ignore, column, paths },
    ...{ before: kept?.format, nowMs },
  });
  const trust = new TrustedAttributes(kind, words);
  const names = options.contains === true ? new Names(kind) : undefined;
  const { skipInvalid = false, maxInvalid = DEFAULT_MAX_INVALID, skipProtected = false, quiet = false } = options;
  const skipped = await collectFeed(wanted, {
    feed,
    name,
    guard,
    maxInvalid: skipInvalid ? maxInvalid : undefined,
    skipProtected,
    quiet,
    trust,
    names,
    signal,
    report,
    nowMs,
  });
  return {
    ...{ source: name, etag, lastModified, skipped, isFirst },
    format: wanted.count === 0 && format === undefined ? kept?.format : feed.format,
    trust: words.length === 0 ? undefined : words.join(','),
  };
}
