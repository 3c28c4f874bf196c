import type { Access } from './policy.ts';

/** A DynamoDB request whose permissions the proxy does not know. */
export class UnknownOperation extends Error {
  override readonly name = 'UnknownOperation';
}

const ONE_TABLE = [
  'DeleteItem',
  'GetItem',
  'PutItem',
  'Query',
  'Scan',
  'UpdateItem',
  'DescribeTable',
  'DescribeTimeToLive',
];

/** The permissions for a DynamoDB request: its action on each table or index that it names. */
export function permissionsFor(operation: string, request: unknown, tables: Tables): Access[] {
  const action = `dynamodb:${operation}`;
  const { TableName, IndexName, RequestItems, Key, Item } = request as DynamoRequest; // DynamoDB itself validates the rest
  const on = (table: string, index?: string) => {
    const arn = table.startsWith('arn:') ? table : tables.arnOf(table);
    const leading = (Key ?? Item)?.[tables.partitionKeyOf(table) ?? '']?.S;
    const context = { ...(leading !== undefined && { 'dynamodb:LeadingKeys': [leading] }) };
    return { action, resource: index === undefined ? arn : `${arn}/index/${index}`, context };
  };
  if (operation === 'BatchGetItem' || operation === 'BatchWriteItem')
    return Object.keys(RequestItems ?? {}).map((table) => on(table));
  if (ONE_TABLE.includes(operation) && TableName !== undefined) return [on(TableName, IndexName)];
  if (operation === 'ListTables') return [{ action, resource: '*', context: {} }];
  throw new UnknownOperation(`${action} is not imitated`);
}

/** The tables, by name. */
export interface Tables {
  arnOf(name: string): string;
  partitionKeyOf(name: string): string | undefined;
}

interface DynamoRequest {
  readonly Key?: KeyAttributes;
  readonly Item?: KeyAttributes;
  readonly TableName?: string;
  readonly IndexName?: string;
  readonly RequestItems?: Readonly<Record<string, unknown>>;
}

type KeyAttributes = Readonly<Record<string, { readonly S?: string }>>;
