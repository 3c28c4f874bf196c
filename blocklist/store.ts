import type { StoredEntry } from './entry.ts';
import type { HistoryStore, ListStore } from './records.ts';

/** Where an entry stands. */
export interface Key {
  readonly subject: string;
  readonly list: string;
}

/** An item as it was found; anybody may have typed it, so it is no entry before parseEntry says so. */
export interface Item {
  readonly subject?: unknown;
  readonly list?: unknown;
  readonly [attribute: string]: unknown;
}

/** What a lookup brought. A key in neither part has no item. */
export interface Found {
  readonly items: readonly Item[];
  readonly unread: readonly Key[];
  /** How often the database said that this is too much at once. */
  readonly throttles: number;
  /** Why there are unread keys. */
  readonly failure?: StoreError;
}

/** The entries of the blocklist. A database has no rules: it neither parses nor expires anything. */
export interface EntryStore {
  /** Reads many keys at once. What the database could not do is in `failure`; the caller judges it. */
  lookup(keys: readonly Key[]): Promise<Found>;
  /** Writes an entry over whatever stood there, and says whether something did. */
  put(entry: StoredEntry): Promise<boolean>;
  /** Removes an entry, and says whether it was there. */
  remove(key: Key): Promise<boolean>;
  /** The items of exactly this subject text, in all lists. */
  ofSubject(subject: string): AsyncIterable<Item>;
  /** The items of one list, by subject, read page after page. */
  ofList(list: string): AsyncIterable<Item>;
}

/** Many items at once. Every method throws StoreError where the database fails. */
export interface BulkStore {
  /** The items of these keys with every attribute, as they are now; a key without an item brings none. */
  read(keys: readonly Key[]): Promise<Item[]>;
  /**
   * Writes entries, taking them only as fast as they are written, and says how many were. Of a key that comes twice the
   * later entry stays.
   */
  put(entries: AsyncIterable<StoredEntry> | Iterable<StoredEntry>, options?: BulkOptions): Promise<number>;
  /** Removes whatever stands under these keys, in the same way. A key without an item counts as removed. */
  remove(keys: AsyncIterable<Key> | Iterable<Key>, options?: BulkOptions): Promise<number>;
  /** Removes an item unless an attribute of an entry has changed since it was read; false if one has. */
  removeUnchanged(item: Item): Promise<boolean>;
  /** Every item of the table, reserved ones too, in no order. */
  scan(): AsyncIterable<Item>;
}

export interface BulkOptions {
  /** Told after each call how many it has written. */
  written?(count: number): void;
  /** Takes no more once aborted; what was taken is still written. */
  readonly signal?: AbortSignal;
}

/** The table as the commands use it; each takes the parts it needs. */
export interface Blocklist {
  readonly entries: EntryStore;
  readonly bulk: BulkStore;
  readonly lists: ListStore;
  readonly history: HistoryStore;
}

/** The database could not do it. The message is for operators: what failed, where, and what would help. */
export class StoreError extends Error {
  override readonly name = 'StoreError';
  /** Was it asked too much at once? Whoever asks less often is answered again. */
  readonly isThrottled: boolean;

  constructor(message: string, { isThrottled = false, ...options }: ErrorOptions & { isThrottled?: boolean } = {}) {
    super(message, options);
    this.isThrottled = isThrottled;
  }
}
