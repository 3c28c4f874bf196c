import type { DynamoDBStreamEvent } from 'aws-lambda';
import { InvalidEntryLog, type Log as WriteLog } from '../../blocklist/invalid-entry-log.ts';
import type { BulkStore } from '../../blocklist/store.ts';
import { type AppendDeps, append } from '../../updates/append.ts';
import { readsOf } from '../../updates/change.ts';
import { batchOf } from './batch.ts';

export interface WriterDeps extends Omit<AppendDeps, 'read'> {
  readonly region: string;
  readonly table: Pick<BulkStore, 'read'>;
  readonly write: WriteLog;
}

export type Writer = (event: DynamoDBStreamEvent) => Promise<void>;

/** The handler of the stream. It throws what keeps a batch from the log: Lambda then delivers the batch again. */
export function createWriter(deps: WriterDeps): Writer {
  const invalidEntries = new InvalidEntryLog();
  const read = readsOf(deps.table, (item, read) => invalidEntries.report(item, read, deps.write));
  return async ({ Records }) => {
    try {
      await append(batchOf(Records, deps.region), { ...deps, read });
    } catch (error) {
      deps.write('error', 'changes not appended, the batch comes again', { problem: String(error) });
      throw error;
    }
  };
}
