import type { ParsedEntry, StoredEntry } from '../../blocklist/entry.ts';
import type { Action } from '../../contract/actions.ts';
import type { FeedEntry } from '../formats/feed-line.ts';
import { parseNewEntry } from '../guards/invisible-characters.ts';
import type { Outcome } from '../options/outcome-options.ts';
import { ExternalSort, type Sorted } from './external-sort.ts';
import { BY_SUBJECT, type WriteOrder } from './write-order.ts';

type Decided = Omit<StoredEntry, 'subject' | 'list' | 'createdBy' | 'createdAt'>;

/** The attributes of entries for which the source has no value. */
export interface Defaults {
  readonly list: string;
  readonly outcome: Outcome;
  readonly reason?: string | undefined;
  readonly note?: string | undefined;
  /** Epoch seconds. */
  readonly expiresAt?: number | undefined;
  readonly createdBy: string;
  readonly createdAt: string;
}

/** The entries that a list should have according to its source, one per subject; may exceed memory. */
export class DesiredEntries {
  readonly #defaults: Defaults;
  readonly #order: WriteOrder;
  readonly #sorter = new ExternalSort<readonly [subject: string, Decided]>();
  readonly #actions = new Set<Action>();

  constructor(defaults: Defaults, order: WriteOrder = BY_SUBJECT) {
    this.#defaults = defaults;
    this.#order = order;
  }

  /** The number of added entries, duplicates included. */
  get count(): number {
    return this.#sorter.count;
  }

  /** Whether an entry has this action. */
  has(action: Action): boolean {
    return this.#actions.has(action);
  }

  /** The entry for a line of the source. If the line has an action, its details come from the line, not from the defaults. */
  parse(given: FeedEntry): ParsedEntry {
    const { list, outcome, reason, note, expiresAt, createdBy, createdAt } = this.#defaults;
    const defaults = given.action === undefined ? outcome : {};
    return parseNewEntry({ ...defaults, reason, note, expiresAt, ...given, list, createdBy, createdAt });
  }

  add({ subject, list: _list, createdBy: _by, createdAt: _at, ...decided }: StoredEntry): Promise<void> {
    this.#actions.add(decided.action);
    return this.#sorter.add(this.#order(subject), [subject, decided]);
  }

  async *sorted(): AsyncGenerator<Sorted<StoredEntry>> {
    const { list, createdBy, createdAt } = this.#defaults;
    for await (const { key, value } of this.#sorter.sorted()) {
      const [subject, decided] = value;
      yield { key, value: { subject, list, ...decided, createdBy, createdAt } };
    }
  }

  close(): Promise<void> {
    return this.#sorter.close();
  }
}
