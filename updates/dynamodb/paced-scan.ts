import { ScanCommand, type ScanCommandOutput } from '@aws-sdk/client-dynamodb';
import type { DynamoConnection } from '../../blocklist/dynamodb/connection.ts';
import { fromAttributes } from '../../blocklist/dynamodb/item.ts';
import { ReadPace } from '../../blocklist/dynamodb/read-pace.ts';
import type { Item } from '../../blocklist/store.ts';
import { VERDICT_ATTRIBUTES } from '../../blocklist/table.ts';

export interface ScanPace {
  readonly unitsPerSecond: number;
  /** Milliseconds. */
  clock(): number;
  wait(ms: number): Promise<unknown>;
}

/** What an item of usual size costs less than: a page of so many items for each unit is no burst. */
const ITEMS_A_UNIT = 4;

/** Every item of the table with what a verdict needs, read consistently, with so many read units a second at most. */
export async function* pacedScan(
  connection: DynamoConnection,
  { unitsPerSecond, clock, wait }: ScanPace,
): AsyncGenerator<Item> {
  const { client, table } = connection;
  const pace = new ReadPace(unitsPerSecond, clock, wait);
  let ExclusiveStartKey: ScanCommandOutput['LastEvaluatedKey'];
  do {
    const command = new ScanCommand({
      TableName: table,
      ConsistentRead: true,
      Limit: Math.max(1, Math.floor(unitsPerSecond * ITEMS_A_UNIT)),
      ReturnConsumedCapacity: 'TOTAL',
      ...attributes(),
      ...(ExclusiveStartKey && { ExclusiveStartKey }),
    });
    const page: ScanCommandOutput = await pace.read(
      () => connection.attempt('scan', () => client.send(command)),
      ({ ConsumedCapacity }) => ConsumedCapacity?.CapacityUnits,
    );
    yield* (page.Items ?? []).map(fromAttributes);
    ({ LastEvaluatedKey: ExclusiveStartKey } = page);
  } while (ExclusiveStartKey !== undefined);
}

function attributes() {
  const names = VERDICT_ATTRIBUTES.map((name, at) => [`#a${at}`, name] as const);
  return {
    ProjectionExpression: names.map(([place]) => place).join(', '),
    ExpressionAttributeNames: Object.fromEntries(names),
  };
}
