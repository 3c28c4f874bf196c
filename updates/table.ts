/** The table of the log as data, so that the stack and the local cloud create the same one. */
export const UPDATES_TABLE = { partitionKey: 'part', sortKey: 'at', ttlAttribute: 'expiresAt' } as const;

/** Records of the log that one read has at most; DynamoDB answers up to 1 MB. */
export const RECORDS_A_READ = 250;

/** How long the log is kept: an agent that was away for longer begins again. */
export const RETENTION_SECONDS = 72 * 3600;
