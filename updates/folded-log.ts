import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { gunzipSync } from 'node:zlib';
import { formatNetwork } from '../contract/address.ts';
import { MAX_SEGMENT_BYTES } from '../contract/mirror.ts';
import type { Log } from './append.ts';
import type { Place } from './cursor.ts';
import { classText } from './digest.ts';
import { Fold, type FoldedClass } from './fold.ts';
import type { Manifest, Mirrors } from './manifest.ts';
import { type LogRecord, unpack } from './record.ts';
import { SegmentReader } from './segment-reader.ts';

/** What is true of every key at a record of the log. */
export interface FoldedLog {
  readonly fold: Fold;
  readonly at: LogRecord;
}

/** The entries of a mirror, and what the log says since; undefined if a segment or a record is missing. */
export async function foldedLog(
  manifest: Manifest,
  { log, mirrors, clock }: { readonly log: Log; readonly mirrors: Mirrors; clock(): number },
  untilNumber?: number,
): Promise<FoldedLog | undefined> {
  const fold = new Fold();
  for (const { n, list, digest } of manifest.segments) {
    const packed = await mirrors.segment(manifest.id, n);
    const bytes = packed && gunzipSync(packed, { maxOutputLength: MAX_SEGMENT_BYTES });
    if (bytes === undefined || createHash('sha256').update(bytes).digest('hex') !== digest) return undefined;
    readInto(fold, list, bytes);
  }
  if (!isDeepStrictEqual(fold.states, manifest.lists)) return undefined;
  return await foldOn(fold, manifest.place, { log, clock }, untilNumber);
}

/** Adds what the log says after a place to a fold of before; undefined if the place or a record is missing. */
export async function foldOn(
  fold: Fold,
  place: Place,
  { log, clock }: { readonly log: Log; clock(): number },
  untilNumber = Number.POSITIVE_INFINITY,
): Promise<FoldedLog | undefined> {
  let at: LogRecord | undefined;
  for (;;) {
    const from = at?.number ?? place.number;
    const { records, isAll } = await log.from(from, { isConsistent: true });
    const [first, ...next] = records;
    if (first?.number !== from || first.expiresAt * 1000 <= clock()) return undefined;
    if (first.id !== (at ?? place).id || first.base !== (at ?? place).base) return undefined;
    at = first;
    for (const record of next) {
      if (record.number > untilNumber) return { fold, at };
      const changes = record.number === at.number + 1 ? unpack(record) : undefined;
      if (changes === undefined) return undefined;
      for (const change of changes) fold.apply(change);
      at = record;
    }
    if (isAll) return { fold, at };
  }
}

function readInto(fold: Fold, list: string, bytes: Uint8Array): void {
  let of: FoldedClass | undefined;
  const add = (key: string, subject: string, expiresAt: number | undefined) => {
    if (of !== undefined)
      fold.set({ subject: key, list }, fold.entryOf(of, subject === key ? undefined : subject, expiresAt));
  };
  const four = Buffer.alloc(4);
  const reader = new SegmentReader(bytes, {
    ofClass: (received) => {
      of = fold.classOf(classText(received));
    },
    ipv4: (address, prefix, expiresAt) => {
      four.writeInt32BE(address);
      const key = `ip:${formatNetwork({ bytes: four, prefix })}`;
      add(key, key, expiresAt);
    },
    entry: add,
  });
  reader.read(Number.POSITIVE_INFINITY);
}
