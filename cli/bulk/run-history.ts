import { randomUUID } from 'node:crypto';
import type { StoredEntry } from '../../blocklist/entry.ts';
import type { Change, HistoryStore } from '../../blocklist/records.ts';
import type { Item } from '../../blocklist/store.ts';

/** Subjects that a record of the history names: the longest there are make half of an item's 400 KB. */
const SUBJECTS_A_RECORD = 200;

/** One import or sync, as the history tells of it. */
export class RunHistory {
  readonly #history: Pick<HistoryStore, 'record'>;
  readonly #common: Pick<Change, 'list' | 'by' | 'why' | 'source' | 'run'>;

  constructor(history: Pick<HistoryStore, 'record'>, of: Pick<Change, 'list' | 'by' | 'why' | 'source'>) {
    this.#history = history;
    this.#common = { ...of, run: randomUUID() };
  }

  /** Entries on their way to the table: the history names each before it is written. */
  async *puts(entries: AsyncIterable<StoredEntry>): AsyncGenerator<StoredEntry> {
    for await (const batch of batches(entries)) {
      await this.#record('put', batch);
      yield* batch;
    }
  }

  /** The same for items that are to be removed. */
  async *removals(items: AsyncIterable<Item>): AsyncGenerator<Item> {
    for await (const batch of batches(items)) {
      await this.#record('remove', batch);
      yield* batch;
    }
  }

  /** What the whole run came to. */
  async end(change: 'import' | 'sync', totals: NonNullable<Change['totals']>): Promise<void> {
    await this.#history.record({ ...this.#common, change, at: new Date().toISOString(), totals });
  }

  async #record(change: 'put' | 'remove', batch: readonly Item[]): Promise<void> {
    const subjects = batch.map(({ subject }) => String(subject));
    await this.#history.record({ ...this.#common, change, at: new Date().toISOString(), subjects });
  }
}

async function* batches<Piece>(pieces: AsyncIterable<Piece>): AsyncGenerator<Piece[]> {
  let batch: Piece[] = [];
  for await (const piece of pieces) {
    batch.push(piece);
    if (batch.length < SUBJECTS_A_RECORD) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}
