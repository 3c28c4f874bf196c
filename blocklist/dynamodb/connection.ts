import {
  type AttributeValue,
  DynamoDBClient,
  type DynamoDBClientConfig,
  paginateQuery,
  type QueryCommandInput,
} from '@aws-sdk/client-dynamodb';
import { type Item, type Key, keyName } from '../store.ts';
import { storeError } from './error.ts';
import { fromAttributes } from './item.ts';
import type { ReadPace } from './read-pace.ts';

/** The table and its timeouts. Client settings that are absent come from the AWS SDK's defaults. */
export interface DynamoOptions {
  readonly table: string;
  readonly connectTimeoutMs: number;
  readonly requestTimeoutMs: number;
  /** Of everything but lookups; as fast as it goes if absent. */
  readonly readPace?: ReadPace | undefined;
  readonly client?: Pick<DynamoDBClientConfig, 'region' | 'endpoint' | 'profile' | 'credentials' | 'maxAttempts'>;
}

/** The most calls in flight of each part of a store. */
export const CALLS_AT_ONCE = 16;

/** A client for one table, whose errors are `StoreError`s. */
export class DynamoConnection {
  readonly client: DynamoDBClient;
  readonly table: string;
  readonly #pace: ReadPace | undefined;

  constructor({ table, connectTimeoutMs, requestTimeoutMs, readPace, client }: DynamoOptions) {
    this.table = table;
    this.#pace = readPace;
    this.client = new DynamoDBClient({
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

  /** The items of a query on this table, read page after page. */
  async *query(input: Omit<QueryCommandInput, 'TableName'>): AsyncGenerator<Item> {
    const counted = { TableName: this.table, ReturnConsumedCapacity: 'TOTAL' } as const;
    const pages = paginateQuery({ client: this.client }, { ...input, ...counted });
    for (;;) {
      const page = await this.paced(
        () => this.attempt('query', () => pages.next()),
        ({ value }) => value?.ConsumedCapacity?.CapacityUnits,
      );
      if (page.done === true) return;
      yield* (page.value.Items ?? []).map(fromAttributes);
    }
  }

  /** Reads at the pace of the connection, if it has one. */
  paced<Answer>(read: () => Promise<Answer>, unitsOf: (answer: Answer) => number | undefined): Promise<Answer> {
    return this.#pace === undefined ? read() : this.#pace.read(read, unitsOf);
  }

  /** Runs `run`, and throws a StoreError for any error. */
  async attempt<Result>(operation: string, run: () => Promise<Result>): Promise<Result> {
    try {
      return await run();
    } catch (error) {
      throw storeError(error, { operation, table: this.table, where: await this.#where() });
    }
  }

  async #where(): Promise<string | undefined> {
    const endpoint = await this.client.config.endpoint?.();
    if (endpoint !== undefined)
      return `${endpoint.protocol}//${endpoint.hostname}${endpoint.port ? `:${endpoint.port}` : ''}`;
    return this.client.config.region().catch(() => undefined);
  }
}

export function keyAttributes(key: Key): Record<string, AttributeValue> {
  return { subject: { S: key.subject }, list: { S: key.list } };
}

/** Removes duplicates, which DynamoDB refuses in a batch. */
export function unique(keys: readonly Key[]): Key[] {
  return [...new Map(keys.map((key) => [keyName(key), key])).values()];
}

export function chunksOf<Piece>(pieces: readonly Piece[], size: number): Piece[][] {
  return Array.from({ length: Math.ceil(pieces.length / size) }, (_, index) =>
    pieces.slice(index * size, (index + 1) * size),
  );
}
