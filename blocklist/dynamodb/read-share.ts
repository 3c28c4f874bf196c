import { DescribeTableCommand, type TableDescription } from '@aws-sdk/client-dynamodb';
import { DynamoConnection, type DynamoOptions } from './connection.ts';

/** Until the table has been described, and where it may not be. */
export const FIRST_READ_UNITS = 500;

/** What a table on demand serves at once when it is new. */
const NEW_ON_DEMAND = 12_000;
/** The rest is for lookups, and for those who follow the changes. */
const SHARE = 1 / 2;

type Throughput = Pick<
  TableDescription,
  'BillingModeSummary' | 'OnDemandThroughput' | 'ProvisionedThroughput' | 'WarmThroughput' | 'GlobalSecondaryIndexes'
>;

/** The read units a second that commands may use of this table and of each of its indexes. */
export function readShareOf(table: Throughput): number {
  const isOnDemand = table.BillingModeSummary?.BillingMode === 'PAY_PER_REQUEST';
  const all = [table, ...(table.GlobalSecondaryIndexes ?? [])].map((one) => {
    if (!isOnDemand) return one.ProvisionedThroughput?.ReadCapacityUnits ?? FIRST_READ_UNITS;
    const most = one.OnDemandThroughput?.MaxReadRequestUnits ?? -1; // it is -1 as well if there is none
    return most > 0 ? most : (one.WarmThroughput?.ReadUnitsPerSecond ?? NEW_ON_DEMAND);
  });
  return Math.max(1, Math.floor(Math.min(...all) * SHARE));
}

/** The same of the table at AWS; `FIRST_READ_UNITS` if it cannot be described. */
export async function describedReadShare(options: DynamoOptions): Promise<number> {
  const { client, table } = new DynamoConnection(options);
  try {
    const { Table } = await client.send(new DescribeTableCommand({ TableName: table }));
    return Table === undefined ? FIRST_READ_UNITS : readShareOf(Table);
  } catch {
    return FIRST_READ_UNITS; // a policy of an earlier release does not allow it; of anything else, the reads tell
  } finally {
    client.destroy();
  }
}
