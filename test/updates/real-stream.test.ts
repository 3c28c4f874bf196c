import assert from 'node:assert/strict';
import { it } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import {
  BatchWriteItemCommand,
  CreateTableCommand,
  DeleteItemCommand,
  DynamoDBClient,
  PutItemCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import type { DynamoDBRecord } from 'aws-lambda';
import { DynamoBulk } from '../../blocklist/dynamodb/bulk.ts';
import { DynamoConnection } from '../../blocklist/dynamodb/connection.ts';
import { LOCAL_ACCESS } from '../../blocklist/dynamodb/local-access.ts';
import { startWriteTap, type Written } from '../../dev/local-cloud/write-tap.ts';
import { createWriter } from '../../functions/update-writer/handler.ts';
import { DynamoLog } from '../../updates/dynamodb/log.ts';
import { unpack } from '../../updates/record.ts';
import { startDynoxide } from '../support/engines.ts';
import { startTable, tableDefinition } from '../support/local-table.ts';
import { describeNewer } from '../support/scope.ts';
import { updatesTableBeside } from '../support/updates-table.ts';

const TableName = 'haverdict';

describeNewer('the writer on a real stream (Dynoxide)', () => {
  it('brings what the table says into the log, under the label of the stream', async (t) => {
    const { endpoint, close } = await startDynoxide();
    t.after(close);
    const { streamArn, client } = await tableWithStream(endpoint);
    t.after(() => client.destroy());
    await writeAllSorts(client);
    const records = await recordsOf(endpoint, streamArn);
    const place = {
      table: TableName,
      connectTimeoutMs: 1000,
      requestTimeoutMs: 5000,
      client: { endpoint, ...LOCAL_ACCESS },
    };
    const log = new DynamoLog(await updatesTableBeside(place));
    const table = new DynamoBulk(new DynamoConnection(place));
    const deps = { region: 'local', table, log, newId: () => 'i', clock: Date.now, write() {}, measure() {} };
    await createWriter(deps)({ Records: records.map((record) => ({ ...record, eventSourceARN: streamArn })) });
    const tail = (await log.tail()) ?? assert.fail('nothing was appended');
    assert.equal(tail.stream, streamArn.split('/stream/')[1]);
    assert.deepEqual(
      unpack(tail)?.map(({ key, entry }) => [key.subject, entry?.reason ?? null]),
      [
        ['ip:192.0.2.1', 'two'],
        ['ip:192.0.2.2', null],
        ['ip:192.0.2.3', 'three'],
      ],
    );
  });

  it('has the events that the tap of the local cloud makes of the same writes', async (t) => {
    const { endpoint, close } = await startDynoxide();
    t.after(close);
    const { streamArn, client } = await tableWithStream(endpoint);
    await writeAllSorts(client);
    const real = await recordsOf(endpoint, streamArn);
    const imitated: Written[] = [];
    const table = await startTable();
    const keysOf = new Map([[TableName, ['subject', 'list']]]);
    const tap = await startWriteTap({
      endpoint: table.endpoint,
      keysOf,
      written: (change) => void imitated.push(change),
    });
    const other = new DynamoDBClient({ endpoint: tap.endpoint, ...LOCAL_ACCESS });
    await writeAllSorts(other);
    for (const one of [client, other]) one.destroy();
    await tap.close();
    await table.close();
    // of a write that changes nothing DynamoDB has no event, but Dynoxide has
    const changed = real.filter(({ dynamodb }) => !isDeepStrictEqual(dynamodb?.OldImage, dynamodb?.NewImage));
    assert.deepEqual(
      imitated.map(({ keys, before, after }) => [keys, before, after]),
      changed.map(({ dynamodb }) => [dynamodb?.Keys, dynamodb?.OldImage, dynamodb?.NewImage]),
    );
  });
});

/** Writes of every kind, some of which change nothing. */
async function writeAllSorts(client: DynamoDBClient): Promise<void> {
  const key = (last: number) => ({ subject: { S: `ip:192.0.2.${last}` }, list: { S: 'manual' } });
  const item = (last: number, reason: string) => ({ ...key(last), action: { S: 'deny' }, reason: { S: reason } });
  await client.send(new PutItemCommand({ TableName, Item: item(1, 'one') }));
  await client.send(new PutItemCommand({ TableName, Item: item(1, 'one') }));
  const update = { UpdateExpression: 'SET reason = :r', ExpressionAttributeValues: { ':r': { S: 'two' } } };
  await client.send(new UpdateItemCommand({ TableName, Key: key(1), ...update }));
  await client.send(new PutItemCommand({ TableName, Item: item(2, 'gone') }));
  await client.send(new DeleteItemCommand({ TableName, Key: key(2) }));
  await client.send(new DeleteItemCommand({ TableName, Key: key(2) }));
  const ConditionExpression = 'attribute_not_exists(subject)';
  await client.send(new PutItemCommand({ TableName, Item: item(1, 'no'), ConditionExpression })).catch(() => {});
  const writes = [{ PutRequest: { Item: item(3, 'three') } }, { DeleteRequest: { Key: key(4) } }];
  await client.send(new BatchWriteItemCommand({ RequestItems: { [TableName]: writes } }));
}

async function tableWithStream(endpoint: string) {
  const client = new DynamoDBClient({ endpoint, ...LOCAL_ACCESS });
  const StreamSpecification = { StreamEnabled: true, StreamViewType: 'NEW_AND_OLD_IMAGES' } as const;
  const { TableDescription } = await client.send(
    new CreateTableCommand({ ...tableDefinition(TableName), StreamSpecification }),
  );
  return { client, streamArn: TableDescription?.LatestStreamArn ?? assert.fail('no stream') };
}

/** All records of the only shard. The SDK for streams is a package of its own. */
async function recordsOf(endpoint: string, StreamArn: string): Promise<DynamoDBRecord[]> {
  const { StreamDescription } = await streams(endpoint, 'DescribeStream', { StreamArn });
  const [{ ShardId }] = StreamDescription.Shards;
  const shard = { StreamArn, ShardId, ShardIteratorType: 'TRIM_HORIZON' };
  const { ShardIterator } = await streams(endpoint, 'GetShardIterator', shard);
  return (await streams(endpoint, 'GetRecords', { ShardIterator })).Records;
}

// biome-ignore lint/suspicious/noExplicitAny: what the API answers; the test knows which fields it has
async function streams(endpoint: string, operation: string, body: object): Promise<any> {
  const headers = {
    'content-type': 'application/x-amz-json-1.0',
    'x-amz-target': `DynamoDBStreams_20120810.${operation}`,
    'x-amz-date': '20260101T000000Z',
    authorization:
      'AWS4-HMAC-SHA256 Credential=a/20260101/local/dynamodb/aws4_request, SignedHeaders=host, Signature=0',
  };
  const answer = await fetch(endpoint, { method: 'POST', headers, body: JSON.stringify(body) });
  return await answer.json();
}
