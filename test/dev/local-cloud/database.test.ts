import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { DescribeTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { LOCAL_ACCESS } from '../../../blocklist/dynamodb/local-access.ts';
import { localTable, startTable, storeAt } from '../../support/local-table.ts';

describe('the local database', () => {
  it('is active and has the keys and the index of the design', async (t) => {
    const { endpoint, tableName } = await localTable(t);
    const client = new DynamoDBClient({ endpoint, ...LOCAL_ACCESS });
    const { Table } = await client.send(new DescribeTableCommand({ TableName: tableName }));
    assert.equal(Table?.TableStatus, 'ACTIVE');
    const keys = (schema: typeof Table.KeySchema) => schema?.map((key) => `${key.AttributeName} ${key.KeyType}`);
    assert.deepEqual(keys(Table.KeySchema), ['subject HASH', 'list RANGE']);
    const [index] = Table.GlobalSecondaryIndexes ?? [];
    assert.equal(index?.IndexName, 'by-list');
    assert.deepEqual(keys(index?.KeySchema), ['list HASH', 'subject RANGE']);
  });

  it('keeps its entries in a folder over a restart', async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'haverdict-'));
    t.after(() => rm(folder, { recursive: true }));
    const first = await startTable({ folder });
    await storeAt(first.endpoint).put({ subject: 'key:kept', list: 'manual', action: 'deny' });
    await first.close();
    const second = await startTable({ folder });
    t.after(() => second.close());
    const { items } = await storeAt(second.endpoint).lookup([{ subject: 'key:kept', list: 'manual' }]);
    assert.equal(items.length, 1);
  });
});
