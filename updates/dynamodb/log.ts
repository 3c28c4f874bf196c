import { type AttributeValue, GetItemCommand, QueryCommand, type QueryCommandInput } from '@aws-sdk/client-dynamodb';
import { putIf } from '../../blocklist/dynamodb/conditional-writes.ts';
import type { DynamoConnection } from '../../blocklist/dynamodb/connection.ts';
import type { Log } from '../append.ts';
import type { Read } from '../page.ts';
import { type Beats, type LogRecord, NO_BASE } from '../record.ts';
import { RECORDS_A_READ, UPDATES_TABLE } from '../table.ts';
import { atOf, keyOf } from './key.ts';

/** The partition of the log; others are for what is built from it. */
const PART = 'log';

/** The log in DynamoDB. */
export class DynamoLog implements Log {
  readonly #connection: DynamoConnection;

  constructor(connection: DynamoConnection) {
    this.#connection = connection;
  }

  async tail(): Promise<LogRecord | undefined> {
    const { records } = await this.#query({
      ...keyCondition('#part = :part'),
      ScanIndexForward: false,
      Limit: 1,
      ConsistentRead: true,
    });
    return records[0];
  }

  /** The record with this number. */
  async at(number: number): Promise<LogRecord | undefined> {
    const { client, table } = this.#connection;
    const command = new GetItemCommand({ TableName: table, Key: keyOf(PART, atOf(number)), ConsistentRead: true });
    const { Item } = await this.#connection.attempt('get', () => client.send(command));
    return Item && recordOf(Item);
  }

  /** The records from this number on. */
  from(number: number, { isConsistent }: { readonly isConsistent: boolean }): Promise<Read> {
    return this.#query({
      ...keyCondition('#part = :part AND #at >= :at', atOf(number)),
      Limit: RECORDS_A_READ,
      ConsistentRead: isConsistent,
    });
  }

  put(record: LogRecord): Promise<boolean> {
    return putIf(this.#connection, {
      Item: attributesOf(record),
      ConditionExpression: 'attribute_not_exists(#part)',
      ExpressionAttributeNames: { '#part': UPDATES_TABLE.partitionKey },
    });
  }

  async #query(input: Omit<QueryCommandInput, 'TableName'>): Promise<Read> {
    const { client, table } = this.#connection;
    const command = new QueryCommand({ ...input, TableName: table });
    const { Items = [], LastEvaluatedKey } = await this.#connection.attempt('query', () => client.send(command));
    return { records: Items.map(recordOf), isAll: LastEvaluatedKey === undefined };
  }
}

function keyCondition(KeyConditionExpression: string, at?: string) {
  const { partitionKey, sortKey } = UPDATES_TABLE;
  return {
    KeyConditionExpression,
    ExpressionAttributeNames: { '#part': partitionKey, ...(at !== undefined && { '#at': sortKey }) },
    ExpressionAttributeValues: { ':part': { S: PART }, ...(at !== undefined && { ':at': { S: at } }) },
  };
}

function attributesOf(record: LogRecord): Record<string, AttributeValue> {
  return {
    ...keyOf(PART, atOf(record.number)),
    [UPDATES_TABLE.ttlAttribute]: { N: String(record.expiresAt) },
    id: { S: record.id },
    base: { S: record.base },
    stream: { S: record.stream },
    beats: beatsAttribute(record.beats),
    batch: beatsAttribute(record.batch),
    triedMs: { N: String(record.triedMs) },
    checkedMs: { N: String(record.checkedMs) },
    changes: { N: String(record.changes) },
    packed: { B: record.packed },
    ...(record.checkpoint && { checkpoint: { B: record.checkpoint } }),
  };
}

/** Only our functions write there; what a later version leaves out is as if it had no proof and no changes. */
function recordOf(item: Readonly<Record<string, AttributeValue>>): LogRecord {
  return {
    number: Number(item[UPDATES_TABLE.sortKey]?.S),
    expiresAt: Number(item[UPDATES_TABLE.ttlAttribute]?.N ?? 0),
    id: item.id?.S ?? '',
    base: item.base?.S ?? NO_BASE,
    stream: item.stream?.S ?? '',
    beats: beatsOf(item.beats),
    batch: beatsOf(item.batch),
    triedMs: Number(item.triedMs?.N ?? 0),
    checkedMs: Number(item.checkedMs?.N ?? 0),
    changes: Number(item.changes?.N ?? 0),
    packed: item.packed?.B ?? new Uint8Array(),
    ...(item.checkpoint?.B && { checkpoint: item.checkpoint.B }),
  };
}

function beatsAttribute(beats: Beats): AttributeValue {
  return { M: Object.fromEntries(Object.entries(beats).map(([canary, ms]) => [canary, { N: String(ms) }])) };
}

function beatsOf(attribute: AttributeValue | undefined): Beats {
  return Object.fromEntries(Object.entries(attribute?.M ?? {}).map(([canary, { N }]) => [canary, Number(N)]));
}
