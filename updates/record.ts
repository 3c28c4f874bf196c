import { gunzipSync, gzipSync } from 'node:zlib';
import * as z from 'zod/mini';
import { Change, ListStates } from '../contract/updates.ts';
import { RETENTION_SECONDS } from './table.ts';

/** For each canary, the creation time of its newest event in the log, in milliseconds since 1970. */
export type Beats = Readonly<Record<string, number>>;

/** No base: events may have been lost since, and nothing is proven. */
export const NO_BASE = '0';

/** What a record hands on to the next one. */
export interface Head {
  readonly number: number;
  /** Random, so that a cursor of another log is not taken for one of this. */
  readonly id: string;
  /** Names the start from which on no event was lost. */
  readonly base: string;
  /** The label of the stream that the events came from; another one may lack events. */
  readonly stream: string;
  /** Only of the canaries that stand for a shard. */
  readonly beats: Beats;
  /** When it was last tried which canaries share a shard, in milliseconds since 1970. */
  readonly triedMs: number;
  /** When the last checkpoint was appended, in milliseconds since 1970. */
  readonly checkedMs: number;
  /** How many changes the log has had up to it. */
  readonly changes: number;
}

/** A record of the log: what was true of some keys after the record before it existed. */
export interface LogRecord extends Head {
  /** The canaries whose events were in its batch: they share a shard. */
  readonly batch: Beats;
  /** The changes, as `pack` packs them. */
  readonly packed: Uint8Array;
  /** What each list has at this record, as `packStates` packs it. */
  readonly checkpoint?: Uint8Array;
  /** Epoch seconds. A record past it counts as gone: DynamoDB deletes late and in any order. */
  readonly expiresAt: number;
}

/** The limits of one record: an item of DynamoDB has at most 400 KB, and each append and poll is billed for the whole tail. */
export const RECORD_LIMITS = { changes: 500, bytes: 256 * 1024, packedBytes: 64 * 1024 } as const;

/** Changes, and the same as a record stores them. */
export interface Packed {
  readonly changes: readonly Change[];
  readonly packed: Uint8Array;
}

/** Packs changes for one record, or for as many as the limits ask for. */
export function pack(changes: readonly Change[]): Packed[] {
  return partsOf(changes).flatMap(halvedUntilSmall);
}

/** The changes of a record, with all fields as they were written; undefined if there is anything else in it, as of a later version. */
export function unpack({ packed }: Pick<LogRecord, 'packed'>): readonly Change[] | undefined {
  const changes = unzipped(packed);
  return Changes.safeParse(changes).success ? (changes as Change[]) : undefined;
}

const Changes = z.array(Change);

/** What each list has; undefined if there are so many lists that it fits into no record. */
export function packStates(states: ListStates): Uint8Array | undefined {
  const text = JSON.stringify(states);
  const packed = gzipSync(text);
  return text.length > RECORD_LIMITS.bytes || packed.length > RECORD_LIMITS.packedBytes ? undefined : packed;
}

/** What a record says of each list; undefined if it says nothing. */
export function statesIn({ checkpoint }: Pick<LogRecord, 'checkpoint'>): ListStates | undefined {
  return checkpoint && ListStates.safeParse(unzipped(checkpoint)).data;
}

/** What only the builder appends: a record without changes, which hands on what its tail says but for this. */
export function recordAfter(
  tail: Head,
  own: Partial<Pick<LogRecord, 'base' | 'beats' | 'triedMs' | 'checkedMs' | 'checkpoint'>>,
  { newId, clock }: { newId(): string; clock(): number },
): LogRecord {
  return {
    ...{ base: tail.base, stream: tail.stream, beats: tail.beats, triedMs: tail.triedMs },
    ...{ checkedMs: tail.checkedMs, changes: tail.changes, batch: {}, packed: NOTHING },
    ...own,
    ...{ number: tail.number + 1, id: newId(), expiresAt: expiryOf(clock()) },
  };
}

/** When a record of now expires, in epoch seconds. */
export function expiryOf(nowMs: number): number {
  return Math.ceil(nowMs / 1000) + RETENTION_SECONDS;
}

const NOTHING = gzipSync('[]');

function unzipped(packed: Uint8Array): unknown {
  try {
    return JSON.parse(gunzipSync(packed, { maxOutputLength: RECORD_LIMITS.bytes }).toString('utf8'));
  } catch {
    return undefined;
  }
}

function partsOf(changes: readonly Change[]): Change[][] {
  const parts: Change[][] = [[]];
  let bytes = 2; // the brackets
  for (const change of changes) {
    const size = Buffer.byteLength(JSON.stringify(change)) + 1;
    const part = parts.at(-1);
    if (part !== undefined && part.length < RECORD_LIMITS.changes && bytes + size <= RECORD_LIMITS.bytes) {
      part.push(change);
      bytes += size;
    } else {
      parts.push([change]);
      bytes = 2 + size;
    }
  }
  return parts;
}

/** One change has a few kilobytes, so that this ends. */
function halvedUntilSmall(changes: readonly Change[]): Packed[] {
  const packed = gzipSync(JSON.stringify(changes));
  if (packed.length <= RECORD_LIMITS.packedBytes || changes.length === 1) return [{ changes, packed }];
  const half = Math.ceil(changes.length / 2);
  return [changes.slice(0, half), changes.slice(half)].flatMap(halvedUntilSmall);
}
