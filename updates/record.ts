import { gunzipSync, gzipSync } from 'node:zlib';
import * as z from 'zod/mini';
import { Change } from '../contract/updates.ts';

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
}

/** A record of the log: what was true of some keys after the record before it existed. */
export interface LogRecord extends Head {
  /** The canaries whose events were in its batch: they share a shard. */
  readonly batch: Beats;
  /** The changes, as `pack` packs them. */
  readonly packed: Uint8Array;
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

/** The changes of a record; undefined if there is anything else in it, as of a later version. */
export function unpack({ packed }: Pick<LogRecord, 'packed'>): readonly Change[] | undefined {
  try {
    const text = gunzipSync(packed, { maxOutputLength: RECORD_LIMITS.bytes }).toString('utf8');
    return Changes.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

const Changes = z.array(Change);

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
