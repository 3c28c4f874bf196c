import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { DynamoBulk } from '../../blocklist/dynamodb/bulk.ts';
import { DynamoConnection } from '../../blocklist/dynamodb/connection.ts';
import { DynamoLog } from '../../updates/dynamodb/log.ts';
import { jsonLog } from '../log.ts';
import { readWriterEnvironment } from './environment.ts';
import { createWriter } from './handler.ts';
import { pacedReads } from './paced-reads.ts';

const { table, updatesTable, region, retentionSeconds, readsPerSecond } = readWriterEnvironment(process.env);

// Nobody waits for an answer: a slow DynamoDB is waited for.
const timeouts = { connectTimeoutMs: 1000, requestTimeoutMs: 5000 };
const bulk = new DynamoBulk(new DynamoConnection({ table, ...timeouts }));

/** The entry point that Lambda calls with each batch of the stream. */
export const handler = createWriter({
  region,
  table: pacedReads(bulk, { itemsPerSecond: readsPerSecond, clock: Date.now, wait: delay }),
  log: new DynamoLog(new DynamoConnection({ table: updatesTable, ...timeouts })),
  newId: () => randomBytes(6).toString('hex'),
  clock: Date.now,
  retentionSeconds,
  write: jsonLog,
});
