import type { Cursor } from './cursor.ts';
import { invalidFrame } from './errors.ts';
import type { PayloadWriter } from './payload-writer.ts';

/**
 * The type in the low nibble of a typed value's first byte (SPOE.txt 3.1).
 *
 * @example
 * ```ts
 * import assert from 'node:assert/strict';
 * import { DataType } from 'haverdict-spop';
 *
 * assert.equal(DataType.ipv6, 7);
 * ```
 */
export const DataType = {
  null: 0,
  bool: 1,
  int32: 2,
  uint32: 3,
  int64: 4,
  uint64: 5,
  ipv4: 6,
  ipv6: 7,
  string: 8,
  binary: 9,
} as const;

export const TYPE_MASK = 0x0f;
export const BOOL_TRUE = 0x10;
export const IPV4_BYTES = 4;
export const IPV6_BYTES = 16;

/**
 * A typed value. Integers are 64 bits wide whatever their type says, since HAProxy holds all four in one signed 64-bit
 * variable. Addresses are in network order. A string is bytes and not always UTF-8; when encoding, text will do.
 *
 * @example
 * ```ts
 * import { createAgent, type TypedData } from 'haverdict-spop';
 *
 * const client: TypedData = { type: 'ipv4', value: Uint8Array.of(203, 0, 113, 7) };
 * createAgent({ 'check-request': ({ set }) => set('client', client) });
 * ```
 */
export type TypedData =
  | { readonly type: 'null' }
  | { readonly type: 'bool'; readonly value: boolean }
  | { readonly type: 'int32' | 'uint32' | 'int64' | 'uint64'; readonly value: bigint }
  | { readonly type: 'ipv4' | 'ipv6'; readonly value: Uint8Array }
  | { readonly type: 'string' | 'binary'; readonly value: Uint8Array | string };

/**
 * Typed data as it is received: strings are bytes.
 *
 * @example
 * ```ts
 * import assert from 'node:assert/strict';
 * import { decodeText, type ReceivedData } from 'haverdict-spop';
 *
 * const textOf = (data: ReceivedData) => (data.type === 'string' ? decodeText(data.value) : data.type);
 * assert.equal(textOf({ type: 'string', value: Buffer.from('GET') }), 'GET');
 * assert.equal(textOf({ type: 'null' }), 'null');
 * ```
 */
export type ReceivedData =
  | Exclude<TypedData, { type: 'string' | 'binary' }>
  | { readonly type: 'string' | 'binary'; readonly value: Uint8Array };

/** Decodes the typed value at the cursor into an object of its own. */
export function readData(cursor: Cursor): ReceivedData {
  const first = cursor.byte();
  switch (first & TYPE_MASK) {
    case DataType.null:
      return { type: 'null' };
    case DataType.bool:
      return { type: 'bool', value: (first & BOOL_TRUE) !== 0 };
    case DataType.int32:
      return { type: 'int32', value: BigInt.asIntN(64, cursor.varint64()) };
    case DataType.uint32:
      return { type: 'uint32', value: cursor.varint64() };
    case DataType.int64:
      return { type: 'int64', value: BigInt.asIntN(64, cursor.varint64()) };
    case DataType.uint64:
      return { type: 'uint64', value: cursor.varint64() };
    case DataType.ipv4:
      return { type: 'ipv4', value: cursor.take(IPV4_BYTES) };
    case DataType.ipv6:
      return { type: 'ipv6', value: cursor.take(IPV6_BYTES) };
    case DataType.string:
      return { type: 'string', value: cursor.take(cursor.length()) };
    case DataType.binary:
      return { type: 'binary', value: cursor.take(cursor.length()) };
    default:
      throw invalidFrame(`value type ${first & TYPE_MASK} is reserved`);
  }
}

/** Appends a typed value. Throws a `TypeError` where an address has the wrong number of bytes. */
export function writeData(out: PayloadWriter, data: TypedData): void {
  switch (data.type) {
    case 'null':
      out.byte(DataType.null);
      return;
    case 'bool':
      out.byte(data.value ? DataType.bool | BOOL_TRUE : DataType.bool);
      return;
    case 'int32':
    case 'uint32':
    case 'int64':
    case 'uint64':
      out.byte(DataType[data.type]).varint64(data.value);
      return;
    case 'ipv4':
    case 'ipv6': {
      const expected = data.type === 'ipv4' ? IPV4_BYTES : IPV6_BYTES;
      if (data.value.length !== expected)
        throw new TypeError(`${data.type} value has ${data.value.length} bytes, not ${expected}`);
      out.byte(DataType[data.type]).raw(data.value);
      return;
    }
    case 'string':
    case 'binary':
      out.byte(DataType[data.type]).text(data.value);
      return;
    default:
      data satisfies never;
  }
}
