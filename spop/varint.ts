/** 64 bits in the "peers" encoding: 4 bits beside the first byte's 240, then 7 bits a byte (intops.h: encode_varint). */
export const MAX_VARINT_BYTES = 10;
/** A first byte below this is the whole number. */
export const LONG_VARINT = 240;
/** Of the bytes that follow, the last is below this. */
export const VARINT_GOES_ON = 128;

/** How many bytes `value` takes; `value` is a whole number from 0 to 2^53 - 1. */
export function varintLength(value: number): number {
  if (value < LONG_VARINT) return 1;
  let rest = Math.floor((value - LONG_VARINT) / 16);
  let length = 2;
  while (rest >= VARINT_GOES_ON) {
    rest = Math.floor((rest - VARINT_GOES_ON) / VARINT_GOES_ON);
    length++;
  }
  return length;
}

/** Writes `value` (0 to 2^53 - 1) at `at` and returns the position after it. */
export function writeVarint(out: Uint8Array, at: number, value: number): number {
  let position = at;
  if (value < LONG_VARINT) {
    out[position++] = value;
    return position;
  }
  out[position++] = (value & 0xff) | 0xf0;
  let rest = Math.floor((value - LONG_VARINT) / 16);
  while (rest >= VARINT_GOES_ON) {
    out[position++] = (rest & 0xff) | 0x80;
    rest = Math.floor((rest - VARINT_GOES_ON) / VARINT_GOES_ON);
  }
  out[position++] = rest;
  return position;
}

/** The bytes of a 64-bit value; a negative one is written in two's complement, as HAProxy writes all signed numbers. */
export function encodeVarint64(value: bigint): Uint8Array {
  let rest = BigInt.asUintN(64, value);
  if (rest < 240n) return Uint8Array.of(Number(rest));
  const bytes = [Number(rest & 0xffn) | 0xf0];
  rest = (rest - 240n) >> 4n;
  while (rest >= 128n) {
    bytes.push(Number(rest & 0xffn) | 0x80);
    rest = (rest - 128n) >> 7n;
  }
  bytes.push(Number(rest));
  return Uint8Array.from(bytes);
}
