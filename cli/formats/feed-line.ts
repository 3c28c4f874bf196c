import type { StoredEntry } from '../../blocklist/entry.ts';

/** An entry of a feed: a canonical subject, and what else the feed has. The importer adds the rest. */
export type FeedEntry = Pick<StoredEntry, 'subject'> & Partial<Omit<StoredEntry, 'subject'>>;

/** The same for all subjects that one value stands for: a range is several. */
export type FeedItem = Omit<FeedEntry, 'subject'> & { readonly subjects: readonly string[] };

/**
 * The result for one line, or one item of a JSON document, numbered from 1. A range gives several with the same number.
 * `text` (escaped and shortened) and `problem` (one line) are printable. `exempt` is a subject that the source exempts, or
 * `''` if it could not be parsed: another line may block it if this one is skipped.
 */
export type FeedLine =
  | { readonly line: number; readonly entry: FeedEntry }
  | { readonly line: number; readonly text: string; readonly problem: string; readonly exempt?: string };

/** An object of a JSON document or a row of a table, unchecked. */
export type FeedRecord = Readonly<Record<string, unknown>>;

export function isRecord(value: unknown): value is FeedRecord {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
