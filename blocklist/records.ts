import type { Action } from '../contract/actions.ts';

/** The registered lists, and the leases to change one in bulk. Every method throws StoreError if the database fails. */
export interface ListStore {
  /** The registered lists, by name. */
  all(): AsyncIterable<ListRecord>;
  find(name: string): Promise<ListRecord | undefined>;
  /** Registers a list; false if it is registered already. */
  create(record: ListRecord): Promise<boolean>;
  /** Sets these details and leaves the others; undefined removes one. False if the list is not registered. */
  update(name: string, changed: ListChanges): Promise<boolean>;
  delete(name: string): Promise<void>;
  /**
   * Takes the lease on a list, or renews it for the same holder. Returns undefined if taken, otherwise the lease of its
   * holder. An expired lease can be taken.
   */
  takeLease(list: string, lease: Lease, nowSeconds: number): Promise<Lease | undefined>;
  /** Releases the lease; does nothing if another holder has taken it since. */
  releaseLease(list: string, holder: string): Promise<void>;
  /** The lease on a list, which may have expired. */
  leaseOf(list: string): Promise<Lease | undefined>;
}

/** The changes of each list. */
export interface HistoryStore {
  /** Adds a record. Call it before the change itself: there may be a record without a change, but not the reverse. */
  record(change: Change, undo?: Undo): Promise<void>;
  /** The history of a list, newest first. */
  of(list: string, wanted?: WantedChanges): AsyncIterable<RecordedChange>;
  /** Every list that has a history, registered or not, by name. */
  lists(): AsyncIterable<string>;
  /** What a run changed, in parts, last first; nothing of runs that are too old or recorded no edits. */
  editsOf(run: string): AsyncIterable<RecordedEdits>;
}

/** The source that a list was last synced from; all properties are absent if it never was. */
export interface ListSource {
  /** A URL or a path. */
  readonly source?: string;
  /** The name of the format it was read as. */
  readonly format?: string;
  /** The properties of entries that the source may set itself, separated by commas. */
  readonly trust?: string;
  readonly etag?: string;
  readonly lastModified?: string;
  /** A digest of the run's options and of the list after the run. */
  readonly left?: string;
  /** How many entries the list had then. */
  readonly entries?: number;
  /** How many of its lines were skipped as invalid, and how many because they would block what is protected. */
  readonly invalid?: number;
  readonly protected?: number;
  /** ISO 8601. */
  readonly syncedAt?: string;
}

/** A registered list. A list can have entries without being registered. */
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
  /** Unique for each run; names the person or program. */
  readonly holder: string;
  /** Epoch seconds. */
  readonly until: number;
}

/**
 * The kinds of changes. `put` and `remove` name their subjects; a run with many of them has a further record, an `import`,
 * a `sync` or a `revert`, with totals.
 */
export const CHANGES = [
  'put',
  'remove',
  'import',
  'sync',
  'revert',
  'list-created',
  'list-changed',
  'list-deleted',
] as const;
export type ChangeKind = (typeof CHANGES)[number];

/** The attributes of an item, as in `Item`. */
type Attributes = Readonly<Record<string, unknown>>;

/** What a change makes of one subject's item in a list; without a property, there is none then. */
export interface Edit {
  readonly subject: string;
  readonly before?: Attributes;
  readonly after?: Attributes;
  /** Whether the items could not be recorded. */
  readonly isIncomplete?: true;
}

/** Some edits of a run. */
export interface RecordedEdits {
  readonly list: string;
  /** ISO 8601. */
  readonly at: string;
  readonly by: string;
  readonly source?: string;
  /** Of a list that was deleted. */
  readonly registration?: ListRecord;
  /** Their items have no `subject` and `list`. */
  readonly edits: readonly Edit[];
}

/** A change to record. */
export interface Change {
  readonly list: string;
  readonly change: ChangeKind;
  /** ISO 8601 with milliseconds, in UTC. */
  readonly at: string;
  /** Such as `user@host`. */
  readonly by: string;
  /** Canonical subjects. An item has at most 400 KB and a subject up to 1 KB: a run has one record for a few hundred. */
  readonly subjects?: readonly string[];
  /** The action of the entries that were put. */
  readonly action?: Action;
  /** Their expiry, in epoch seconds. */
  readonly until?: number;
  /** The reason or note that was given. */
  readonly why?: string;
  /** The URL or file it came from. */
  readonly source?: string;
  /** The same in all records of one run. */
  readonly run?: string;
  readonly totals?: ChangeTotals;
}

/** What a change can be reverted with. */
export interface Undo {
  readonly edits: readonly Edit[];
  /** Of a list that is deleted. */
  readonly registration?: ListRecord | undefined;
}

export interface ChangeTotals {
  readonly put?: number;
  readonly removed?: number;
  readonly unchanged?: number;
  /** Entries that a revert left alone. */
  readonly kept?: number;
  /** Lines of the source that were skipped, as in `ListSource`. */
  readonly invalid?: number;
  readonly protected?: number;
}

/** A recorded change; a later version may have written kinds and actions unknown here. */
export interface RecordedChange extends Omit<Change, 'change' | 'action'> {
  readonly change: string;
  readonly action?: string;
}

/** Which records of a history to read; all if nothing is named. */
export interface WantedChanges {
  /** ISO 8601, inclusive. */
  readonly since?: string;
  /** Only those that name this subject. */
  readonly subject?: string;
}
