import { setTimeout as delay } from 'node:timers/promises';
import {
  type AttributeValue,
  BatchGetItemCommand,
  DeleteItemCommand,
  DynamoDBClient,
  type DynamoDBClientConfig,
  PutItemCommand,
  paginateQuery,
} from '@aws-sdk/client-dynamodb';
import pLimit from 'p-limit';
import { storeError, throttlesIn } from './dynamodb-error.ts';
import { fromAttributes, toAttributes } from './dynamodb-item.ts';
import type { StoredEntry } from './entry.ts';
import { type Found, type Item, type Key, type Store, StoreError } from './store.ts';
import { TABLE, VERDICT_ATTRIBUTES } from './table.ts';

/** Where the table is and how long it may take. Whatever is left out comes from the usual AWS chain. */
export interface DynamoStoreOptions {
  readonly table: string;
  readonly connectTimeoutMs: number;
  readonly requestTimeoutMs: number;
  readonly client?: Pick<DynamoDBClientConfig, 'region' | 'endpoint' | 'profile' | 'credentials' | 'maxAttempts'>;
}

/** BatchGetItem takes no more. */
const KEYS_A_CALL = 100;
const CALLS_AT_ONCE = 16;
/** DynamoDB leaves keys unprocessed when it throttles or the answer is full; the waits before asking for them again. */
const RETRY_WAITS_MS = [20, 60, 180];

/** The blocklist in DynamoDB. */
export class DynamoStore implements Store {
  readonly #client: DynamoDBClient;
  readonly #table: string;
  readonly #limit = pLimit(CALLS_AT_ONCE);

  constructor({ table, connectTimeoutMs, requestTimeoutMs, client }: DynamoStoreOptions) {
    this.#table = table;
    this.#client = new DynamoDBClient({
      ...client,
      requestHandler: {
        connectionTimeout: connectTimeoutMs,
        requestTimeout: requestTimeoutMs,
        throwOnRequestTimeout: true, // else the SDK only warns and goes on waiting
        httpsAgent: { keepAlive: true, maxSockets: CALLS_AT_ONCE },
        httpAgent: { keepAlive: true, maxSockets: CALLS_AT_ONCE },
      },
    });
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
      TableName: this.#table,
      Item: toAttributes(entry),
      ReturnValues: 'ALL_OLD',
    });
    return this.#attempt('put', async () => (await this.#client.send(command)).Attributes !== undefined);
  }

  remove(key: Key): Promise<boolean> {
    const command = new DeleteItemCommand({
      TableName: this.#table,
      Key: keyAttributes(key),
      ReturnValues: 'ALL_OLD',
    });
    return this.#attempt('remove', async () => (await this.#client.send(command)).Attributes !== undefined);
  }

  entriesOfSubject(subject: string): AsyncIterable<Item> {
    return this.#query(TABLE.partitionKey, subject);
  }

  entriesOfList(list: string): AsyncIterable<Item> {
    return this.#query(TABLE.listIndex.partitionKey, list, TABLE.listIndex.name);
  }

  /** Never throws: what could not be read is the caller's to judge, beside what the other batches brought. */
  async #readBatch(keys: readonly Key[]): Promise<Found> {
    const items: Item[] = [];
    let unread = keys;
    let throttles = 0;
    try {
      for (const waitMs of [0, ...RETRY_WAITS_MS]) {
        if (waitMs > 0) await delay(waitMs * (0.5 + Math.random()));
        const answer = await this.#attempt('lookup', () => this.#readOnce(unread));
        items.push(...answer.items);
        unread = answer.unread;
        if (unread.length === 0) return { items, unread, throttles };
        throttles++;
      }
      const problem = `lookup on table ${this.#table} left ${unread.length} keys unread: DynamoDB is throttling`;
      return { items, unread, throttles, failure: new StoreError(problem) };
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
    const command = new BatchGetItemCommand({ RequestItems: { [this.#table]: request } });
    const { Responses, UnprocessedKeys } = await this.#client.send(command);
    const left = UnprocessedKeys?.[this.#table]?.Keys ?? [];
    return {
      items: (Responses?.[this.#table] ?? []).map(fromAttributes),
      unread: left.map((key) => ({ subject: key.subject?.S ?? '', list: key.list?.S ?? '' })),
    };
  }

  async *#query(partitionKey: string, value: string, index?: string): AsyncGenerator<Item> {
    const pages = paginateQuery(
      { client: this.#client },
      {
        TableName: this.#table,
        ...(index !== undefined && { IndexName: index }),
        KeyConditionExpression: '#key = :value',
        ExpressionAttributeNames: { '#key': partitionKey },
        ExpressionAttributeValues: { ':value': { S: value } },
      },
    );
    for (;;) {
      const page = await this.#attempt('query', () => pages.next());
      if (page.done === true) return;
      yield* (page.value.Items ?? []).map(fromAttributes);
    }
  }

  async #attempt<Result>(operation: string, run: () => Promise<Result>): Promise<Result> {
    try {
      return await run();
    } catch (error) {
      throw storeError(error, { operation, table: this.#table, where: await this.#where() });
    }
  }

  async #where(): Promise<string> {
    const endpoint = await this.#client.config.endpoint?.();
    if (endpoint !== undefined)
      return `${endpoint.protocol}//${endpoint.hostname}${endpoint.port ? `:${endpoint.port}` : ''}`;
    return this.#client.config.region().catch(() => 'no region');
  }
}

function keyAttributes(key: Key): Record<string, AttributeValue> {
  return { subject: { S: key.subject }, list: { S: key.list } };
}

/** BatchGetItem refuses a call that names a key twice. Neither part of a key can have a line feed in it. */
function unique(keys: readonly Key[]): Key[] {
  return [...new Map(keys.map((key) => [`${key.subject}\n${key.list}`, key])).values()];
}

function chunksOf<Piece>(pieces: readonly Piece[], size: number): Piece[][] {
  return Array.from({ length: Math.ceil(pieces.length / size) }, (_, index) =>
    pieces.slice(index * size, (index + 1) * size),
  );
}
