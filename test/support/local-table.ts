import type { CreateTableInput } from '@aws-sdk/client-dynamodb';
import { dynamoBlocklist } from '../../blocklist/dynamodb/blocklist.ts';
import type { DynamoOptions } from '../../blocklist/dynamodb/connection.ts';
import { DynamoEntries } from '../../blocklist/dynamodb/entries.ts';
import { LOCAL_ACCESS } from '../../blocklist/dynamodb/local-access.ts';
import type { Blocklist } from '../../blocklist/store.ts';
import { TABLE } from '../../blocklist/table.ts';
import { type Database, type DatabaseOptions, startDatabase } from '../../dev/local-cloud/database.ts';

/** What of a test's context is needed to clean up: a test's own, or `{ after }` of a suite. */
interface Cleaning {
  after(clean: () => Promise<void>): void;
}

/** A DynamoDB with our table in it, ready to be used. */
export interface TableServer extends Pick<Database, 'endpoint' | 'close'> {
  readonly tableName: string;
}

export async function startTable(options: DatabaseOptions = {}): Promise<TableServer> {
  const { endpoint, createTable, close } = await startDatabase(options);
  await createTable(tableDefinition(TABLE.defaultName)).catch(async (error) => {
    await close();
    throw error;
  });
  return { endpoint, tableName: TABLE.defaultName, close };
}

/** Our table where no stack is deployed. Without TTL: expired entries stay and are filtered on read, as they must be on AWS too. */
export function tableDefinition(tableName: string): CreateTableInput {
  return {
    TableName: tableName,
    BillingMode: 'PAY_PER_REQUEST',
    AttributeDefinitions: [TABLE.partitionKey, TABLE.sortKey].map((name) => ({
      AttributeName: name,
      AttributeType: 'S',
    })),
    KeySchema: keySchema(TABLE.partitionKey, TABLE.sortKey),
    GlobalSecondaryIndexes: [
      {
        IndexName: TABLE.listIndex.name,
        KeySchema: keySchema(TABLE.listIndex.partitionKey, TABLE.listIndex.sortKey),
        Projection: { ProjectionType: 'ALL' },
      },
    ],
  };
}

function keySchema(partitionKey: string, sortKey: string): CreateTableInput['KeySchema'] {
  return [
    { AttributeName: partitionKey, KeyType: 'HASH' },
    { AttributeName: sortKey, KeyType: 'RANGE' },
  ];
}

/** A table of its own for a test or a suite, gone afterwards. */
export async function localTable(test: Cleaning): Promise<TableServer> {
  const table = await startTable();
  test.after(() => table.close());
  return table;
}

/** The real store at this endpoint. */
export function storeAt(endpoint: string, table = 'haverdict'): DynamoEntries {
  return new DynamoEntries(placeAt(endpoint, table));
}

/** The same with what people's tools need. */
export function blocklistAt(endpoint: string): Blocklist {
  return dynamoBlocklist(placeAt(endpoint, 'haverdict'));
}

function placeAt(endpoint: string, table: string): DynamoOptions {
  return {
    table,
    connectTimeoutMs: 1000,
    requestTimeoutMs: 5000,
    client: { endpoint, maxAttempts: 1, ...LOCAL_ACCESS },
  };
}
