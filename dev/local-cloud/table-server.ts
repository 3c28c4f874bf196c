import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { promisify } from 'node:util';
import { CreateTableCommand, DynamoDBClient, waitUntilTableExists } from '@aws-sdk/client-dynamodb';
import dynalite from 'dynalite';
import { LOCAL_ACCESS } from '../../functions/blocklist/local-access.ts';
import { TABLE } from '../../functions/blocklist/table.ts';

export interface TableServer {
  readonly endpoint: string;
  readonly tableName: string;
  close(): Promise<void>;
}

export interface TableServerOptions {
  readonly port?: number;
  /** Where the items are kept; without it they are gone when it closes. */
  readonly folder?: string;
  readonly tableName?: string;
}

/** A DynamoDB in this process with our table in it, ready to be used. */
export async function startTable({
  port = 0,
  folder,
  tableName = TABLE.defaultName,
}: TableServerOptions = {}): Promise<TableServer> {
  const server = dynalite({ createTableMs: 0, ...(folder !== undefined && { path: folder }) });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`; // a listening TCP server has one
  const close = async () => {
    const closed = promisify(server.close).call(server); // the database too, which the event 'close' does not wait for
    server.closeAllConnections();
    await closed;
  };
  await createTable(endpoint, tableName).catch(async (error) => {
    await close();
    throw error;
  });
  return { endpoint, tableName, close };
}

async function createTable(endpoint: string, tableName: string): Promise<void> {
  const client = new DynamoDBClient({ endpoint, ...LOCAL_ACCESS });
  try {
    await client.send(createTableCommand(tableName));
  } catch (error) {
    if (!(error instanceof Error) || error.name !== 'ResourceInUseException') throw error; // the folder had it already
  }
  await waitUntilTableExists({ client, minDelay: 1, maxWaitTime: 10 }, { TableName: tableName });
  client.destroy();
}

/** dynalite knows no UpdateTimeToLive; expired entries stay and are filtered on read, as they must be on AWS too. */
function createTableCommand(tableName: string): CreateTableCommand {
  const { partitionKey, sortKey, listIndex } = TABLE;
  return new CreateTableCommand({
    TableName: tableName,
    BillingMode: 'PAY_PER_REQUEST',
    AttributeDefinitions: [partitionKey, sortKey].map((name) => ({ AttributeName: name, AttributeType: 'S' })),
    KeySchema: keySchema(partitionKey, sortKey),
    GlobalSecondaryIndexes: [
      {
        IndexName: listIndex.name,
        KeySchema: keySchema(listIndex.partitionKey, listIndex.sortKey),
        Projection: { ProjectionType: 'ALL' },
      },
    ],
  });
}

function keySchema(partitionKey: string, sortKey: string): { AttributeName: string; KeyType: 'HASH' | 'RANGE' }[] {
  return [
    { AttributeName: partitionKey, KeyType: 'HASH' },
    { AttributeName: sortKey, KeyType: 'RANGE' },
  ];
}
