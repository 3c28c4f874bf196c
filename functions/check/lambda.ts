import { DynamoEntries } from '../../blocklist/dynamodb/entries.ts';
import { readEnvironment } from './environment.ts';
import { createHandler } from './handler.ts';
import { jsonLog, writeLine } from './log.ts';
import { metricLine } from './metrics.ts';
import { warmUp } from './warm-up.ts';

const { table, ttlSeconds, functionName } = readEnvironment(process.env);

// The agent answers by policy long before a slow DynamoDB does: fail soon, retry once.
const store = new DynamoEntries({ table, connectTimeoutMs: 200, requestTimeoutMs: 500, client: { maxAttempts: 2 } });
await warmUp(store, jsonLog);

/** The entry point that Lambda calls. What is made above is made once an execution environment. */
export const handler = createHandler({
  store,
  log: jsonLog,
  measure: (facts, requestId) => writeLine(metricLine(facts, { functionName, requestId, epochMs: Date.now() })),
  clock: Date.now,
  ttlSeconds,
});
