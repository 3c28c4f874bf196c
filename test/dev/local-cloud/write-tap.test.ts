import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import {
  BatchWriteItemCommand,
  DeleteItemCommand,
  DynamoDBClient,
  PutItemCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { startWriteTap, type WriteTap, type Written } from '../../../dev/local-cloud/write-tap.ts';
import { faultyTable } from '../../support/faulty-table.ts';
import { startTable, type TableServer } from '../../support/local-table.ts';

const ACCESS = { region: 'local', credentials: { accessKeyId: 'a', secretAccessKey: 'b' }, maxAttempts: 1 } as const;
const TableName = 'haverdict';

describe('the tap before the database', () => {
  let table: TableServer;
  let tap: WriteTap;
  let client: DynamoDBClient;
  const written: Written[] = [];
  const keysOf = new Map([[TableName, ['subject', 'list']]]);
  const add = (change: Written) => void written.push(change);
  before(async () => {
    table = await startTable();
    tap = await startWriteTap({ endpoint: table.endpoint, keysOf, written: add });
    client = new DynamoDBClient({ endpoint: tap.endpoint, ...ACCESS });
  });
  after(async () => {
    client.destroy();
    await tap.close();
    await table.close();
  });
  beforeEach(() => void written.splice(0));

  const key = (subject: string) => ({ subject: { S: subject }, list: { S: 'manual' } });
  const seen = () => written.map(({ keys, before, after }) => [keys.subject?.S, before?.n?.N, after?.n?.N]);

  it('tells what was put, updated and deleted, with what was there before', async () => {
    await client.send(new PutItemCommand({ TableName, Item: { ...key('a'), n: { N: '1' } } }));
    const update = { UpdateExpression: 'SET n = :n', ExpressionAttributeValues: { ':n': { N: '2' } } };
    await client.send(new UpdateItemCommand({ TableName, Key: key('a'), ...update }));
    await client.send(new DeleteItemCommand({ TableName, Key: key('a') }));
    assert.deepEqual(seen(), [
      ['a', undefined, '1'],
      ['a', '1', '2'],
      ['a', '2', undefined],
    ]);
  });

  it('tells nothing of writes that change nothing or are refused, and of other tables', async () => {
    await client.send(new PutItemCommand({ TableName, Item: { ...key('b'), n: { N: '1' }, m: { S: 'x' } } }));
    written.splice(0);
    await client.send(new PutItemCommand({ TableName, Item: { m: { S: 'x' }, n: { N: '1' }, ...key('b') } }));
    await client.send(new DeleteItemCommand({ TableName, Key: key('nobody') }));
    const condition = { ConditionExpression: 'attribute_not_exists(subject)' };
    await assert.rejects(client.send(new PutItemCommand({ TableName, Item: key('b'), ...condition })));
    await assert.rejects(client.send(new PutItemCommand({ TableName: 'other', Item: key('b') })));
    await assert.rejects(client.send(new PutItemCommand({ TableName, Item: { subject: { S: 'b' } } })));
    assert.deepEqual(written, []);
  });

  it('tells only what was written of a batch that was left in part', async (t) => {
    const endpoint = await faultyTable(t, table.endpoint, () => undefined);
    const partial = await faultyTable(t, endpoint, ({ operation, body }) => {
      if (operation !== 'BatchWriteItem' || body.RequestItems[TableName].length === 1) return undefined;
      return { status: 200, body: { UnprocessedItems: { [TableName]: body.RequestItems[TableName] } } };
    });
    const own = await startWriteTap({ endpoint: partial, keysOf, written: add });
    t.after(() => own.close());
    const through = new DynamoDBClient({ endpoint: own.endpoint, ...ACCESS });
    t.after(async () => through.destroy());
    const put = (subject: string) => ({ PutRequest: { Item: key(subject) } });
    const { UnprocessedItems } = await through.send(
      new BatchWriteItemCommand({ RequestItems: { [TableName]: [put('c'), put('d')] } }),
    );
    assert.equal(UnprocessedItems?.[TableName]?.length, 2);
    assert.deepEqual(written, []);
    await through.send(new BatchWriteItemCommand({ RequestItems: { [TableName]: [put('d')] } }));
    assert.deepEqual(seen(), [['d', undefined, undefined]]);
  });

  it('tells the changes of an item in their order, however many write it at a time', async () => {
    const count = 20;
    await Promise.all(
      Array.from({ length: count }, (_, n) =>
        client.send(new PutItemCommand({ TableName, Item: { ...key('e'), n: { N: String(n) } } })),
      ),
    );
    assert.equal(written.length, count);
    for (const [index, { before }] of written.entries())
      assert.equal(before?.n?.N, written[index - 1]?.after?.n?.N, `change ${index}`);
  });
});
