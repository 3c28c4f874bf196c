import { BatchGetItemCommand, BatchWriteItemCommand, paginateScan, type WriteRequest } from '@aws-sdk/client-dynamodb';
import pLimit from 'p-limit';
import type { StoredEntry } from '../entry.ts';
import { type BulkOptions, type BulkStore, type Item, type Key, keyName } from '../store.ts';
import { deleteIf, isAbsent, isUnchanged, orAbsent, putIf } from './conditional-writes.ts';
import { CALLS_AT_ONCE, chunksOf, type DynamoConnection, keyAttributes, unique } from './connection.ts';
import { fromAttributes, toAttributes } from './item.ts';
import { untilDone, type Wait } from './retry.ts';
import { untilAborted } from './until-aborted.ts';

/** The limit of BatchGetItem. */
const KEYS_A_READ = 100;
/** The limit of BatchWriteItem. */
const ITEMS_A_WRITE = 25;

interface Write {
  readonly key: Key;
  readonly name: string;
  readonly request: WriteRequest;
}

/** Reads and writes many items at once. */
export class DynamoBulk implements BulkStore {
  readonly #connection: DynamoConnection;
  readonly #limit = pLimit(CALLS_AT_ONCE);
  readonly #wait: Wait | undefined;

  constructor(connection: DynamoConnection, wait?: Wait) {
    this.#connection = connection;
    this.#wait = wait;
  }

  async read(keys: readonly Key[]): Promise<Item[]> {
    const batches = chunksOf(unique(keys), KEYS_A_READ);
    return (await Promise.all(batches.map((batch) => this.#limit(() => this.#readBatch(batch))))).flat();
  }

  put(entries: AsyncIterable<StoredEntry> | Iterable<StoredEntry>, options: BulkOptions = {}): Promise<number> {
    return this.#write(entries, (entry) => ({ PutRequest: { Item: toAttributes(entry) } }), options);
  }

  remove(keys: AsyncIterable<Key> | Iterable<Key>, options: BulkOptions = {}): Promise<number> {
    return this.#write(keys, (key) => ({ DeleteRequest: { Key: keyAttributes(key) } }), options);
  }

  removeUnchanged(item: Item): Promise<boolean> {
    const key = { subject: String(item.subject), list: String(item.list) };
    return deleteIf(this.#connection, { Key: keyAttributes(key), ...orAbsent(isUnchanged(item)) });
  }

  putUnchanged(item: Item, was: Item | undefined): Promise<boolean> {
    return putIf(this.#connection, {
      Item: toAttributes(item),
      ...(was === undefined ? isAbsent() : isUnchanged(was)),
    });
  }

  async *scan(): AsyncGenerator<Item> {
    const { client, table } = this.#connection;
    const pages = paginateScan({ client }, { TableName: table, ReturnConsumedCapacity: 'TOTAL' });
    for (;;) {
      const page = await this.#connection.paced(
        () => this.#connection.attempt('scan', () => pages.next()),
        ({ value }) => value?.ConsumedCapacity?.CapacityUnits,
      );
      if (page.done === true) return;
      yield* (page.value.Items ?? []).map(fromAttributes);
    }
  }

  /**
   * Takes pieces while fewer than CALLS_AT_ONCE batches are in flight. Batches may overtake each other, so a batch waits
   * for those in flight that have a key in common with it: of two writes to one item the later must be the last.
   */
  async #write<Piece extends Key>(
    pieces: AsyncIterable<Piece> | Iterable<Piece>,
    requestFor: (piece: Piece) => WriteRequest,
    { written, finished, signal }: BulkOptions,
  ): Promise<number> {
    const underWay = new Map<string, Promise<void>>();
    const calls = new Set<Promise<void>>();
    let failure: { readonly error: unknown } | undefined;
    let total = 0;
    const onWritten = (count: number) => {
      total += count;
      written?.(count);
    };
    const send = async (batch: readonly Write[]) => {
      await Promise.all(batch.map(({ name }) => underWay.get(name)));
      while (calls.size >= CALLS_AT_ONCE) await Promise.race(calls);
      if (failure !== undefined) return;
      const call = this.#writeBatch(batch, onWritten)
        .then(() => finished?.(batch.map(({ key }) => key)))
        .catch((error: unknown) => {
          failure ??= { error };
        })
        .finally(() => {
          calls.delete(call);
          for (const { name } of batch) underWay.delete(name);
        });
      calls.add(call);
      for (const { name } of batch) underWay.set(name, call);
    };

    let gathered = new Map<string, Write>();
    try {
      for await (const piece of untilAborted(pieces, signal)) {
        if (failure !== undefined) break;
        const name = keyName(piece);
        gathered.set(name, { key: piece, name, request: requestFor(piece) });
        if (gathered.size < ITEMS_A_WRITE) continue;
        await send([...gathered.values()]);
        gathered = new Map();
      }
      if (gathered.size > 0) await send([...gathered.values()]);
    } finally {
      await Promise.all(calls); // even if the source failed: `written` must count the batches in flight
    }
    if (failure !== undefined) throw failure.error;
    return total;
  }

  async #writeBatch(batch: readonly Write[], onWritten: (count: number) => void): Promise<void> {
    const { client, table } = this.#connection;
    const call = async (left: readonly WriteRequest[]) => {
      const command = new BatchWriteItemCommand({ RequestItems: { [table]: [...left] } });
      const { UnprocessedItems } = await this.#connection.attempt('write', () => client.send(command));
      const unprocessed = UnprocessedItems?.[table] ?? [];
      if (unprocessed.length < left.length) onWritten(left.length - unprocessed.length);
      return unprocessed;
    };
    const requests = batch.map(({ request }) => request);
    await untilDone(requests, call, this.#retrying('write'));
  }

  async #readBatch(keys: readonly Key[]): Promise<Item[]> {
    const { client, table } = this.#connection;
    const items: Item[] = [];
    const call = async (left: readonly ReturnType<typeof keyAttributes>[]) => {
      const command = new BatchGetItemCommand({
        RequestItems: { [table]: { Keys: [...left], ConsistentRead: true } },
        ReturnConsumedCapacity: 'TOTAL',
      });
      const { Responses, UnprocessedKeys } = await this.#connection.paced(
        () => this.#connection.attempt('read', () => client.send(command)),
        ({ ConsumedCapacity = [] }) => ConsumedCapacity.reduce((sum, { CapacityUnits = 0 }) => sum + CapacityUnits, 0),
      );
      items.push(...(Responses?.[table] ?? []).map(fromAttributes));
      return (UnprocessedKeys?.[table]?.Keys ?? []) as typeof left; // keys are returned as they were sent
    };
    await untilDone(keys.map(keyAttributes), call, this.#retrying('read'));
    return items;
  }

  #retrying(operation: string) {
    const what = `${operation} on table ${this.#connection.table}`;
    return this.#wait === undefined ? { what } : { what, wait: this.#wait };
  }
}
