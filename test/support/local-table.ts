import type { DynamoOptions } from '../../blocklist/dynamodb/connection.ts';
import { LOCAL_ACCESS } from '../../blocklist/dynamodb/local-access.ts';
import { DynamoManagedStore } from '../../blocklist/dynamodb/managed-store.ts';
import { DynamoStore } from '../../blocklist/dynamodb/store.ts';
import { startTable, type TableServer } from '../../dev/local-cloud/table-server.ts';

/** What of a test's context is needed to clean up: a test's own, or `{ after }` of a suite. */
interface Cleaning {
  after(clean: () => Promise<void>): void;
}

/** A table of its own for a test or a suite, gone afterwards. */
export async function localTable(test: Cleaning): Promise<TableServer> {
  const table = await startTable();
  test.after(() => table.close());
  return table;
}

/** The real store at this endpoint. */
export function storeAt(endpoint: string, table = 'haverdict'): DynamoStore {
  return new DynamoStore(placeAt(endpoint, table));
}

/** The same with what people's tools need. */
export function managedStoreAt(endpoint: string): DynamoManagedStore {
  return new DynamoManagedStore(placeAt(endpoint, 'haverdict'));
}

function placeAt(endpoint: string, table: string): DynamoOptions {
  return {
    table,
    connectTimeoutMs: 1000,
    requestTimeoutMs: 5000,
    client: { endpoint, maxAttempts: 1, ...LOCAL_ACCESS },
  };
}
