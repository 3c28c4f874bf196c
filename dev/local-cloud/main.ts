import { parseArgs } from 'node:util';
import { DynamoStore } from '../../functions/blocklist/dynamodb.ts';
import { LOCAL_ACCESS } from '../../functions/blocklist/local-access.ts';
import { readEnvironment } from '../../functions/check/environment.ts';
import { createHandler } from '../../functions/check/handler.ts';
import { jsonLog } from '../../functions/check/log.ts';
import { type FunctionUrl, startFunctionUrl } from './function-url.ts';
import { startTable, type TableServer } from './table-server.ts';

const HELP = `usage: node dev/local-cloud/main.ts [--table-port 8000] [--function-port 8787] [--folder DIR]

Starts the table and the function on this machine. With --folder the entries outlive a restart.`;

await main().catch((error: Error) => {
  console.error(`local cloud: ${error.message}`);
  process.exit(1);
});

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      'table-port': { type: 'string', default: '8000' },
      'function-port': { type: 'string', default: '8787' },
      folder: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return console.log(HELP);

  const { table: tableName, ttlSeconds } = readEnvironment(process.env);
  const folder = values.folder === undefined ? {} : { folder: values.folder };
  const table = await startTable({ port: Number(values['table-port']), tableName, ...folder });
  const functionUrl = await startFunction(table, ttlSeconds, Number(values['function-port']));
  console.log(usage(table, functionUrl));

  const stop = () => void Promise.all([functionUrl.close(), table.close()]);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, stop);
}

function startFunction(table: TableServer, ttlSeconds: number, port: number): Promise<FunctionUrl> {
  const store = new DynamoStore({
    table: table.tableName,
    connectTimeoutMs: 200,
    requestTimeoutMs: 500,
    client: { endpoint: table.endpoint, ...LOCAL_ACCESS },
  });
  return startFunctionUrl({ handler: createHandler({ store, log: jsonLog, clock: Date.now, ttlSeconds }), port });
}

function usage(table: TableServer, functionUrl: FunctionUrl): string {
  return `function  ${functionUrl.url}
table     ${table.tableName} at ${table.endpoint}

block an address:
  export HAVERDICT_TABLE=${table.tableName} AWS_ENDPOINT_URL_DYNAMODB=${table.endpoint}
  npm run --silent haverdict -- block 203.0.113.7 --for 1h --reason abuse
ask the function:
  curl -s ${functionUrl.url}/v1/check -d '{"lists":["manual"],"subjects":["ip:203.0.113.7"]}'

ctrl-C stops both`;
}
