import {
  type AttributeValue,
  ConditionalCheckFailedException,
  DeleteItemCommand,
  DynamoDBClient,
  paginateScan,
} from '@aws-sdk/client-dynamodb';
import { ANY_CREDENTIALS } from './database.ts';
import type { NamedResource } from './named-resources.ts';

/** By this name the service that deletes expired items is known, in streams too. */
export const TTL_SERVICE = 'dynamodb.amazonaws.com';
/** What expired longer ago is not deleted. */
const OLDEST_SECONDS = 5 * 365 * 86_400;

/** A table with the names of its key attributes. */
export interface KeyedTable {
  readonly table: NamedResource;
  readonly keys: readonly string[];
}

/** Deletes what has expired, as DynamoDB does within days; returns how many items that were. */
export async function deleteExpired(endpoint: string, tables: readonly KeyedTable[], nowMs: number): Promise<number> {
  const client = new DynamoDBClient({ endpoint, ...ANY_CREDENTIALS, customUserAgent: TTL_SERVICE });
  let count = 0;
  try {
    for (const { table, keys } of tables) {
      const attribute = ttlAttributeOf(table);
      if (attribute !== undefined) count += await deleteExpiredOf(client, { name: table.ref, keys, attribute }, nowMs);
    }
  } finally {
    client.destroy();
  }
  return count;
}

interface ExpiringTable {
  readonly name: string;
  readonly keys: readonly string[];
  readonly attribute: string;
}

async function deleteExpiredOf(client: DynamoDBClient, { name, keys, attribute }: ExpiringTable, nowMs: number) {
  const nowSeconds = Math.floor(nowMs / 1000);
  const isExpired = (seconds: number) => seconds <= nowSeconds && seconds > nowSeconds - OLDEST_SECONDS;
  let count = 0;
  for await (const { Items = [] } of paginateScan({ client }, { TableName: name }))
    for (const item of Items.filter((item) => isExpired(Number(item[attribute]?.N ?? Number.NaN)))) {
      const { [attribute]: expired = { NULL: true } } = item;
      const command = new DeleteItemCommand({
        TableName: name,
        Key: Object.fromEntries(keys.map((key): [string, AttributeValue] => [key, item[key] ?? { NULL: true }])),
        ConditionExpression: '#expires = :expired', // whoever moved it meanwhile keeps it
        ExpressionAttributeNames: { '#expires': attribute },
        ExpressionAttributeValues: { ':expired': expired },
      });
      try {
        await client.send(command);
        count++;
      } catch (error) {
        if (!(error instanceof ConditionalCheckFailedException)) throw error;
      }
    }
  return count;
}

function ttlAttributeOf({ properties }: NamedResource): string | undefined {
  const { TimeToLiveSpecification: ttl } = properties as {
    TimeToLiveSpecification?: { AttributeName?: string; Enabled?: boolean };
  }; // as CloudFormation has it
  return ttl?.Enabled ? ttl.AttributeName : undefined;
}
