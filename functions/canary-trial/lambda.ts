import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { DynamoConnection } from '../../blocklist/dynamodb/connection.ts';
import { DynamoCanaries } from '../../updates/dynamodb/canaries.ts';
import { DynamoLog } from '../../updates/dynamodb/log.ts';
import { required } from '../environment.ts';
import { jsonLog } from '../log.ts';
import { createTrial } from './handler.ts';

const timeouts = { connectTimeoutMs: 1000, requestTimeoutMs: 5000 };
const blocklist = new DynamoConnection({ table: required('HAVERDICT_TABLE', process.env), ...timeouts });
const log = new DynamoConnection({ table: required('HAVERDICT_UPDATES_TABLE', process.env), ...timeouts });
const canaries = new DynamoCanaries(blocklist, required('AWS_REGION', process.env), log.table);

/** The entry point that Lambda calls each minute. */
export const handler = createTrial({
  log: new DynamoLog(log),
  write: (names) => canaries.write(names, Date.now()),
  newId: () => randomBytes(6).toString('hex'),
  clock: Date.now,
  wait: delay,
  report: jsonLog,
});
