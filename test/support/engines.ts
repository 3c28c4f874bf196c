import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import {
  CreateTableCommand,
  DeleteTableCommand,
  DynamoDBClient,
  type DynamoDBClientConfig,
  waitUntilTableExists,
} from '@aws-sdk/client-dynamodb';
import { freePort } from '../../dev/free-port.ts';
import { definitionOf, startDatabase } from '../../dev/local-cloud/table-server.ts';
import type { DynamoOptions } from '../../functions/blocklist/dynamodb-connection.ts';
import { isLocal, LOCAL_ACCESS } from '../../functions/blocklist/local-access.ts';

/** A DynamoDB, or what imitates one. */
interface Engine {
  readonly name: string;
  /** Why it cannot be used here; undefined if it can. */
  readonly missing?: string;
  start(): Promise<{ readonly endpoint: string; close(): Promise<void> }>;
}

const DYNOXIDE =
  process.env.DYNOXIDE ?? join(import.meta.dirname, '../../.cache/dynoxide/node_modules/@dynoxide/linux-x64/dynoxide');
const NAMED = process.env.DYNAMODB_ENDPOINT;

/** Every engine that a store can be tested on. */
const ENGINES: readonly Engine[] = [
  { name: 'dynalite', start: startDatabase },
  {
    name: 'Dynoxide',
    ...(!existsSync(DYNOXIDE) && { missing: 'not here: npm run dynoxide fetches it for Linux on x64' }),
    start: startDynoxide,
  },
  {
    name: 'DYNAMODB_ENDPOINT',
    ...(NAMED === undefined && { missing: 'not set: name a DynamoDB to test on that as well' }),
    start: async () => ({ endpoint: NAMED ?? '', close: async () => {} }),
  },
];

/**
 * These tests once for each engine that is here, on a table of their own that is deleted afterwards. An engine that is not
 * here is skipped and says why.
 */
export function describeOnEveryEngine(title: string, tests: (place: DynamoOptions) => void | Promise<void>): void {
  for (const { name, missing, start } of ENGINES) {
    if (missing !== undefined) it(`${title} (${name})`, { skip: missing }, () => {});
    else
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
  await client.send(new CreateTableCommand(definitionOf(table)));
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
async function startDynoxide() {
  const port = await freePort();
  const child = spawn(DYNOXIDE, ['serve', '--port', String(port)], { stdio: ['ignore', 'ignore', 'pipe'] });
  await Promise.race([once(child.stderr, 'data'), once(child, 'exit')]); // it says where it listens, or ends
  return {
    endpoint: `http://127.0.0.1:${port}`,
    async close() {
      child.kill();
      if (child.exitCode === null) await once(child, 'exit');
    },
  };
}
