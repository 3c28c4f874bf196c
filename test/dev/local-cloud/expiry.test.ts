import assert from 'node:assert/strict';
import { it } from 'node:test';
import { DynamoDBClient, PutItemCommand, ScanCommand } from '@aws-sdk/client-dynamodb';
import { LOCAL_ACCESS } from '../../../blocklist/dynamodb/local-access.ts';
import { deleteExpired } from '../../../dev/local-cloud/expiry.ts';
import { startWriteTap, type Written } from '../../../dev/local-cloud/write-tap.ts';
import { localTable } from '../../support/local-table.ts';

const NOW_SECONDS = 1_790_000_000;
const KEYS = ['subject', 'list'];

it('the service that deletes what has expired takes what DynamoDB would, under its own name', async (t) => {
  const { endpoint, tableName: TableName } = await localTable(t);
  const written: Written[] = [];
  const keysOf = new Map([[TableName, KEYS]]);
  const tap = await startWriteTap({ endpoint, keysOf, written: (change) => void written.push(change) });
  const client = new DynamoDBClient({ endpoint: tap.endpoint, ...LOCAL_ACCESS });
  t.after(async () => {
    client.destroy();
    await tap.close();
  });
  for (const [subject, expiresAt] of [
    ['expired', { N: String(NOW_SECONDS) }],
    ['later', { N: String(NOW_SECONDS + 1) }],
    ['text', { S: String(NOW_SECONDS - 1) }],
    ['milliseconds', { N: String(NOW_SECONDS * 1000) }],
    ['long ago', { N: String(NOW_SECONDS - 6 * 365 * 86_400) }],
    ['never', undefined],
  ] as const) {
    const Item = { subject: { S: subject }, list: { S: 'manual' }, ...(expiresAt && { expiresAt }) };
    await client.send(new PutItemCommand({ TableName, Item }));
  }
  written.splice(0);
  const properties = { TimeToLiveSpecification: { AttributeName: 'expiresAt', Enabled: true } };
  const tables = [properties, {}].map((properties) => ({
    table: { id: 'Table', ref: TableName, attributes: {}, properties },
    keys: KEYS,
  }));
  assert.equal(await deleteExpired(tap.endpoint, tables, NOW_SECONDS * 1000), 1);
  assert.deepEqual(
    written.map(({ keys, after, isByTtl }) => [keys.subject?.S, after, isByTtl]),
    [['expired', undefined, true]],
  );
  assert.equal((await client.send(new ScanCommand({ TableName }))).Count, 5);
  assert.equal(await deleteExpired(tap.endpoint, tables, NOW_SECONDS * 1000), 0);
});
