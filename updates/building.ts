import type { Item } from '../blocklist/store.ts';
import type { Segment } from '../contract/mirror.ts';
import type { Change } from '../contract/updates.ts';
import type { ChangeKey } from './append.ts';
import type { RoundDeps } from './canary-round.ts';
import type { FoldedLog } from './folded-log.ts';
import type { Manifest, Mirrors } from './manifest.ts';
import { expiryOf } from './record.ts';
import { segmentsOf } from './segment.ts';

/** What builds mirrors and checkpoints. Any number of builders may be at work, die, and run twice. */
export interface BuilderDeps extends RoundDeps {
  readonly mirrors: Mirrors;
  /** Every item of the table, read consistently, as fast as it may be. */
  scan(): AsyncIterable<Item>;
  /** What is true of these keys, read consistently. */
  read(keys: readonly ChangeKey[]): Promise<readonly Change[]>;
  /** Keeps the lease to build for some minutes; false if another builder has it. It saves work: two builders do no harm. */
  lease(): Promise<boolean>;
  newId(): string;
  /** What reads items in one way. */
  readonly version: string;
}

/** Why a run did not finish; the next one begins again. */
export type Unfinished = 'events are late' | 'overtaken';

/** Segments outlive the last record from which an agent can go on. */
const SEGMENTS_LONGER_SECONDS = 24 * 3600;

/** Stores the mirror of a place in the log, in the place of the newest one; false if that is another one by now. */
export async function putMirror(
  { fold, at }: FoldedLog,
  about: Pick<Manifest, 'scannedMs' | 'isTooLarge'>,
  replaced: Manifest | undefined,
  { mirrors, log, newId, clock, version }: BuilderDeps,
): Promise<Manifest | undefined> {
  const id = newId();
  const expiresAt = expiryOf(clock()) + SEGMENTS_LONGER_SECONDS;
  const segments: Segment[] = [];
  for (const list of fold.lists)
    for (const { packed, ...segment } of segmentsOf(list, fold.entriesOf(list))) {
      const n = segments.push({ n: segments.length, ...segment }) - 1;
      await mirrors.putSegment(id, n, packed, expiresAt);
    }
  const place = { base: at.base, number: at.number, id: at.id };
  const made = { changes: at.changes, madeMs: clock(), version, lists: fold.states, segments };
  const manifest = { id, place, ...made, ...about };
  const tail = await log.tail();
  if (tail?.base !== at.base) return undefined;
  return (await mirrors.putManifest(manifest, replaced?.id)) ? manifest : undefined;
}
