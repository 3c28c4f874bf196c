import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { after, describe } from 'node:test';
import {
  CreateTableCommand,
  DeleteTableCommand,
  DynamoDBClient,
  type DynamoDBClientConfig,
  waitUntilTableExists,
} from '@aws-sdk/client-dynamodb';
import type { DynamoOptions } from '../../blocklist/dynamodb/connection.ts';
import { isLocal, LOCAL_ACCESS } from '../../blocklist/dynamodb/local-access.ts';
import { freePort } from '../../dev/free-port.ts';
import { startDatabase } from '../../dev/local-cloud/database.ts';
import { DYNOXIDE } from '../../dev/test-tools.ts';
import { tableDefinition } from './local-table.ts';
import { hasNewer, hasUsual } from './scope.ts';

/** A DynamoDB, or what imitates one. */
interface Engine {
  readonly name: string;
  start(): Promise<{ readonly endpoint: string; close(): Promise<void> }>;
}

const NAMED = process.env.DYNAMODB_ENDPOINT;

/** Every engine that a store is tested on in this scope; one that the environment names as well. */
const ENGINES: readonly Engine[] = [
  ...(hasUsual ? [{ name: 'dynalite', start: startDatabase }] : []),
  ...(hasNewer ? [{ name: 'Dynoxide', start: startDynoxide }] : []),
  ...(NAMED === undefined
    ? []
    : [{ name: 'DYNAMODB_ENDPOINT', start: async () => ({ endpoint: NAMED, close: async () => {} }) }]),
];

/** These tests once for each engine, on a table of their own that is deleted afterwards. */
export function describeOnEveryEngine(title: string, tests: (place: DynamoOptions) => void | Promise<void>): void {
  for (const { name, start } of ENGINES) {
    describe(`${title} (${name})`, async () => {
      const { endpoint, close } = await start();
      const place = await createTable(endpoint);
      after(async () => {
        await place.remove();
        await close();
      });
      await tests(place.options);
    });
  }
}

async function createTable(endpoint: string) {
  const table = `haverdict-test-${randomUUID()}`;
  const access: DynamoDBClientConfig = isLocal(endpoint) ? LOCAL_ACCESS : {};
  const client = new DynamoDBClient({ endpoint, ...access });
  await client.send(new CreateTableCommand(tableDefinition(table)));
  await waitUntilTableExists({ client, minDelay: 1, maxWaitTime: 120 }, { TableName: table });
  const options = { table, connectTimeoutMs: 3000, requestTimeoutMs: 30_000, client: { endpoint, ...access } };
  return {
    options,
    async remove() {
      await client.send(new DeleteTableCommand({ TableName: table }));
      client.destroy();
    },
  };
}

/** It takes port 0 and does not tell which it got, so it is given a free one. */
export async function startDynoxide() {
  const port = await freePort();
  const child = spawn(DYNOXIDE, ['serve', '--port', String(port)], { stdio: ['ignore', 'ignore', 'pipe'] });
  child.once('error', (error) => assert.fail(`no Dynoxide (npm run test:tools fetches it): ${error.message}`));
  await Promise.race([once(child.stderr, 'data'), once(child, 'exit')]); // it says where it listens, or ends
  return {
    endpoint: `http://127.0.0.1:${port}`,
    async close() {
      child.kill();
      if (child.exitCode === null) await once(child, 'exit');
    },
  };
}
