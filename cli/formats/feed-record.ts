/** An object of a JSON document or a row of a table, whatever is in it. */
export type FeedRecord = Readonly<Record<string, unknown>>;

export function isRecord(value: unknown): value is FeedRecord {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
