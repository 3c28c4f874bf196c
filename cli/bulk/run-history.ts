import { randomUUID } from 'node:crypto';
import type { StoredEntry } from '../../blocklist/entry.ts';
import type { Change, ChangeTotals, HistoryStore } from '../../blocklist/records.ts';
import type { Item } from '../../blocklist/store.ts';
import type { Skipped } from './collect-feed.ts';

/** Subjects per history record: with the longest subjects, half of an item's 400 KB. */
const SUBJECTS_A_RECORD = 200;

/** Records one import or sync in the history. */
export class RunHistory {
  readonly #history: Pick<HistoryStore, 'record'>;
  readonly #common: Pick<Change, 'list' | 'by' | 'why' | 'source' | 'run'>;

  constructor(history: Pick<HistoryStore, 'record'>, of: Pick<Change, 'list' | 'by' | 'why' | 'source'>) {
    this.#history = history;
    this.#common = { ...of, run: randomUUID() };
  }

  /** Passes entries on, and records each in the history before it is written. */
  async *puts(entries: AsyncIterable<StoredEntry>): AsyncGenerator<StoredEntry> {
    for await (const batch of batches(entries)) {
      await this.#record('put', batch);
      yield* batch;
    }
  }

  /** The same for items to remove. */
  async *removals(items: AsyncIterable<Item>): AsyncGenerator<Item> {
    for await (const batch of batches(items)) {
      await this.#record('remove', batch);
      yield* batch;
    }
  }

  /** Records the totals of the run. */
  async end(change: 'import' | 'sync', totals: ChangeTotals, skipped: Skipped): Promise<void> {
    const some = Object.entries(skipped).filter(([, count]) => count > 0);
    const at = new Date().toISOString();
    await this.#history.record({ ...this.#common, change, at, totals: { ...totals, ...Object.fromEntries(some) } });
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
