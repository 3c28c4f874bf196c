import { setTimeout as delay } from 'node:timers/promises';
import { BatchGetItemCommand, DeleteItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import pLimit from 'p-limit';
import type { StoredEntry } from '../entry.ts';
import { type EntryStore, type Found, type Item, type Key, StoreError } from '../store.ts';
import { TABLE, VERDICT_ATTRIBUTES } from '../table.ts';
import { CALLS_AT_ONCE, chunksOf, DynamoConnection, type DynamoOptions, keyAttributes, unique } from './connection.ts';
import { throttlesIn } from './error.ts';
import { fromAttributes, toAttributes } from './item.ts';

/** The limit of BatchGetItem. */
const KEYS_A_CALL = 100;
/** DynamoDB leaves keys unprocessed when it throttles or the answer is full; the waits before asking for them again. */
const RETRY_WAITS_MS = [20, 60, 180];

/** The entries in DynamoDB: the only part that the function needs. */
export class DynamoEntries implements EntryStore {
  readonly #connection: DynamoConnection;
  readonly #limit = pLimit(CALLS_AT_ONCE);

  constructor(to: DynamoOptions | DynamoConnection) {
    this.#connection = to instanceof DynamoConnection ? to : new DynamoConnection(to);
  }

  async lookup(keys: readonly Key[]): Promise<Found> {
    const batches = chunksOf(unique(keys), KEYS_A_CALL);
    const found = await Promise.all(batches.map((batch) => this.#limit(() => this.#readBatch(batch))));
    const failure = found.find((part) => part.failure !== undefined)?.failure;
    return {
      items: found.flatMap((part) => part.items),
      unread: found.flatMap((part) => part.unread),
      throttles: found.reduce((sum, part) => sum + part.throttles, 0),
      ...(failure !== undefined && { failure }),
    };
  }

  put(entry: StoredEntry): Promise<boolean> {
    const command = new PutItemCommand({
      TableName: this.#connection.table,
      Item: toAttributes(entry),
      ReturnValues: 'ALL_OLD',
    });
    return this.#connection.attempt(
      'put',
      async () => (await this.#connection.client.send(command)).Attributes !== undefined,
    );
  }

  remove(key: Key): Promise<boolean> {
    const command = new DeleteItemCommand({
      TableName: this.#connection.table,
      Key: keyAttributes(key),
      ReturnValues: 'ALL_OLD',
    });
    return this.#connection.attempt(
      'remove',
      async () => (await this.#connection.client.send(command)).Attributes !== undefined,
    );
  }

  ofSubject(subject: string): AsyncIterable<Item> {
    return this.#query(TABLE.partitionKey, subject);
  }

  ofList(list: string): AsyncIterable<Item> {
    return this.#query(TABLE.listIndex.partitionKey, list, TABLE.listIndex.name);
  }

  /** Never throws: a failure is returned beside what was read. */
  async #readBatch(keys: readonly Key[]): Promise<Found> {
    const items: Item[] = [];
    let unread = keys;
    let throttles = 0;
    try {
      for (const waitMs of [0, ...RETRY_WAITS_MS]) {
        if (waitMs > 0) await delay(waitMs * (0.5 + Math.random()));
        const answer = await this.#connection.attempt('lookup', () => this.#readOnce(unread));
        items.push(...answer.items);
        unread = answer.unread;
        if (unread.length === 0) return { items, unread, throttles };
        throttles++;
      }
      const problem = `lookup on table ${this.#connection.table} left ${unread.length} keys unread: DynamoDB is throttling`;
      return { items, unread, throttles, failure: new StoreError(problem, { isThrottled: true }) };
    } catch (error) {
      if (error instanceof StoreError)
        return { items, unread, throttles: throttles + throttlesIn(error.cause), failure: error };
      throw error;
    }
  }

  async #readOnce(keys: readonly Key[]): Promise<Pick<Found, 'items' | 'unread'>> {
    const names = VERDICT_ATTRIBUTES.map((name) => [`#${name}`, name]);
    const request = {
      Keys: keys.map(keyAttributes),
      ProjectionExpression: names.map(([placeholder]) => placeholder).join(', '),
      ExpressionAttributeNames: Object.fromEntries(names), // list, action and status are reserved words
    };
    const command = new BatchGetItemCommand({ RequestItems: { [this.#connection.table]: request } });
    const { Responses, UnprocessedKeys } = await this.#connection.client.send(command);
    const left = UnprocessedKeys?.[this.#connection.table]?.Keys ?? [];
    return {
      items: (Responses?.[this.#connection.table] ?? []).map(fromAttributes),
      unread: left.map((key) => ({ subject: key.subject?.S ?? '', list: key.list?.S ?? '' })),
    };
  }

  #query(partitionKey: string, value: string, index?: string): AsyncGenerator<Item> {
    return this.#connection.query({
      ...(index !== undefined && { IndexName: index }),
      KeyConditionExpression: '#key = :value',
      ExpressionAttributeNames: { '#key': partitionKey },
      ExpressionAttributeValues: { ':value': { S: value } },
    });
  }
}
