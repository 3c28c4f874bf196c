import { createHash } from 'node:crypto';
import { closeSync, readSync } from 'node:fs';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { endianness } from 'node:os';
import { crc32 } from 'node:zlib';
import { type CacheBlock, IPV4_ROW, IPV6_ROW, readBlock } from '../decision/cache-snapshot-block.ts';
import { TICK_MS } from '../decision/ticks.ts';
import { openTrusted } from '../trusted-file.ts';

/**
 * A file consists of blocks: four 32-bit numbers (bytes of JSON, IPv4 rows, IPv6 rows, CRC-32 of the rest), then the JSON
 * and the rows. The first block has only the header, the last is empty: a file without it is truncated.
 */
const HEAD_BYTES = 16;
const FORMAT = 'haverdict cache 2';
/** Far above the size of a block; the agent writes no larger one. */
const MAX_JSON_BYTES = 64 * 1024 * 1024;
const MAX_ROWS = 65_536;
const NO_ROWS = new Int32Array(0);

interface Header {
  readonly format: string;
  readonly key: string;
  readonly savedAtMs: number;
}

/** A cache file cannot be used; the message says why. */
export class CacheFileError extends Error {
  override readonly name = 'CacheFileError';
}

/** A digest of everything that verdicts depend on: a file with another key is not used. */
export function cacheKey(depends: unknown): string {
  return createHash('sha256')
    .update(`${endianness()} ${JSON.stringify(depends)}`)
    .digest('base64url');
}

/** Replaces the file atomically: writes a temporary one, syncs it to disk, then renames it. */
export async function writeCacheFile(
  path: string,
  key: string,
  savedAtMs: number,
  blocks: Iterable<CacheBlock>,
): Promise<void> {
  const temporary = `${path}.tmp`; // always the same name, so that the next run removes what a kill left
  try {
    await rm(temporary, { force: true });
    const file = await open(temporary, 'wx', 0o600); // follows no link
    try {
      await file.writev(encodeBlock({ format: FORMAT, key, savedAtMs }));
      for (const block of blocks) await writeBlock(file, block);
      await file.writev(encodeBlock());
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/** Reads the file; undefined if there is none. Throws `CacheFileError` if it cannot be used, here or while blocks are read. */
export function readCacheFile(
  path: string,
  { key, nowMs, maxAgeSeconds }: { readonly key: string; readonly nowMs: number; readonly maxAgeSeconds: number },
): { readonly ageMs: number; readonly elapsedTicks: number; readonly blocks: Iterable<CacheBlock> } | undefined {
  const file = openToRead(path);
  if (file === undefined) return undefined;
  try {
    const header = decodeBlock(file)?.json as Header | undefined; // checked below
    if (header?.format !== FORMAT) throw new CacheFileError('is not a cache file of this version');
    if (header.key !== key) throw new CacheFileError('belongs to other lists or another backend');
    const ageMs = nowMs - header.savedAtMs;
    if (!(ageMs >= 0)) throw new CacheFileError('has a time in the future: was the clock set back?');
    if (ageMs > maxAgeSeconds * 1000) throw new CacheFileError(`is older than ${maxAgeSeconds} s`);
    return { ageMs, elapsedTicks: Math.ceil(ageMs / TICK_MS), blocks: blocksOf(file) };
  } catch (error) {
    closeSync(file);
    throw error;
  }
}

function openToRead(path: string): number | undefined {
  const opened = openTrusted(path);
  if (opened === undefined) return undefined;
  if ('problem' in opened) throw new CacheFileError(opened.problem);
  return opened.file;
}

function* blocksOf(file: number): Generator<CacheBlock> {
  try {
    for (let block = decodeBlock(file); block !== undefined; block = decodeBlock(file)) {
      const { json, ...rows } = block;
      const read = readBlock(json);
      if (read === undefined) throw new CacheFileError('has entries that the backend cannot have returned');
      yield { ...read, ...rows };
    }
  } finally {
    closeSync(file);
  }
}

function writeBlock(file: FileHandle, { ipv4, ipv6, verdicts, others }: CacheBlock): Promise<unknown> {
  return file.writev(encodeBlock({ contributions: verdicts, others }, ipv4, ipv6));
}

function encodeBlock(json?: object, ipv4: Int32Array = NO_ROWS, ipv6: Int32Array = NO_ROWS): Uint8Array[] {
  const parts = [Buffer.from(json === undefined ? '' : JSON.stringify(json)), bytesOf(ipv4), bytesOf(ipv6)];
  const head = Buffer.alloc(HEAD_BYTES);
  head.writeUInt32LE(parts[0]?.length ?? 0, 0);
  head.writeUInt32LE(ipv4.length / IPV4_ROW, 4);
  head.writeUInt32LE(ipv6.length / IPV6_ROW, 8);
  head.writeUInt32LE(checksum([head.subarray(0, 12), ...parts]), 12);
  return [head, ...parts];
}

function decodeBlock(
  file: number,
): { readonly json: unknown; readonly ipv4: Int32Array; readonly ipv6: Int32Array } | undefined {
  const head = readBytes(file, HEAD_BYTES);
  const [jsonBytes, ipv4Rows, ipv6Rows, expected] = [0, 4, 8, 12].map((at) => head.readUInt32LE(at)) as [
    number,
    number,
    number,
    number,
  ];
  if (jsonBytes > MAX_JSON_BYTES || ipv4Rows > MAX_ROWS || ipv6Rows > MAX_ROWS) throw new CacheFileError('is corrupt');
  const json = readBytes(file, jsonBytes);
  const ipv4 = readBytes(file, ipv4Rows * IPV4_ROW * 4);
  const ipv6 = readBytes(file, ipv6Rows * IPV6_ROW * 4);
  if (checksum([head.subarray(0, 12), json, ipv4, ipv6]) !== expected) throw new CacheFileError('is corrupt');
  if (jsonBytes === 0) return undefined;
  return { json: parsed(json), ipv4: intsOf(ipv4), ipv6: intsOf(ipv6) };
}

function parsed(json: Buffer): unknown {
  try {
    return JSON.parse(json.toString());
  } catch (error) {
    throw new CacheFileError('is corrupt', { cause: error });
  }
}

function readBytes(file: number, count: number): Buffer {
  // A new ArrayBuffer, so that the integers are aligned.
  const bytes = Buffer.from(new ArrayBuffer(count));
  for (let at = 0; at < count; ) {
    const read = readSync(file, bytes, at, count - at, null);
    if (read === 0) throw new CacheFileError('is truncated');
    at += read;
  }
  return bytes;
}

function checksum(parts: readonly Uint8Array[]): number {
  return parts.reduce((sum, part) => crc32(part, sum), 0);
}

function bytesOf({ buffer, byteOffset, byteLength }: Int32Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

function intsOf({ buffer, byteOffset, byteLength }: Uint8Array): Int32Array {
  return new Int32Array(buffer, byteOffset, byteLength / 4);
}
