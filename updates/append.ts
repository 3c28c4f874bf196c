import type { Change } from '../contract/updates.ts';
import { type BatchFacts, carriedOn } from './chain.ts';
import { type Head, type LogRecord, type Packed, pack } from './record.ts';
import { RETENTION_SECONDS } from './table.ts';

/** The identity of a change. */
export type ChangeKey = Change['key'];

/** Keys that were written, and what else the stream said with them. */
export interface Batch extends BatchFacts {
  readonly keys: readonly ChangeKey[];
}

/** Where records are appended. */
export interface Log {
  /** The record with the highest number, expired or not, read consistently. */
  tail(): Promise<Head | undefined>;
  /** Puts a record unless one has its number; returns whether it did. */
  put(record: LogRecord): Promise<boolean>;
}

export interface AppendDeps {
  readonly log: Log;
  /** What is true of these keys, read consistently: one change for each. */
  read(keys: readonly ChangeKey[]): Promise<readonly Change[]>;
  newId(): string;
  /** Milliseconds since 1970. */
  clock(): number;
}

/**
 * Appends what is true of the keys of a batch:
 *
 * ```
 * tail n ──▶ read the keys ──▶ put n + 1 unless it is there ──▶ put n + 2 …
 *   ▲                             │ another writer was first
 *   └─────────────────────────────┘ again, with new reads
 * ```
 *
 * So a record is read after every record before it that has one of its keys: of two changes of a key, the later one in the
 * log is never older, however many writers there are, and however often or in which order events come.
 */
export async function append(batch: Batch, deps: AppendDeps): Promise<void> {
  if (batch.keys.length === 0 && Object.keys(batch.canaries).length === 0) return;
  let left: readonly ChangeKey[] | undefined = batch.keys;
  while (left !== undefined) {
    const tail = await deps.log.tail();
    left = await put(tail, pack(await deps.read(left)), batch, deps);
  }
}

/** Puts one record after the other; returns the keys that are left if another writer was first, undefined if none was. */
async function put(
  tail: Head | undefined,
  parts: readonly Packed[],
  batch: Batch,
  { log, newId, clock }: AppendDeps,
): Promise<readonly ChangeKey[] | undefined> {
  let before = tail;
  for (const [index, { packed }] of parts.entries()) {
    const isLast = index === parts.length - 1;
    const nowMs = clock();
    const record = {
      ...carriedOn(before, batch, { nowMs, isLast }),
      number: (before?.number ?? 0) + 1,
      id: newId(),
      batch: isLast ? batch.canaries : {},
      packed,
      expiresAt: Math.ceil(nowMs / 1000) + RETENTION_SECONDS,
    };
    if (!(await log.put(record))) return parts.slice(index).flatMap(({ changes }) => changes.map(({ key }) => key));
    before = record;
  }
  return undefined;
}
