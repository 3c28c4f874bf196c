import { DynamoConnection } from '../../blocklist/dynamodb/connection.ts';
import { DynamoEntries } from '../../blocklist/dynamodb/entries.ts';
import { DynamoCanaries } from '../../updates/dynamodb/canaries.ts';
import { DynamoLog } from '../../updates/dynamodb/log.ts';
import { DynamoMirrors } from '../../updates/dynamodb/mirrors.ts';
import { jsonLog, writeLine } from '../log.ts';
import { checkLine } from './check-line.ts';
import { readEnvironment } from './environment.ts';
import { createHandler } from './handler.ts';
import { MirrorAnswers } from './mirror.ts';
import { Updates } from './updates.ts';
import { warmUp } from './warm-up.ts';

const { table, ttlSeconds, functionName, updatesTable, updatePollMs, region } = readEnvironment(process.env);

// The agent applies its policy long before a slow DynamoDB answers: fail early, retry once.
const timeouts = { connectTimeoutMs: 200, requestTimeoutMs: 500, client: { maxAttempts: 2 } };
const blocklist = new DynamoConnection({ table, ...timeouts });
const store = new DynamoEntries(blocklist);
await warmUp(store, jsonLog);

/** The entry point that Lambda calls. Everything above runs once per execution environment. */
export const handler = createHandler({
  store,
  log: jsonLog,
  measure: (facts, requestId) => writeLine(checkLine(facts, requestId, { functionName, epochMs: Date.now() })),
  clock: Date.now,
  ttlSeconds,
  ...(updatesTable !== undefined && updatesIn(new DynamoConnection({ table: updatesTable, ...timeouts }))),
});

function updatesIn(table: DynamoConnection) {
  const log = new DynamoLog(table);
  return {
    updates: new Updates({ log, canaries: new DynamoCanaries(blocklist, region, table.table), waitMs: updatePollMs }),
    mirror: new MirrorAnswers({ log, mirrors: new DynamoMirrors(table) }),
  };
}
