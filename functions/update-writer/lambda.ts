import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { DynamoBulk } from '../../blocklist/dynamodb/bulk.ts';
import { DynamoConnection } from '../../blocklist/dynamodb/connection.ts';
import { DynamoLog } from '../../updates/dynamodb/log.ts';
import { required, wholeNumber } from '../environment.ts';
import { jsonLog, writeLine } from '../log.ts';
import { metricLine } from '../metric-line.ts';
import { createWriter } from './handler.ts';
import { pacedReads } from './paced-reads.ts';

/** Reads a second of one copy: the stack derives it from the read units of the table. */
const READS = { fallback: 125, most: 40_000, unit: 'items' } as const;

// Nobody waits for an answer: a slow DynamoDB is waited for.
const timeouts = { connectTimeoutMs: 1000, requestTimeoutMs: 5000 };
const blocklist = new DynamoConnection({ table: required('HAVERDICT_TABLE', process.env), ...timeouts });
const updates = new DynamoConnection({ table: required('HAVERDICT_UPDATES_TABLE', process.env), ...timeouts });
const functionName = required('AWS_LAMBDA_FUNCTION_NAME', process.env);
const itemsPerSecond = wholeNumber('HAVERDICT_READS_PER_SECOND', process.env, READS);

/** The entry point that Lambda calls with each batch of the stream. */
export const handler = createWriter({
  region: required('AWS_REGION', process.env),
  table: pacedReads(new DynamoBulk(blocklist), { itemsPerSecond, clock: Date.now, wait: delay }),
  log: new DynamoLog(updates),
  newId: () => randomBytes(6).toString('hex'),
  clock: Date.now,
  write: jsonLog,
  measure: (badEntries) => writeLine(metricLine('BadEntries', badEntries, { functionName, epochMs: Date.now() })),
});
