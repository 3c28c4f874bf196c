/** The table as data, so that the stack and the local cloud create the same one. */
export const TABLE = {
  defaultName: 'haverdict',
  partitionKey: 'subject',
  sortKey: 'list',
  ttlAttribute: 'expiresAt',
  listIndex: { name: 'by-list', partitionKey: 'list', sortKey: 'subject' },
} as const;

/** What a lookup reads of an item: the attributes that can change a verdict. */
export const VERDICT_ATTRIBUTES = ['subject', 'list', 'action', 'reason', 'status', 'vars', 'expiresAt'] as const;

/**
 * The partitions beside those of subjects. No kind begins with `@`, so that the function never asks for them; their sort
 * keys are no list names, so that they are in no list of the index.
 */
export const RESERVED = {
  /** A list as it is registered, under `@NAME`. */
  lists: '@lists',
  /** Who may change a list in bulk, under `@NAME`. */
  leases: '@leases',
  /** The lists that have a history, under `@NAME`. */
  histories: '@histories',
  /** The history of one list, under the time of the change. */
  historyOf: (list: string) => `@history:${list}`,
} as const;

/** Is this item none that anybody looks up, but one that the tools keep for themselves? */
export function isReserved(subject: unknown): boolean {
  return typeof subject === 'string' && subject.startsWith('@');
}

/** How long the history is kept: a year, and the month in which somebody asks about it. */
export const HISTORY_DAYS = 400;
