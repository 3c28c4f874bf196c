import { createHash } from 'node:crypto';
import { closeSync, fstatSync, readSync } from 'node:fs';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import { openTrusted } from '../trusted-file.ts';
import type { BeginStep, PageStep, SegmentStep } from './updates-step.ts';

/**
 * A file has blocks: a byte for its kind, four for its length and four for the CRC-32 of what follows. A crash may leave a
 * part of the last page; everything before it is a state that was.
 */
const HEAD_BYTES = 9;
const KINDS = ['header', 'begin', 'segment', 'page', 'whole'] as const;
type BlockKind = (typeof KINDS)[number];
const FORMAT = 'haverdict mirror 1';
/** Above any segment or page. */
const MAX_BLOCK_BYTES = 8 * 1024 * 1024;

/** The file cannot be used; the message says why. */
export class MirrorFileError extends Error {
  override readonly name = 'MirrorFileError';
}

/** A digest of what a mirror is of: a file with another one is not used. */
export function fileKey(key: string): string {
  return createHash('sha256').update(key).digest('base64url');
}

/** What a file has. */
export interface ReadMirror {
  readonly begin: BeginStep;
  /** How many of its bytes are whole. */
  readonly wholeBytes: number;
  /** The segments, then the pages, each valid until the next one is asked for. Closes the file at the end. */
  steps(): Generator<SegmentStep | PageStep>;
}

/** Reads a file; undefined if there is none. Throws a MirrorFileError. */
export function readMirrorFile(path: string, key: string): ReadMirror | undefined {
  const opened = openTrusted(path);
  if (opened === undefined) return undefined;
  if ('problem' in opened) throw new MirrorFileError(opened.problem);
  const { file } = opened;
  try {
    const { begin, wholeBytes } = checked(file, key);
    return { begin, wholeBytes, steps: () => stepsIn(file) };
  } catch (error) {
    closeSync(file);
    throw error;
  }
}

/** Reads all blocks once, without keeping them: is everything there, and as it was written? */
function checked(file: number, key: string): Pick<ReadMirror, 'begin' | 'wholeBytes'> {
  const reader = new BlockReader(file);
  const header = reader.next();
  const { format, key: own } = header?.kind === 'header' ? (parsed(header.payload) as Record<string, unknown>) : {};
  if (format !== FORMAT) throw new MirrorFileError('is not a mirror file of this version');
  if (own !== key) throw new MirrorFileError('belongs to other lists or another backend');
  let begin: BeginStep | undefined;
  let isWhole = false;
  for (let block = reader.next(); block !== undefined; block = reader.next()) {
    if (block.kind === 'begin')
      begin = parsed(block.payload) as BeginStep; // written by this program
    else if (block.kind === 'whole') isWhole = true;
  }
  if (begin === undefined || !isWhole) throw new MirrorFileError('is truncated');
  return { begin, wholeBytes: reader.at };
}

function* stepsIn(file: number): Generator<SegmentStep | PageStep> {
  try {
    const reader = new BlockReader(file);
    for (let block = reader.next(); block !== undefined; block = reader.next()) {
      const { kind, payload } = block;
      if (kind === 'segment') yield { kind, index: payload.readUInt32LE(0), packed: payload.subarray(4) };
      else if (kind === 'page') yield parsed(payload) as PageStep; // written by this program
    }
  } finally {
    closeSync(file);
  }
}

/** Reads blocks up to the end, or up to one that a crash has left unfinished. A payload is valid until the next one is read. */
class BlockReader {
  readonly #file: number;
  readonly #bytes: number;
  readonly #head = Buffer.alloc(HEAD_BYTES);
  #payload = Buffer.alloc(0);
  at = 0;

  constructor(file: number) {
    this.#file = file;
    this.#bytes = fstatSync(file).size;
  }

  next(): { readonly kind: BlockKind; readonly payload: Buffer } | undefined {
    if (this.at + HEAD_BYTES > this.#bytes) return undefined;
    const head = this.#read(this.at, this.#head);
    const kind = KINDS[head.readUInt8(0)];
    const length = head.readUInt32LE(1);
    if (kind === undefined || length > MAX_BLOCK_BYTES) throw new MirrorFileError('is corrupt');
    if (this.at + HEAD_BYTES + length > this.#bytes) return undefined;
    if (this.#payload.length < length) this.#payload = Buffer.alloc(length);
    const payload = this.#read(this.at + HEAD_BYTES, this.#payload.subarray(0, length));
    if (crc32(payload) !== head.readUInt32LE(5)) throw new MirrorFileError('is corrupt');
    this.at += HEAD_BYTES + length;
    return { kind, payload };
  }

  #read(at: number, into: Buffer): Buffer {
    for (let done = 0; done < into.length; ) {
      const count = readSync(this.#file, into, done, into.length - done, at + done);
      if (count === 0) throw new MirrorFileError('is truncated');
      done += count;
    }
    return into;
  }
}

/** A file that is written: a temporary one until the mirror in it is whole. */
export class WrittenMirror {
  readonly #path: string;
  readonly #handle: FileHandle;
  #at: number;

  private constructor(path: string, handle: FileHandle, at: number) {
    this.#path = path;
    this.#handle = handle;
    this.#at = at;
  }

  static async begin(path: string, key: string, step: BeginStep): Promise<WrittenMirror> {
    const temporary = temporaryOf(path);
    await rm(temporary, { force: true });
    const written = new WrittenMirror(path, await open(temporary, 'wx', 0o600), 0); // follows no link
    await written.#write('header', jsonOf({ format: FORMAT, key }));
    await written.#write('begin', jsonOf(step));
    return written;
  }

  /** Goes on with a file that was read. */
  static async goOn(path: string, { wholeBytes }: Pick<ReadMirror, 'wholeBytes'>): Promise<WrittenMirror> {
    const handle = await open(path, 'r+');
    await handle.truncate(wholeBytes);
    return new WrittenMirror(path, handle, wholeBytes);
  }

  get bytes(): number {
    return this.#at;
  }

  async segment({ index, packed }: SegmentStep): Promise<void> {
    const number = Buffer.alloc(4);
    number.writeUInt32LE(index);
    await this.#write('segment', Buffer.concat([number, packed]));
  }

  async page(step: PageStep): Promise<void> {
    await this.#write('page', jsonOf(step));
  }

  /** From now on it is the file. */
  async whole(): Promise<void> {
    await this.#write('whole', Buffer.alloc(0));
    await this.#handle.sync();
    await rename(temporaryOf(this.#path), this.#path);
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }

  /** Removes what is not whole. */
  async abandon(): Promise<void> {
    await this.close();
    await rm(temporaryOf(this.#path), { force: true });
  }

  async #write(kind: BlockKind, payload: Buffer): Promise<void> {
    const head = Buffer.alloc(HEAD_BYTES);
    head.writeUInt8(KINDS.indexOf(kind), 0);
    head.writeUInt32LE(payload.length, 1);
    head.writeUInt32LE(crc32(payload), 5);
    const block = Buffer.concat([head, payload]);
    for (let done = 0; done < block.length; )
      done += (await this.#handle.write(block, done, block.length - done, this.#at + done)).bytesWritten;
    this.#at += block.length;
  }
}

/** Always the same name, so that the next run removes what a kill left. */
function temporaryOf(path: string): string {
  return `${path}.tmp`;
}

function jsonOf(value: object): Buffer {
  return Buffer.from(JSON.stringify(value));
}

function parsed(payload: Buffer): unknown {
  try {
    return JSON.parse(payload.toString());
  } catch {
    throw new MirrorFileError('is corrupt');
  }
}
