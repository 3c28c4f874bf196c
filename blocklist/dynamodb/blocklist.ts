import type { Blocklist } from '../store.ts';
import { DynamoBulk } from './bulk.ts';
import { DynamoConnection, type DynamoOptions } from './connection.ts';
import { DynamoEntries } from './entries.ts';
import { DynamoHistory } from './history.ts';
import { DynamoLists } from './lists.ts';
import type { Wait } from './retry.ts';

/** The table in DynamoDB for the commands. Separate from DynamoEntries, so that the function does not bundle it. */
export function dynamoBlocklist(options: DynamoOptions, wait?: Wait): Blocklist {
  const connection = new DynamoConnection(options);
  const bulk = new DynamoBulk(connection, wait);
  return {
    entries: new DynamoEntries(connection),
    bulk,
    lists: new DynamoLists(connection, bulk),
    history: new DynamoHistory(connection),
  };
}
