import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import type { Vars } from '../../contract/vars.ts';
import type { StoredEntry } from './entry.ts';
import type { Item } from './store.ts';

/** An entry as DynamoDB wants it. */
export function toAttributes(entry: StoredEntry): Record<string, AttributeValue> {
  const present = Object.entries(entry).filter(([, value]) => value !== undefined);
  return Object.fromEntries(present.map(([name, value]) => [name, attribute(value)]));
}

/** An item as plain values. Whatever no entry can have stays as DynamoDB wrote it, for the parser to refuse. */
export function fromAttributes(attributes: Readonly<Record<string, AttributeValue>>): Item {
  return Object.fromEntries(Object.entries(attributes).map(([name, value]) => [name, plain(value)]));
}

function attribute(value: string | number | Vars | undefined): AttributeValue {
  if (typeof value === 'number') return { N: String(value) };
  if (typeof value !== 'object') return { S: String(value) };
  return { M: Object.fromEntries(Object.entries(value).map(([name, text]) => [name, { S: text }])) };
}

function plain(value: AttributeValue): unknown {
  if (value.S !== undefined) return value.S;
  if (value.N !== undefined) return Number(value.N);
  return value.M === undefined ? value : fromAttributes(value.M);
}
