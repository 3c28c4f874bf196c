import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import type { Item } from '../store.ts';

/** Plain values as DynamoDB attributes: the inverse of fromAttributes, and arrays as lists. */
export function toAttributes(item: Readonly<Record<string, unknown>>): Record<string, AttributeValue> {
  const present = Object.entries(item).filter(([, value]) => value !== undefined);
  return Object.fromEntries(present.map(([name, value]) => [name, attribute(value)]));
}

/** An item as plain values. Types that no entry can have stay as attributes, and the parser rejects them. */
export function fromAttributes(attributes: Readonly<Record<string, AttributeValue>>): Item {
  return Object.fromEntries(Object.entries(attributes).map(([name, value]) => [name, plain(value)]));
}

/** The strings of a list attribute, which fromAttributes does not convert. */
export function textsOf(value: unknown): string[] {
  const elements = isUnread(value) ? (value.L ?? []) : [];
  return elements.flatMap(({ S }) => S ?? []);
}

/** The bytes of a binary attribute, which fromAttributes does not convert. */
export function bytesOf(value: unknown): Uint8Array {
  return (isUnread(value) ? value.B : undefined) ?? new Uint8Array();
}

/** Is it a map converted by fromAttributes? */
export function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !isUnread(value);
}

function attribute(value: unknown): AttributeValue {
  if (typeof value === 'string') return { S: value };
  if (typeof value === 'number') return { N: String(value) };
  if (Array.isArray(value)) return { L: value.map(attribute) };
  if (isUnread(value)) return value;
  return { M: toAttributes(value as Record<string, unknown>) }; // entries and records have nothing else
}

function plain(value: AttributeValue): unknown {
  if (value.S !== undefined) return value.S;
  if (value.N !== undefined) return Number(value.N);
  return value.M === undefined ? value : fromAttributes(value.M);
}

/** Is it an attribute that fromAttributes did not convert? No map that it made has an array, a boolean or bytes in it. */
function isUnread(value: unknown): value is AttributeValue {
  const [inside, ...more] = Object.values(value ?? {});
  return more.length === 0 && (Array.isArray(inside) || typeof inside === 'boolean' || inside instanceof Uint8Array);
}
