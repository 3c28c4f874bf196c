import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { LOCAL_ACCESS } from '../../../blocklist/dynamodb/local-access.ts';
import { describedReadShare, FIRST_READ_UNITS, readShareOf } from '../../../blocklist/dynamodb/read-share.ts';
import { localTable } from '../../support/local-table.ts';

type Table = Parameters<typeof readShareOf>[0];

const ON_DEMAND = { BillingModeSummary: { BillingMode: 'PAY_PER_REQUEST' } } as const;
const index = (one: object) => ({ GlobalSecondaryIndexes: [{ IndexName: 'by-list', ...one }] });
const at = (ReadCapacityUnits: number) => ({ ProvisionedThroughput: { ReadCapacityUnits } }) as Partial<Table>;
const most = (MaxReadRequestUnits: number) => ({ OnDemandThroughput: { MaxReadRequestUnits } });

/** Tables as DynamoDB describes them, and the units of which commands use half. */
const TABLES: readonly (readonly [what: string, table: Table, units: number])[] = [
  ['on demand with a maximum', { ...ON_DEMAND, ...most(2000), ...index(most(2000)) }, 2000],
  ['whose index has less', { ...ON_DEMAND, ...most(2000), ...index(most(600)) }, 600],
  ['on demand without a maximum', { ...ON_DEMAND, ...most(-1), ...at(0), ...index({}) }, 12_000],
  ['on demand that has served more', { ...ON_DEMAND, WarmThroughput: { ReadUnitsPerSecond: 30_000 } }, 30_000],
  ['provisioned, as older tables say it', { ...at(100), ...index(at(40)) }, 40],
  ['provisioned', { BillingModeSummary: { BillingMode: 'PROVISIONED' }, ...at(100) }, 100],
  ['of one unit', at(1), 2],
];

describe('the read units of commands', () => {
  for (const [what, table, units] of TABLES)
    it(`are half of those of a table ${what}`, () => assert.equal(readShareOf(table), units / 2));

  it('are asked of the table, and as at first where it cannot be asked', async (t) => {
    const { endpoint, tableName } = await localTable(t);
    const share = (client: object) =>
      describedReadShare({ table: tableName, connectTimeoutMs: 1000, requestTimeoutMs: 5000, client });
    assert.equal(await share({ endpoint, ...LOCAL_ACCESS }), 6000);
    assert.equal(await share({ endpoint: 'http://127.0.0.1:1', ...LOCAL_ACCESS, maxAttempts: 1 }), FIRST_READ_UNITS);
  });
});
