import { CreateTableCommand, DynamoDBClient, waitUntilTableExists } from '@aws-sdk/client-dynamodb';
import { DynamoConnection, type DynamoOptions } from '../../blocklist/dynamodb/connection.ts';
import { UPDATES_TABLE } from '../../updates/table.ts';

/** The table of the log beside a blocklist, for tests without a stack. */
export async function updatesTableBeside(place: DynamoOptions): Promise<DynamoConnection> {
  const TableName = `${place.table}-updates`;
  const keys = [UPDATES_TABLE.partitionKey, UPDATES_TABLE.sortKey];
  const client = new DynamoDBClient({ ...place.client });
  await client.send(
    new CreateTableCommand({
      TableName,
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: keys.map((AttributeName) => ({ AttributeName, AttributeType: 'S' })),
      KeySchema: keys.map((AttributeName, index) => ({ AttributeName, KeyType: index === 0 ? 'HASH' : 'RANGE' })),
    }),
  );
  await waitUntilTableExists({ client, minDelay: 1, maxWaitTime: 120 }, { TableName });
  client.destroy();
  return new DynamoConnection({ ...place, table: TableName });
}
