/** The table as data, so that the stack and the local cloud create the same one. */
export const TABLE = {
  defaultName: 'haverdict',
  partitionKey: 'subject',
  sortKey: 'list',
  ttlAttribute: 'expiresAt',
  listIndex: { name: 'by-list', partitionKey: 'list', sortKey: 'subject' },
} as const;

/** A table that is paid by request begins with this many partitions; each has a shard of the stream, and each shard one writer at a time. */
export const SHARDS = 4;

/** The attributes that a lookup reads: those that can change a verdict. */
export const VERDICT_ATTRIBUTES = ['subject', 'list', 'action', 'reason', 'status', 'vars', 'expiresAt'] as const;

/**
 * The partitions beside those of subjects. No kind begins with `@`, so that the function never reads them; their sort keys
 * are not valid list names, so that the index has them in no list.
 */
export const RESERVED = {
  /** The registered lists, under `@NAME`. */
  lists: '@lists',
  /** The leases to change a list in bulk, under `@NAME`. */
  leases: '@leases',
  /** The lists that have a history, under `@NAME`. */
  histories: '@histories',
  /** The history of one list, under the time of the change. */
  historyOf: (list: string) => `@history:${list}`,
  /** What a run changed, under the times of its changes, so that it can be reverted. */
  editsOf: (run: string) => `@edits:${run}`,
  /** What proves how fresh the log of changes is, by region and number, all under one sort key. */
  canaryOf: (region: string, canary: string) => `@canary:${region}:${canary}`,
} as const;

/** Does this item belong to the tools, and not to a subject? */
export function isReserved(subject: unknown): boolean {
  return typeof subject === 'string' && subject.startsWith('@');
}

/** How long the history is kept: a year and a month. */
export const HISTORY_DAYS = 400;

/** How long a change can be reverted: what was before takes as much room as the entries. */
export const REVERT_DAYS = 30;
