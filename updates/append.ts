import { keyName } from '../blocklist/store.ts';
import type { Change } from '../contract/updates.ts';
import { type BatchFacts, carriedOn } from './chain.ts';
import type { Read } from './page.ts';
import { expiryOf, type Head, type LogRecord, type Packed, pack, unpack } from './record.ts';

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
  /** The records from this number on, as many as one read has. */
  from(number: number, options: { readonly isConsistent: boolean }): Promise<Read>;
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
 *   └─────────────────────────────┘ again, with new reads of the keys that it named
 * ```
 *
 * So a record is read after every record before it that has one of its keys: of two changes of a key, the later one in the
 * log is never older, however many writers there are, and however often or in which order events come.
 */
export async function append(batch: Batch, deps: AppendDeps): Promise<void> {
  if (batch.keys.length === 0 && Object.keys(batch.canaries).length === 0) return;
  let end = await deps.log.tail();
  let left = await deps.read(batch.keys);
  for (;;) {
    const lost = await put(end, pack(left), batch, deps);
    if (lost === undefined) return;
    end = await deps.log.tail();
    left = await withNewReads(lost.left, lost.after, end, deps);
  }
}

/** The changes that were not put because another writer was first, and the number of the last record before its own. */
interface Lost {
  readonly left: readonly Change[];
  readonly after: number;
}

/** Puts one record after the other. */
async function put(
  tail: Head | undefined,
  parts: readonly Packed[],
  batch: Batch,
  { log, newId, clock }: AppendDeps,
): Promise<Lost | undefined> {
  let before = tail;
  for (const [index, { packed, changes }] of parts.entries()) {
    const isLast = index === parts.length - 1;
    const nowMs = clock();
    const number = (before?.number ?? 0) + 1;
    const record = {
      ...carriedOn(before, batch, { nowMs, isLast }),
      number,
      id: newId(),
      batch: isLast ? batch.canaries : {},
      packed,
      changes: (before?.changes ?? 0) + changes.length,
      expiresAt: expiryOf(nowMs),
    };
    if (!(await log.put(record)))
      return { left: parts.slice(index).flatMap(({ changes }) => changes), after: number - 1 };
    before = record;
  }
  return undefined;
}

/** The same changes; those whose keys the other writers named between these two places are read again. */
async function withNewReads(
  changes: readonly Change[],
  after: number,
  end: Head | undefined,
  { log, read }: AppendDeps,
): Promise<readonly Change[]> {
  const { records } = await log.from(after + 1, { isConsistent: true });
  const others = records.map(unpack);
  const isWhole = records.at(-1) !== undefined && (records.at(-1)?.number ?? 0) >= (end?.number ?? 0);
  const named = new Set(others.flatMap((own) => own ?? []).map(({ key }) => keyName(key)));
  const isStale = ({ key }: Change) => !isWhole || others.includes(undefined) || named.has(keyName(key));
  const stale = changes.filter(isStale).map(({ key }) => key);
  const renewed = new Map((stale.length === 0 ? [] : await read(stale)).map((change) => [keyName(change.key), change]));
  return changes.map((change) => renewed.get(keyName(change.key)) ?? change);
}
