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
