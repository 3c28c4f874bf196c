import type { AttributeValue } from '@aws-sdk/client-dynamodb';

/** An item in DynamoDB's JSON. */
export type Item = Readonly<Record<string, AttributeValue>>;

/** The key of an item that a request writes. */
export interface WrittenKey {
  readonly table: string;
  readonly keys: Record<string, AttributeValue>;
  /** Table and key as one text. */
  readonly name: string;
}

interface WriteRequest {
  readonly TableName?: string;
  readonly Key?: Item;
  readonly Item?: Item;
  readonly RequestItems?: Readonly<
    Record<string, readonly { readonly PutRequest?: { Item: Item }; readonly DeleteRequest?: { Key: Item } }[]>
  >;
}

/** The items of these tables that a request to DynamoDB would write, each once. */
export function itemsWritten(
  target: unknown,
  body: Buffer,
  keysOf: ReadonlyMap<string, readonly string[]>,
): WrittenKey[] {
  const operation = String(target).split('.')[1] ?? '';
  if (!['PutItem', 'UpdateItem', 'DeleteItem', 'BatchWriteItem'].includes(operation)) return [];
  const { TableName = '', Key, Item, RequestItems = {} } = parsed(body);
  const items =
    operation === 'BatchWriteItem'
      ? Object.entries(RequestItems).flatMap(([table, writes]) =>
          writes.map(({ PutRequest, DeleteRequest }) => ({ table, item: PutRequest?.Item ?? DeleteRequest?.Key })),
        )
      : [{ table: TableName, item: Key ?? Item }];
  const keys = items.flatMap(({ table, item }) => {
    const names = keysOf.get(table);
    return names === undefined || item === undefined ? [] : [keyOf(table, names, item)];
  });
  return [...new Map(keys.map((key) => [key.name, key])).values()];
}

function keyOf(table: string, names: readonly string[], item: Item): WrittenKey {
  const keys = Object.fromEntries(names.flatMap((name) => (item[name] === undefined ? [] : [[name, item[name]]])));
  return { table, keys, name: JSON.stringify([table, ...names.map((name) => keys[name])]) };
}

/** The database refuses what is not JSON. */
function parsed(body: Buffer): WriteRequest {
  try {
    return JSON.parse(body.toString('utf8')) as WriteRequest; // a part that is not there is undefined
  } catch {
    return {};
  }
}
