import type { Change, ChangeTotals, Edit, HistoryStore } from '../../blocklist/records.ts';
import type { Item } from '../../blocklist/store.ts';
import { editOfPut, editOfRemoval, newRunId, tellRecorded } from '../entries/run.ts';
import type { Skipped } from './collect-feed.ts';

/** Subjects per history record: with the longest subjects, half of an item's 400 KB. */
const SUBJECTS_A_RECORD = 200;

/** An entry to write, and the item that it replaces. */
export interface Put {
  readonly entry: Item;
  readonly was?: Item;
}

/** Records a run that changes many entries in the history. */
export class RunHistory {
  readonly #history: Pick<HistoryStore, 'record'>;
  readonly #common: Pick<Change, 'list' | 'by' | 'why' | 'source'> & { readonly run: string };

  constructor(history: Pick<HistoryStore, 'record'>, of: Pick<Change, 'list' | 'by' | 'why' | 'source'>) {
    this.#history = history;
    this.#common = { ...of, run: newRunId() };
  }

  get id(): string {
    return this.#common.run;
  }

  /** Passes entries on, and records each in the history before it is written. */
  async *puts<One extends Put>(puts: AsyncIterable<One> | Iterable<One>): AsyncGenerator<One['entry']> {
    for await (const batch of batches(puts)) {
      await this.#record(
        'put',
        batch.map(({ entry, was }) => editOfPut(entry, was)),
      );
      for (const { entry } of batch) yield entry;
    }
  }

  /** The same for items to remove. */
  async *removals(items: AsyncIterable<Item> | Iterable<Item>): AsyncGenerator<Item> {
    for await (const batch of batches(items)) {
      await this.#record('remove', batch.map(editOfRemoval));
      yield* batch;
    }
  }

  /** Records the totals of the run. */
  async end(change: 'import' | 'sync' | 'revert', totals: ChangeTotals, skipped?: Skipped): Promise<void> {
    const some = Object.entries(skipped ?? {}).filter(([, count]) => count > 0);
    const at = new Date().toISOString();
    await this.#history.record({ ...this.#common, change, at, totals: { ...totals, ...Object.fromEntries(some) } });
  }

  async #record(change: 'put' | 'remove', edits: readonly Edit[]): Promise<void> {
    const subjects = edits.map(({ subject }) => subject);
    await this.#history.record({ ...this.#common, change, at: new Date().toISOString(), subjects }, { edits });
    tellRecorded(this.id);
  }
}

async function* batches<Piece>(pieces: AsyncIterable<Piece> | Iterable<Piece>): AsyncGenerator<Piece[]> {
  let batch: Piece[] = [];
  for await (const piece of pieces) {
    batch.push(piece);
    if (batch.length < SUBJECTS_A_RECORD) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}
