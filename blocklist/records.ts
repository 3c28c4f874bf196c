import type { Action } from '../contract/actions.ts';

/** The register of lists, and who may change one in bulk. Every method throws StoreError where the database fails. */
export interface ListStore {
  /** The registered lists, by name. */
  all(): AsyncIterable<ListRecord>;
  find(name: string): Promise<ListRecord | undefined>;
  /** Registers a list; false if it was. */
  create(record: ListRecord): Promise<boolean>;
  /** Sets these details and leaves the others; undefined removes one. False if the list is not registered. */
  update(name: string, changed: ListChanges): Promise<boolean>;
  delete(name: string): Promise<void>;
  /**
   * Takes the right to change a list in bulk, or renews it for the same holder. Undefined if taken, else who has it. A lease
   * that has ended is anybody's.
   */
  takeLease(list: string, lease: Lease, nowSeconds: number): Promise<Lease | undefined>;
  /** Gives it back; nothing happens if somebody else has taken it since. */
  releaseLease(list: string, holder: string): Promise<void>;
  /** Who has the lease on a list; it may have ended. */
  leaseOf(list: string): Promise<Lease | undefined>;
}

/** What was done to each list. */
export interface HistoryStore {
  /** Adds to the history of a list. Call it before the change itself: no change is without a record, a record may be. */
  record(change: Change): Promise<void>;
  /** The history of a list, newest first. */
  of(list: string, wanted?: WantedChanges): AsyncIterable<RecordedChange>;
  /** Every list that has a history, registered or not, by name. */
  lists(): AsyncIterable<string>;
}

/** What is known of a list where it was last synced from; all of it absent if it never was. */
export interface ListSource {
  /** A URL or a path. */
  readonly source?: string;
  /** The name of the format it was read as. */
  readonly format?: string;
  /** What the source may say of its entries itself, in words with commas between. */
  readonly trust?: string;
  readonly etag?: string;
  readonly lastModified?: string;
  /** A digest of what was asked for and of how the run left the list. */
  readonly left?: string;
  /** How many entries the list had then. */
  readonly entries?: number;
  /** ISO 8601. */
  readonly syncedAt?: string;
}

/** A list as it is registered. A list needs no registration to have entries. */
export interface ListRecord extends ListSource {
  readonly name: string;
  readonly description?: string;
  readonly owner?: string;
  readonly createdBy?: string;
  /** ISO 8601. */
  readonly createdAt?: string;
}

type Details = Omit<ListRecord, 'name'>;
export type ListChanges = { readonly [Name in keyof Details]?: Details[Name] | undefined };

/** The right to change a list in bulk. */
export interface Lease {
  /** Unique to a run, and says whose it is. */
  readonly holder: string;
  /** Epoch seconds. */
  readonly until: number;
}

/**
 * What a record of the history says was done. `put` and `remove` name their subjects; a run that did many of them has a
 * record of its own beside theirs, an `import` or a `sync` with totals.
 */
export const CHANGES = ['put', 'remove', 'import', 'sync', 'list-created', 'list-changed', 'list-deleted'] as const;
export type ChangeKind = (typeof CHANGES)[number];

/** A change as it is written down. */
export interface Change {
  readonly list: string;
  readonly change: ChangeKind;
  /** ISO 8601 with milliseconds, in UTC. */
  readonly at: string;
  /** Such as `user@host`. */
  readonly by: string;
  /** Exact subject texts. An item has 400 KB and a subject up to one: a run of many has a record for each few hundred. */
  readonly subjects?: readonly string[];
  /** What the entries put there do. */
  readonly action?: Action;
  /** Until when they do, in epoch seconds. */
  readonly until?: number;
  /** The reason or note that was given. */
  readonly why?: string;
  /** The URL or file it came from. */
  readonly source?: string;
  /** The same in all records of one run. */
  readonly run?: string;
  readonly totals?: ChangeTotals;
}

export interface ChangeTotals {
  readonly put?: number;
  readonly removed?: number;
  readonly unchanged?: number;
}

/** A change as it was found; a later version may have written kinds that this one does not know. */
export interface RecordedChange extends Omit<Change, 'change' | 'action'> {
  readonly change: string;
  readonly action?: string;
}

/** Which records of a history to read; all if nothing is named. */
export interface WantedChanges {
  /** ISO 8601, with the records of this moment. */
  readonly since?: string;
  /** Only those that name this subject. */
  readonly subject?: string;
}
