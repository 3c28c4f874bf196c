import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { promisify } from 'node:util';
import {
  CreateTableCommand,
  type CreateTableInput,
  DynamoDBClient,
  waitUntilTableExists,
} from '@aws-sdk/client-dynamodb';
import dynalite from 'dynalite';

export interface Database {
  readonly endpoint: string;
  /** Creates a table unless it exists, and waits until it is active. */
  createTable(definition: CreateTableInput): Promise<void>;
  close(): Promise<void>;
}

/** The database accepts any credentials, but the SDK requires some. */
export const ANY_CREDENTIALS = {
  region: 'local',
  credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
} as const;

export interface DatabaseOptions {
  readonly port?: number;
  /** Where the items are stored; without a folder they are lost on close. */
  readonly folder?: string;
}

/** Longer than a client leaves a connection idle, which would write into one that is closed just then. */
const KEEP_ALIVE_MS = 60_000;

/** An empty DynamoDB in this process. */
export async function startDatabase({ port = 0, folder }: DatabaseOptions = {}): Promise<Database> {
  const server = dynalite({ createTableMs: 0, ...(folder !== undefined && { path: folder }) });
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`; // a listening TCP server has one
  return {
    endpoint,
    createTable: (definition) => createTable(endpoint, definition),
    async close() {
      const closed = promisify(server.close).call(server); // includes the database, which the event 'close' does not wait for
      server.closeAllConnections();
      await closed;
    },
  };
}

async function createTable(endpoint: string, definition: CreateTableInput): Promise<void> {
  const client = new DynamoDBClient({ endpoint, ...ANY_CREDENTIALS });
  try {
    await client.send(new CreateTableCommand(definition));
  } catch (error) {
    if (!(error instanceof Error) || error.name !== 'ResourceInUseException') throw error; // the folder already had the table
  }
  await waitUntilTableExists({ client, minDelay: 1, maxWaitTime: 10 }, { TableName: definition.TableName });
  client.destroy();
}
