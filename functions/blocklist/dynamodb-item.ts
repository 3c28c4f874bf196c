import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import type { StoredEntry } from './entry.ts';
import type { Item } from './store.ts';

/** An entry as DynamoDB wants it. */
export function toAttributes(entry: StoredEntry): Record<string, AttributeValue> {
  const present = Object.entries(entry).filter(([, value]) => value !== undefined);
  return Object.fromEntries(
    present.map(([name, value]) => [name, typeof value === 'number' ? { N: String(value) } : { S: String(value) }]),
  );
}

/** An item as plain values. Whatever no entry can have stays as DynamoDB wrote it, for the parser to refuse. */
export function fromAttributes(attributes: Readonly<Record<string, AttributeValue>>): Item {
  return Object.fromEntries(Object.entries(attributes).map(([name, value]) => [name, plain(value)]));
}

function plain(value: AttributeValue): unknown {
  if (value.S !== undefined) return value.S;
  if (value.N !== undefined) return Number(value.N);
  return value;
}
