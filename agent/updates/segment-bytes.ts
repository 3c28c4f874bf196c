import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { gunzip, gunzipSync } from 'node:zlib';
import type { Segment } from '../../contract/mirror.ts';

const unzip = promisify(gunzip);

/** Unpacked here in less time than another thread takes to begin. */
const FEW_BYTES = 64 * 1024;
/** zlib has no smaller ones. */
const MIN_CHUNK = 64;
/** The first bytes of a gzip file; no line begins with them. */
const MAGIC = [0x1f, 0x8b] as const;

/** The bytes of a segment from what was received. Throws if they are not those of the manifest. */
export async function segmentBytes(packed: Uint8Array, { n, bytes, digest }: Segment): Promise<Uint8Array> {
  const isZipped = MAGIC.every((byte, at) => packed[at] === byte);
  const limit = { maxOutputLength: Math.max(1, bytes), chunkSize: Math.max(MIN_CHUNK, bytes) };
  const unzipped = bytes <= FEW_BYTES ? gunzipSync : unzip;
  const unpacked = isZipped ? await unzipped(packed, limit) : packed;
  if (createHash('sha256').update(unpacked).digest('hex') !== digest)
    throw new Error(`segment ${n} of the mirror has another digest than the manifest says`);
  return unpacked;
}
