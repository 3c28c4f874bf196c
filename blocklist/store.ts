import type { StoredEntry } from './entry.ts';

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

/** The blocklist's database. It has no rules: it neither parses nor expires anything. */
export interface Store {
  /** Reads many keys at once. What the database could not do is in `failure`; the caller judges it. */
  lookup(keys: readonly Key[]): Promise<Found>;
  /** Writes an entry over whatever stood there, and says whether something did. */
  put(entry: StoredEntry): Promise<boolean>;
  /** Removes an entry, and says whether it was there. */
  remove(key: Key): Promise<boolean>;
  /** The items of exactly this subject text, in all lists. */
  entriesOfSubject(subject: string): AsyncIterable<Item>;
  /** The items of one list, by subject, read page after page. */
  entriesOfList(list: string): AsyncIterable<Item>;
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
