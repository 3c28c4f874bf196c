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
import { LOCAL_ACCESS } from '../../blocklist/dynamodb/local-access.ts';
import { TABLE } from '../../blocklist/table.ts';

export interface Database {
  readonly endpoint: string;
  /** Creates a table, unless it is there already, and waits until it can be used. */
  createTable(definition: CreateTableInput): Promise<void>;
  close(): Promise<void>;
}

export interface TableServer {
  readonly endpoint: string;
  readonly tableName: string;
  close(): Promise<void>;
}

export interface DatabaseOptions {
  readonly port?: number;
  /** Where the items are kept; without it they are gone when it closes. */
  readonly folder?: string;
}

/** A DynamoDB in this process, with no table in it. */
export async function startDatabase({ port = 0, folder }: DatabaseOptions = {}): Promise<Database> {
  const server = dynalite({ createTableMs: 0, ...(folder !== undefined && { path: folder }) });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`; // a listening TCP server has one
  return {
    endpoint,
    createTable: (definition) => createTable(endpoint, definition),
    async close() {
      const closed = promisify(server.close).call(server); // the database too, which the event 'close' does not wait for
      server.closeAllConnections();
      await closed;
    },
  };
}

/** A DynamoDB in this process with our table in it, ready to be used. */
export async function startTable(
  options: DatabaseOptions & { readonly tableName?: string } = {},
): Promise<TableServer> {
  const { tableName = TABLE.defaultName } = options;
  const database = await startDatabase(options);
  await database.createTable(definitionOf(tableName)).catch(async (error) => {
    await database.close();
    throw error;
  });
  return { endpoint: database.endpoint, tableName, close: () => database.close() };
}

/** Our table as it is created where no stack is deployed. */
export function definitionOf(tableName: string): CreateTableInput {
  return { TableName: tableName, ...KEYS };
}

async function createTable(endpoint: string, definition: CreateTableInput): Promise<void> {
  const client = new DynamoDBClient({ endpoint, ...LOCAL_ACCESS });
  try {
    await client.send(new CreateTableCommand(definition));
  } catch (error) {
    if (!(error instanceof Error) || error.name !== 'ResourceInUseException') throw error; // the folder had it already
  }
  await waitUntilTableExists({ client, minDelay: 1, maxWaitTime: 10 }, { TableName: definition.TableName });
  client.destroy();
}

/** dynalite knows no UpdateTimeToLive; expired entries stay and are filtered on read, as they must be on AWS too. */
const KEYS = {
  BillingMode: 'PAY_PER_REQUEST',
  AttributeDefinitions: [TABLE.partitionKey, TABLE.sortKey].map((name) => ({
    AttributeName: name,
    AttributeType: 'S' as const,
  })),
  KeySchema: keySchema(TABLE.partitionKey, TABLE.sortKey),
  GlobalSecondaryIndexes: [
    {
      IndexName: TABLE.listIndex.name,
      KeySchema: keySchema(TABLE.listIndex.partitionKey, TABLE.listIndex.sortKey),
      Projection: { ProjectionType: 'ALL' as const },
    },
  ],
} as const satisfies Partial<CreateTableInput>;

function keySchema(partitionKey: string, sortKey: string) {
  return [
    { AttributeName: partitionKey, KeyType: 'HASH' as const },
    { AttributeName: sortKey, KeyType: 'RANGE' as const },
  ];
}
