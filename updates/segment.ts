import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { MAX_SEGMENT_BYTES } from '../contract/mirror.ts';
import type { FoldedEntry } from './fold.ts';

/** An item of DynamoDB has at most 400 KB. */
const MAX_PACKED_BYTES = 360 * 1024;
/** What compresses to less than that for addresses, and is read in a few milliseconds. */
const USUAL_BYTES = MAX_SEGMENT_BYTES / 2;

/** A part of a list, and its bytes as they are stored. */
export interface PackedSegment {
  readonly list: string;
  readonly digest: string;
  readonly bytes: number;
  readonly entries: number;
  /** With gzip. */
  readonly packed: Uint8Array;
}

type Keyed = readonly [key: string, entry: FoldedEntry];

/** The segments of a list: entries of a class together and in order, since neighbours compress well. */
export function* segmentsOf(list: string, entries: ReadonlyMap<string, FoldedEntry>): Generator<PackedSegment> {
  const ordered = [...entries].sort(([keyA, a], [keyB, b]) => {
    if (a.of !== b.of) return a.of.text < b.of.text ? -1 : 1;
    return keyA < keyB ? -1 : 1;
  });
  let [from, bytes] = [0, 0];
  for (const [at, keyed] of ordered.entries()) {
    const size = Buffer.byteLength(lineOf(keyed)) + 1 + (isSameClass(ordered, at, from) ? 0 : classBytes(keyed));
    if (bytes + size > USUAL_BYTES && at > from) {
      yield* packed(list, ordered.slice(from, at));
      [from, bytes] = [at, Buffer.byteLength(lineOf(keyed)) + 1 + classBytes(keyed)];
    } else bytes += size;
  }
  if (ordered.length > from) yield* packed(list, ordered.slice(from));
}

function* packed(list: string, entries: readonly Keyed[]): Generator<PackedSegment> {
  const text = Buffer.from(linesOf(entries));
  const zipped = gzipSync(text);
  if (zipped.length <= MAX_PACKED_BYTES || entries.length === 1) {
    const digest = createHash('sha256').update(text).digest('hex');
    yield { list, digest, bytes: text.length, entries: entries.length, packed: zipped };
    return;
  }
  const half = Math.ceil(entries.length / 2);
  yield* packed(list, entries.slice(0, half));
  yield* packed(list, entries.slice(half));
}

function linesOf(entries: readonly Keyed[]): string {
  return entries
    .map((keyed, at) => `${isSameClass(entries, at, 0) ? '' : `${keyed[1].of.text}\n`}${lineOf(keyed)}\n`)
    .join('');
}

function isSameClass(entries: readonly Keyed[], at: number, from: number): boolean {
  return at > from && entries[at - 1]?.[1].of === entries[at]?.[1].of;
}

function classBytes([, { of }]: Keyed): number {
  return Buffer.byteLength(of.text) + 1;
}

function lineOf([key, { subject, expiresAt }]: Keyed): string {
  if (subject !== undefined) return JSON.stringify([key, expiresAt ?? null, subject]);
  return JSON.stringify(expiresAt === undefined ? key : [key, expiresAt]);
}
