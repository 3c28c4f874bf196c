import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { UPDATES_TABLE } from '../table.ts';

/** Numbers as text that sorts as they do. */
const DIGITS = 16;

export function atOf(number: number): string {
  return String(number).padStart(DIGITS, '0');
}

export function keyOf(part: string, at: string): Record<string, AttributeValue> {
  return { [UPDATES_TABLE.partitionKey]: { S: part }, [UPDATES_TABLE.sortKey]: { S: at } };
}
