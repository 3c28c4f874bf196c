import type { DynamoDBStreamEvent } from 'aws-lambda';
import type { ReadEntry } from '../../blocklist/as-meant.ts';
import { InvalidEntryLog, isMistaken, type Log as WriteLog } from '../../blocklist/invalid-entry-log.ts';
import { type BulkStore, type Item, keyName } from '../../blocklist/store.ts';
import { type AppendDeps, append } from '../../updates/append.ts';
import { changeOf, readsOf } from '../../updates/change.ts';
import { batchOf } from './batch.ts';

export interface WriterDeps extends Omit<AppendDeps, 'read'> {
  readonly region: string;
  readonly table: Pick<BulkStore, 'read'>;
  readonly write: WriteLog;
  /** So many items were written that are no entry, or should be written otherwise. */
  measure(badEntries: number): void;
}

export type Writer = (event: DynamoDBStreamEvent) => Promise<void>;

/** The handler of the stream. It throws what keeps a batch from the log: Lambda then delivers the batch again. */
export function createWriter(deps: WriterDeps): Writer {
  const invalidEntries = new InvalidEntryLog();
  return async ({ Records }) => {
    const bad = new Set<string>();
    const report = (item: Item, read: ReadEntry) => {
      invalidEntries.report(item, read, deps.write);
      if (isMistaken(read)) bad.add(keyName(item));
    };
    try {
      const batch = batchOf(Records, deps.region);
      for (const key of batch.unasked) changeOf(key, key, report); // nothing else of it is needed to see that
      await append(batch, { ...deps, read: readsOf(deps.table, report) });
      if (bad.size > 0) deps.measure(bad.size);
    } catch (error) {
      deps.write('error', 'changes not appended, the batch comes again', { problem: String(error) });
      throw error;
    }
  };
}
