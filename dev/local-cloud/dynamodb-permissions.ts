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
export function permissionsFor(operation: string, request: unknown, tableArn: (name: string) => string): Access[] {
  const action = `dynamodb:${operation}`;
  const on = (table: string, index?: string) => {
    const arn = table.startsWith('arn:') ? table : tableArn(table);
    return { action, resource: index === undefined ? arn : `${arn}/index/${index}`, context: {} };
  };
  const { TableName, IndexName, RequestItems } = request as DynamoRequest; // DynamoDB itself validates the rest
  if (operation === 'BatchGetItem' || operation === 'BatchWriteItem')
    return Object.keys(RequestItems ?? {}).map((table) => on(table));
  if (ONE_TABLE.includes(operation) && TableName !== undefined) return [on(TableName, IndexName)];
  if (operation === 'ListTables') return [{ action, resource: '*', context: {} }];
  throw new UnknownOperation(`${action} is not imitated`);
}

interface DynamoRequest {
  readonly TableName?: string;
  readonly IndexName?: string;
  readonly RequestItems?: Readonly<Record<string, unknown>>;
}
