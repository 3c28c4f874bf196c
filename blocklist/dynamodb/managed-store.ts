import { paginateScan } from '@aws-sdk/client-dynamodb';
import type { StoredEntry } from '../entry.ts';
import type {
  BulkOptions,
  Change,
  Lease,
  ListChanges,
  ListRecord,
  ManagedStore,
  RecordedChange,
  WantedChanges,
} from '../managed-store.ts';
import type { Found, Item, Key } from '../store.ts';
import { DynamoBulk } from './bulk.ts';
import { deleteIf } from './condition.ts';
import { DynamoConnection, type DynamoOptions, keyAttributes } from './connection.ts';
import { DynamoHistory } from './history.ts';
import { fromAttributes } from './item.ts';
import { DynamoLists } from './lists.ts';
import type { Wait } from './retry.ts';
import { DynamoStore } from './store.ts';
import { unchangedSince } from './unchanged.ts';

/** The table in DynamoDB as people's tools use it; apart from DynamoStore, so that the function carries none of it. */
export class DynamoManagedStore implements ManagedStore {
  readonly #connection: DynamoConnection;
  readonly #store: DynamoStore;
  readonly #bulk: DynamoBulk;
  readonly #lists: DynamoLists;
  readonly #history: DynamoHistory;

  constructor(options: DynamoOptions, wait?: Wait) {
    this.#connection = new DynamoConnection(options);
    this.#store = new DynamoStore(this.#connection);
    this.#bulk = new DynamoBulk(this.#connection, wait);
    this.#lists = new DynamoLists(this.#connection, this.#bulk);
    this.#history = new DynamoHistory(this.#connection);
  }

  lookup(keys: readonly Key[]): Promise<Found> {
    return this.#store.lookup(keys);
  }

  put(entry: StoredEntry): Promise<boolean> {
    return this.#store.put(entry);
  }

  remove(key: Key): Promise<boolean> {
    return this.#store.remove(key);
  }

  entriesOfSubject(subject: string): AsyncIterable<Item> {
    return this.#store.entriesOfSubject(subject);
  }

  entriesOfList(list: string): AsyncIterable<Item> {
    return this.#store.entriesOfList(list);
  }

  read(keys: readonly Key[]): Promise<Item[]> {
    return this.#bulk.read(keys);
  }

  putAll(entries: AsyncIterable<StoredEntry> | Iterable<StoredEntry>, options?: BulkOptions): Promise<number> {
    return this.#bulk.put(entries, options);
  }

  removeAll(keys: AsyncIterable<Key> | Iterable<Key>, options?: BulkOptions): Promise<number> {
    return this.#bulk.remove(keys, options);
  }

  removeUnchanged(item: Item): Promise<boolean> {
    const key = { subject: String(item.subject), list: String(item.list) };
    return deleteIf(this.#connection, { Key: keyAttributes(key), ...unchangedSince(item) });
  }

  async *scan(): AsyncGenerator<Item> {
    const pages = paginateScan({ client: this.#connection.client }, { TableName: this.#connection.table });
    for (;;) {
      const page = await this.#connection.attempt('scan', () => pages.next());
      if (page.done === true) return;
      yield* (page.value.Items ?? []).map(fromAttributes);
    }
  }

  lists(): AsyncIterable<ListRecord> {
    return this.#lists.all();
  }

  listRecord(name: string): Promise<ListRecord | undefined> {
    return this.#lists.find(name);
  }

  createList(record: ListRecord): Promise<boolean> {
    return this.#lists.create(record);
  }

  updateList(name: string, changed: ListChanges): Promise<boolean> {
    return this.#lists.update(name, changed);
  }

  deleteListRecord(name: string): Promise<void> {
    return this.#lists.delete(name);
  }

  takeLease(list: string, lease: Lease, nowSeconds: number): Promise<Lease | undefined> {
    return this.#lists.takeLease(list, lease, nowSeconds);
  }

  releaseLease(list: string, holder: string): Promise<void> {
    return this.#lists.releaseLease(list, holder);
  }

  leaseOf(list: string): Promise<Lease | undefined> {
    return this.#lists.leaseOf(list);
  }

  record(change: Change): Promise<void> {
    return this.#history.record(change);
  }

  changesOfList(list: string, wanted?: WantedChanges): AsyncIterable<RecordedChange> {
    return this.#history.of(list, wanted);
  }

  listsWithHistory(): AsyncIterable<string> {
    return this.#history.lists();
  }
}
