import {
  DeleteItemCommand,
  type DeleteItemCommandInput,
  PutItemCommand,
  type PutItemCommandInput,
  UpdateItemCommand,
  type UpdateItemCommandInput,
} from '@aws-sdk/client-dynamodb';
import type { DynamoConnection } from './connection.ts';

/** Puts an item if its condition holds, and says whether it did. */
export function putIf(connection: DynamoConnection, input: Omit<PutItemCommandInput, 'TableName'>): Promise<boolean> {
  const command = new PutItemCommand({ ...input, TableName: connection.table });
  return connection.attempt('put', () => holds(connection.client.send(command)));
}

/** Changes an item if its condition holds, and says whether it did. */
export function updateIf(
  connection: DynamoConnection,
  input: Omit<UpdateItemCommandInput, 'TableName'>,
): Promise<boolean> {
  const command = new UpdateItemCommand({ ...input, TableName: connection.table });
  return connection.attempt('update', () => holds(connection.client.send(command)));
}

/** Deletes an item if its condition holds, and says whether it did. */
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
