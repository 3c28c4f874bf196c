import type { DynamoDBRecord } from 'aws-lambda';
import { keyName } from '../../blocklist/store.ts';
import { isReserved, TABLE } from '../../blocklist/table.ts';
import { LIST_NAME } from '../../contract/check.ts';
import type { Batch, ChangeKey } from '../../updates/append.ts';
import { canaryOf } from '../../updates/canary.ts';

/** An event of the stream, as far as the writer reads it: which item was written, and when. What was written is read again. */
interface Written {
  readonly subject: string;
  readonly list: string;
  readonly createdMs: number;
  readonly isRemoved: boolean;
}

/** A batch, and the keys of items in it that no agent can ask for, since their list has no name that can be one. */
interface WrittenBatch extends Batch {
  readonly unasked: readonly ChangeKey[];
}

/** A batch of the stream. Records of the tools are left out, and so are canaries of other regions. */
export function batchOf(records: readonly DynamoDBRecord[], region: string): WrittenBatch {
  const written = records.flatMap(writtenIn);
  const keys = new Map<string, ChangeKey>();
  const unasked: ChangeKey[] = [];
  const canaries: Record<string, number> = {};
  for (const { subject, list, createdMs, isRemoved } of written) {
    const canary = canaryOf(region, subject);
    if (canary !== undefined) canaries[canary] = Math.max(createdMs, canaries[canary] ?? 0);
    else if (isReserved(subject)) continue;
    else if (LIST_NAME.test(list)) keys.set(keyName({ subject, list }), { subject, list });
    else if (!isRemoved) unasked.push({ subject, list });
  }
  return {
    keys: [...keys.values()],
    unasked,
    canaries,
    stream: streamLabel(records),
    oldestMs: Math.min(...written.map(({ createdMs }) => createdMs)),
  };
}

/** DynamoDB rounds the time down to seconds, so that it is never later than the write. */
function writtenIn({ dynamodb, eventName }: DynamoDBRecord): Written[] {
  const { Keys, ApproximateCreationDateTime } = dynamodb ?? {};
  const [subject, list] = [Keys?.[TABLE.partitionKey]?.S, Keys?.[TABLE.sortKey]?.S];
  if (subject === undefined || list === undefined || ApproximateCreationDateTime === undefined) return [];
  return [{ subject, list, createdMs: ApproximateCreationDateTime * 1000, isRemoved: eventName === 'REMOVE' }];
}

function streamLabel(records: readonly DynamoDBRecord[]): string {
  return records[0]?.eventSourceARN?.split('/stream/')[1] ?? '';
}
