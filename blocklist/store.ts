import type { StoredEntry } from './entry.ts';
import type { HistoryStore, ListStore } from './records.ts';

/** The key of an entry. */
export interface Key {
  readonly subject: string;
  readonly list: string;
}

/** A key, or that of an item, as one string: no list name contains a line feed. */
export function keyName({ subject, list }: Pick<Item, 'subject' | 'list'>): string {
  return `${subject}\n${list}`;
}

/** An item of the table, not validated: it may have been typed by hand. `parseEntry` makes an entry of it. */
export interface Item {
  readonly subject?: unknown;
  readonly list?: unknown;
  readonly [attribute: string]: unknown;
}

/** The result of a lookup. A key in neither part has no item. */
export interface Found {
  readonly items: readonly Item[];
  readonly unread: readonly Key[];
  /** How often the database throttled. */
  readonly throttles: number;
  /** Why there are unread keys. */
  readonly failure?: StoreError;
}

/** The entries of the blocklist. A store neither parses nor expires anything. */
export interface EntryStore {
  /** Reads many keys at once. An error of the database is returned as `failure`, not thrown. */
  lookup(keys: readonly Key[]): Promise<Found>;
  /** Writes an entry; returns whether it replaced one. */
  put(entry: StoredEntry): Promise<boolean>;
  /** Removes an entry; returns whether it existed. */
  remove(key: Key): Promise<boolean>;
  /** The items of exactly this subject text, in all lists. */
  ofSubject(subject: string): AsyncIterable<Item>;
  /** The items of one list, by subject, read page after page. */
  ofList(list: string): AsyncIterable<Item>;
}

/** Operations on many items. Every method throws StoreError if the database fails. */
export interface BulkStore {
  /** The items of these keys with every attribute, read consistently; keys without an item are left out. */
  read(keys: readonly Key[]): Promise<Item[]>;
  /**
   * Writes entries, taking them only as fast as they are written; returns how many were written. If a key occurs twice,
   * the later entry stays.
   */
  put(entries: AsyncIterable<StoredEntry> | Iterable<StoredEntry>, options?: BulkOptions): Promise<number>;
  /** Removes the items of these keys, in the same way. A key without an item counts as removed. */
  remove(keys: AsyncIterable<Key> | Iterable<Key>, options?: BulkOptions): Promise<number>;
  /** Removes an item unless an attribute of an entry has changed since it was read; false if one has. */
  removeUnchanged(item: Item): Promise<boolean>;
  /** Writes an item if its key has no item, or, with `was`, still this one; false otherwise. */
  putUnchanged(item: Item, was: Item | undefined): Promise<boolean>;
  /** Every item of the table, reserved ones too, in no order. */
  scan(): AsyncIterable<Item>;
}

export interface BulkOptions {
  /** Called after each call to the database with the number of items that it wrote. */
  written?(count: number): void;
  /** Called with the keys of a batch when all of it is written. */
  finished?(keys: readonly Key[]): void;
  /** Takes no more once aborted; what was taken is still written. */
  readonly signal?: AbortSignal;
}

/** The table for the commands; each uses the parts it needs. */
export interface Blocklist {
  readonly entries: EntryStore;
  readonly bulk: BulkStore;
  readonly lists: ListStore;
  readonly history: HistoryStore;
}

/** The database failed. The message is for operators: what failed, where, and what would help. */
export class StoreError extends Error {
  override readonly name = 'StoreError';
  /** Did it fail because the database throttles? Fewer calls succeed again. */
  readonly isThrottled: boolean;

  constructor(message: string, { isThrottled = false, ...options }: ErrorOptions & { isThrottled?: boolean } = {}) {
    super(message, options);
    this.isThrottled = isThrottled;
  }
}
