import { formatAddress, parseAddress } from '../address.ts';
import { decodeText } from '../cursor.ts';
import { shown } from '../options.ts';
import { PayloadWriter } from '../payload-writer.ts';
import { type ReceivedData, type TypedData, writeData } from '../typed-data.ts';

/**
 * What arguments and variables can be declared as, and what their values are in TypeScript.
 *
 * @example
 * ```ts
 * import assert from 'node:assert/strict';
 * import type { ValueTypes } from 'haverdict-spop';
 *
 * const user: ValueTypes['text'] = 'root';
 * const body: ValueTypes['bytes'] = Buffer.from('a=1');
 * assert.equal(user.length + body.length, 7);
 * ```
 */
export interface ValueTypes {
  /** A string of HAProxy as text; bytes that are not UTF-8 become U+FFFD. */
  text: string;
  /** A string of HAProxy as its bytes, as of `req.body`. */
  bytes: Uint8Array;
  /** An integer up to 2^53. */
  integer: number;
  /** An integer of 64 bits. */
  bigint: bigint;
  boolean: boolean;
  /** IPv4 or IPv6 in its canonical text; an IPv4-mapped address is IPv4. */
  address: string;
}

/**
 * The name of a type of value.
 *
 * @example
 * ```ts
 * import assert from 'node:assert/strict';
 * import type { ValueType } from 'haverdict-spop';
 *
 * const types: ValueType[] = ['text', 'bytes', 'integer', 'bigint', 'boolean', 'address'];
 * assert.equal(types.length, 6);
 * ```
 */
export type ValueType = Extract<keyof ValueTypes, string>; // shown as the words, not as `keyof`

/**
 * The types of arguments or variables, by their names.
 *
 * @example
 * ```ts
 * import { createAgent, type Declared, message } from 'haverdict-spop';
 *
 * const args: Declared = { ip: 'address', path: 'text' };
 * createAgent({ 'check-request': message({ args }, ({ args, set }) => set('has_path', args.path !== null)) });
 * ```
 */
export type Declared = Readonly<Record<string, ValueType>>;

/**
 * An argument that is not declared: an integer beyond 2^53 is a bigint, and only `bin` data such as `req.body` are bytes.
 *
 * @example
 * ```ts
 * import assert from 'node:assert/strict';
 * import { type ArgumentValue, createAgent } from 'haverdict-spop';
 *
 * const shown = (value: ArgumentValue) => (value instanceof Uint8Array ? `${value.length} bytes` : String(value));
 * assert.equal(shown(Buffer.from('a=1')), '3 bytes');
 * createAgent({ log: ({ args }) => console.log(Object.values(args).map(shown)) });
 * ```
 */
export type ArgumentValue = string | number | bigint | boolean | Uint8Array | null;

/**
 * What a variable that is not declared can be set to; null unsets it. An address is text unless it is `TypedData`.
 *
 * @example
 * ```ts
 * import { createAgent, type VariableValue } from 'haverdict-spop';
 *
 * const values: Record<string, VariableValue> = { action: 'deny', score: 90, internal: false, user: null };
 * createAgent({
 *   'check-request': ({ set }) => {
 *     for (const [name, value] of Object.entries(values)) set(name, value);
 *   },
 * });
 * ```
 */
export type VariableValue = string | number | bigint | boolean | Uint8Array | TypedData | null;

/** The value of an argument that is not declared. */
export function plainValue(data: ReceivedData): ArgumentValue {
  switch (data.type) {
    case 'null':
      return null;
    case 'bool':
    case 'binary':
      return data.value;
    case 'string':
      return decodeText(data.value);
    case 'ipv4':
    case 'ipv6':
      return formatAddress(data.value);
    default:
      return isSafe(data.value) ? Number(data.value) : data.value;
  }
}

/** The value of an argument that is declared as this, null where HAProxy had none; undefined if it is something else. */
export function declaredValue(type: ValueType, data: ReceivedData): ArgumentValue | undefined {
  switch (data.type) {
    case 'null':
      return null;
    case 'bool':
      return type === 'boolean' ? data.value : undefined;
    case 'string':
    case 'binary':
      if (type === 'text') return decodeText(data.value);
      return type === 'bytes' ? data.value : undefined;
    case 'ipv4':
    case 'ipv6':
      return type === 'address' ? formatAddress(data.value) : undefined;
    default:
      if (type === 'bigint') return data.value;
      return type === 'integer' && isSafe(data.value) ? Number(data.value) : undefined;
  }
}

/** What data like this can be declared as. */
export function typesOf(data: ReceivedData): readonly ValueType[] {
  return ALL_TYPES.filter((type) => declaredValue(type, data) !== undefined);
}

/** A variable's value as HAProxy gets it; throws a `TypeError` that says what would be right. */
export function toData(name: string, value: unknown): TypedData {
  switch (typeof value) {
    case 'string':
      return { type: 'string', value };
    case 'boolean':
      return { type: 'bool', value };
    case 'number':
      if (!Number.isSafeInteger(value))
        throw notSettable(name, value, 'HAProxy has whole numbers only, and above 2^53 it is a bigint');
      return { type: 'int64', value: BigInt(value) };
    case 'bigint':
      if (BigInt.asIntN(64, value) !== value) throw notSettable(name, value, 'HAProxy has 64 bits for it');
      return { type: 'int64', value };
    default:
      if (value === null) return { type: 'null' };
      if (value instanceof Uint8Array) return { type: 'binary', value };
      if (isTypedData(value)) return value;
      throw notSettable(name, value, 'HAProxy has no such values; null unsets a variable');
  }
}

/** The value of a variable that is declared as this. */
export function toDeclaredData(name: string, type: ValueType, value: unknown): TypedData {
  if (value === null) return { type: 'null' };
  if (type === 'address') {
    const bytes = typeof value === 'string' ? parseAddress(value) : undefined;
    if (bytes === undefined) throw notSettable(name, value, 'it is declared as address');
    return { type: bytes.length === 4 ? 'ipv4' : 'ipv6', value: bytes };
  }
  if (!HAS_TYPE[type](value)) throw notSettable(name, value, `it is declared as ${type}`);
  return toData(name, value);
}

const HAS_TYPE: Record<Exclude<ValueType, 'address'>, (value: unknown) => boolean> = {
  text: (value) => typeof value === 'string',
  bytes: (value) => value instanceof Uint8Array,
  integer: (value) => typeof value === 'number',
  bigint: (value) => typeof value === 'bigint',
  boolean: (value) => typeof value === 'boolean',
};

const ALL_TYPES: readonly ValueType[] = ['address', ...(Object.keys(HAS_TYPE) as Exclude<ValueType, 'address'>[])];
/** The types that can be declared. */
export const VALUE_TYPES: ReadonlySet<unknown> = new Set(ALL_TYPES);

function isSafe(value: bigint): boolean {
  return BigInt.asIntN(54, value) === value && Number.isSafeInteger(Number(value));
}

/** Also programs without types call this. */
function isTypedData(value: unknown): value is TypedData {
  if (typeof value !== 'object' || value === null || !('type' in value)) return false;
  const out = new PayloadWriter();
  writeData(out, value as TypedData); // throws, or writes nothing, for anything else
  return out.finish().length > 0;
}

function notSettable(name: string, value: unknown, why: string): TypeError {
  return new TypeError(`variable "${name}" cannot be ${shown(value)}: ${why}`);
}
