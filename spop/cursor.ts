import { invalidFrame } from './errors.ts';
import { LONG_VARINT, MAX_VARINT_BYTES, VARINT_GOES_ON } from './varint.ts';

/**
 * A position in received bytes that never reads past `end`. Every read past it, every varint longer than 10 bytes and
 * every length that runs past the end throws a `SpopError` with status 4.
 *
 * @example
 * ```ts
 * import assert from 'node:assert/strict';
 * import { Cursor, SpopError } from 'haverdict-spop';
 *
 * const cursor = new Cursor(Uint8Array.of(2, 0x69, 0x70, 7));
 * assert.equal(cursor.text(), 'ip');
 * assert.equal(cursor.byte(), 7);
 * assert.throws(() => cursor.byte(), SpopError);
 * ```
 */
export class Cursor {
  bytes: Uint8Array;
  at: number;
  end: number;

  constructor(bytes: Uint8Array, at = 0, end = bytes.length) {
    this.bytes = bytes;
    this.at = at;
    this.end = end;
  }

  /** Points this cursor at other bytes: the hot path keeps one cursor and allocates none. */
  moveTo(bytes: Uint8Array, at: number, end: number): void {
    this.bytes = bytes;
    this.at = at;
    this.end = end;
  }

  byte(): number {
    if (this.at >= this.end) throw invalidFrame('frame ends inside a field');
    return this.bytes[this.at++] as number; // in bounds: checked above
  }

  /** An unsigned varint as a number; exact below 2^53, which is all a length can be. */
  varint(): number {
    let value = this.byte();
    if (value < LONG_VARINT) return value;
    // The format shifts; this multiplies, since a shift would wrap at 32 bits.
    let scale = 16;
    for (let read = 1; read < MAX_VARINT_BYTES; read++) {
      const byte = this.byte();
      value += byte * scale;
      if (byte < VARINT_GOES_ON) return value;
      scale *= 128;
    }
    throw invalidFrame(`varint is longer than ${MAX_VARINT_BYTES} bytes`);
  }

  /** A varint of up to 64 bits, modulo 2^64 as HAProxy's own decoder. */
  varint64(): bigint {
    const first = this.byte();
    let value = BigInt(first);
    if (first < LONG_VARINT) return value;
    let shift = 4n;
    for (let read = 1; read < MAX_VARINT_BYTES; read++) {
      const byte = this.byte();
      value += BigInt(byte) << shift;
      if (byte < VARINT_GOES_ON) return BigInt.asUintN(64, value);
      shift += 7n;
    }
    throw invalidFrame(`varint is longer than ${MAX_VARINT_BYTES} bytes`);
  }

  skipVarint(): void {
    if (this.byte() < LONG_VARINT) return;
    for (let read = 1; read < MAX_VARINT_BYTES; read++) if (this.byte() < VARINT_GOES_ON) return;
    throw invalidFrame(`varint is longer than ${MAX_VARINT_BYTES} bytes`);
  }

  /** Reads a length and checks that as many bytes follow. */
  length(): number {
    const length = this.varint();
    if (length > this.end - this.at) throw invalidFrame(`length ${length} runs past the end of the frame`);
    return length;
  }

  skip(count: number): void {
    if (count > this.end - this.at) throw invalidFrame('frame ends inside a field');
    this.at += count;
  }

  /** A copy of the next bytes, safe to keep after the frame is gone. */
  take(count: number): Uint8Array {
    const start = this.at;
    this.skip(count);
    return new Uint8Array(this.bytes.subarray(start, this.at)); // the slice of a Buffer is not a copy
  }

  /** A length-prefixed string as text; bytes that are not UTF-8 become U+FFFD. */
  text(): string {
    const length = this.length();
    return decodeText(this.take(length));
  }
}

// A byte order mark is kept: a header value that begins with one is another value.
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/**
 * The text of string bytes. HAProxy passes header values and paths as received, so invalid UTF-8 does arrive.
 *
 * @example
 * ```ts
 * import assert from 'node:assert/strict';
 * import { decodeText } from 'haverdict-spop';
 *
 * assert.equal(decodeText(Uint8Array.of(0x69, 0x70)), 'ip');
 * assert.equal(decodeText(Uint8Array.of(0xe9)), '\uFFFD'); // not UTF-8
 * ```
 */
export function decodeText(bytes: Uint8Array): string {
  return decoder.decode(bytes);
}
