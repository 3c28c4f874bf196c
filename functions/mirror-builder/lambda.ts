import { createHash, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { DynamoBulk } from '../../blocklist/dynamodb/bulk.ts';
import { DynamoConnection } from '../../blocklist/dynamodb/connection.ts';
import { readsOf } from '../../updates/change.ts';
import { DynamoCanaries } from '../../updates/dynamodb/canaries.ts';
import { DynamoLog } from '../../updates/dynamodb/log.ts';
import { DynamoMirrors } from '../../updates/dynamodb/mirrors.ts';
import { pacedScan } from '../../updates/dynamodb/paced-scan.ts';
import { required, wholeNumber } from '../environment.ts';
import { jsonLog, writeLine } from '../log.ts';
import { createBuilder } from './handler.ts';
import { builderLines } from './metrics.ts';

/** Read units a second: the stack derives it from the limit of the table. */
const UNITS = { fallback: 500, most: 40_000, unit: 'read units' } as const;
/** Longer than any task goes on without keeping it. */
const LEASE_MS = 4 * 60_000;

const timeouts = { connectTimeoutMs: 1000, requestTimeoutMs: 5000 };
const blocklist = new DynamoConnection({ table: required('HAVERDICT_TABLE', process.env), ...timeouts });
const updates = new DynamoConnection({ table: required('HAVERDICT_UPDATES_TABLE', process.env), ...timeouts });
const unitsPerSecond = wholeNumber('HAVERDICT_READ_UNITS_PER_SECOND', process.env, UNITS);
const functionName = process.env.AWS_LAMBDA_FUNCTION_NAME || 'local';
const canaries = new DynamoCanaries(blocklist, required('AWS_REGION', process.env), updates.table);
const mirrors = new DynamoMirrors(updates);
const newId = () => randomBytes(6).toString('hex');

/** The entry point that Lambda calls each minute. */
export const handler = createBuilder({
  log: new DynamoLog(updates),
  mirrors,
  scan: () => pacedScan(blocklist, { unitsPerSecond, clock: Date.now, wait: delay }),
  read: readsOf(new DynamoBulk(blocklist), () => {}),
  write: (names) => canaries.write(names, Date.now()),
  lease: holderOf(newId()),
  newId,
  clock: Date.now,
  wait: delay,
  // the bundle is one file with all that reads items
  version: createHash('sha256')
    .update(readFileSync(import.meta.filename))
    .digest('hex')
    .slice(0, 16),
  report: jsonLog,
  measure(built, epochMs) {
    for (const line of builderLines(built, { functionName, epochMs })) writeLine(line);
  },
});

function holderOf(holder: string): () => Promise<boolean> {
  return () => mirrors.lease(holder, Date.now(), Date.now() + LEASE_MS);
}
