import {
  DeleteItemCommand,
  type DeleteItemCommandInput,
  PutItemCommand,
  type PutItemCommandInput,
  UpdateItemCommand,
  type UpdateItemCommandInput,
} from '@aws-sdk/client-dynamodb';
import type { Item } from '../store.ts';
import { TABLE } from '../table.ts';
import type { DynamoConnection } from './connection.ts';
import { isMap, toAttributes } from './item.ts';

/** Puts an item if its condition holds; returns whether it did. */
export function putIf(connection: DynamoConnection, input: Omit<PutItemCommandInput, 'TableName'>): Promise<boolean> {
  const command = new PutItemCommand({ ...input, TableName: connection.table });
  return connection.attempt('put', () => holds(connection.client.send(command)));
}

/** Updates an item if its condition holds; returns whether it did. */
export function updateIf(
  connection: DynamoConnection,
  input: Omit<UpdateItemCommandInput, 'TableName'>,
): Promise<boolean> {
  const command = new UpdateItemCommand({ ...input, TableName: connection.table });
  return connection.attempt('update', () => holds(connection.client.send(command)));
}

/** Deletes an item if its condition holds; returns whether it did. */
export function deleteIf(
  connection: DynamoConnection,
  input: Omit<DeleteItemCommandInput, 'TableName'>,
): Promise<boolean> {
  const command = new DeleteItemCommand({ ...input, TableName: connection.table });
  return connection.attempt('remove', () => holds(connection.client.send(command)));
}

async function holds(sent: Promise<unknown>): Promise<boolean> {
  try {
    await sent;
    return true;
  } catch (error) {
    if (error instanceof Error && error.name === 'ConditionalCheckFailedException') return false;
    throw error;
  }
}

/** The attributes of an entry that are compared, beside its variables. */
const COMPARED = ['action', 'reason', 'note', 'createdBy', 'createdAt', 'expiresAt', 'status'] as const;

type Condition = Pick<
  DeleteItemCommandInput,
  'ConditionExpression' | 'ExpressionAttributeNames' | 'ExpressionAttributeValues'
>;

/** A condition that holds if the item is there as it was read. */
export function isUnchanged(item: Item): Condition {
  const expected: [path: string[], value: unknown][] = COMPARED.map((name) => [[name], item[name]]);
  const sizes: [path: string[], value: number][] = [];
  if (isMap(item.vars)) {
    // Value by value: dynalite considers no two maps equal.
    sizes.push([['vars'], Object.keys(item.vars).length]);
    expected.push(...Object.entries(item.vars).map(([name, value]): [string[], unknown] => [['vars', name], value]));
  } else expected.push([['vars'], item.vars]);

  const names = new Map([[TABLE.partitionKey as string, '#key']]);
  const values = new Map<unknown, string>();
  const placed = (path: string[]) => path.map((name) => placeholder(names, name, '#n')).join('.');
  const parts = [
    ...expected.map(([path, value]) =>
      value === undefined
        ? `attribute_not_exists(${placed(path)})`
        : `${placed(path)} = ${placeholder(values, value, ':v')}`,
    ),
    ...sizes.map(([path, size]) => `size(${placed(path)}) = ${placeholder(values, size, ':v')}`),
  ];
  return {
    ConditionExpression: `attribute_exists(#key) AND ${parts.join(' AND ')}`,
    ExpressionAttributeNames: Object.fromEntries([...names].map(([name, place]) => [place, name])),
    ...(values.size > 0 && {
      ExpressionAttributeValues: toAttributes(Object.fromEntries([...values].map(([value, place]) => [place, value]))),
    }), // DynamoDB refuses an empty map
  };
}

/** A condition that holds if there is no item. */
export function isAbsent(): Condition {
  return {
    ConditionExpression: 'attribute_not_exists(#key)',
    ExpressionAttributeNames: { '#key': TABLE.partitionKey },
  };
}

/** A condition, itself with `#key`, that also holds if there is no item. */
export function orAbsent(condition: Condition): Condition {
  return { ...condition, ConditionExpression: `attribute_not_exists(#key) OR (${condition.ConditionExpression})` };
}

/** The placeholder of a name or value, the same each time. */
function placeholder<Thing>(places: Map<Thing, string>, thing: Thing, prefix: string): string {
  const place = places.get(thing) ?? `${prefix}${places.size}`;
  places.set(thing, place);
  return place;
}
