import type { StoredEntry } from '../../blocklist/entry.ts';

/** Subject in canonical text, and whatever else the format knows; who imports it decides what the rest is. */
export type FeedEntry = Pick<StoredEntry, 'subject'> & Partial<Omit<StoredEntry, 'subject'>>;

/**
 * What became of one line, or of one item of a JSON document, counted from 1. A range makes several with the same number.
 * `text` is escaped and cut, `problem` is one line: both can be printed as they are. `exempt` is a subject that the source
 * lets pass, or `''` for one that cannot be read: whoever leaves the line out may block it by another.
 */
export type FeedLine =
  | { readonly line: number; readonly entry: FeedEntry }
  | { readonly line: number; readonly text: string; readonly problem: string; readonly exempt?: string };

/** An object of a JSON document or a row of a table, whatever is in it. */
export type FeedRecord = Readonly<Record<string, unknown>>;

export function isRecord(value: unknown): value is FeedRecord {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
