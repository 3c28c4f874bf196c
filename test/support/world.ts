import { type FunctionUrl, startFunctionUrl } from '../../dev/local-cloud/function-url.ts';
import { startTable, type TableServer } from '../../dev/local-cloud/table-server.ts';
import { type Site, type SiteOptions, startSite } from '../../dev/site.ts';
import { DynamoStore } from '../../functions/blocklist/dynamodb.ts';
import type { StoredEntry } from '../../functions/blocklist/entry.ts';
import { LOCAL_ACCESS } from '../../functions/blocklist/local-access.ts';
import { createHandler } from '../../functions/check/handler.ts';
import { FunctionDouble } from './function-double.ts';

/** HAProxy's `set-process-time` may be above the deadline by no more than this. */
export const DEADLINE_MARGIN_MS = 20;
export const DEADLINE_MS = 150;
export const TTL_SECONDS = 1;

/** The whole line on real parts: one table, the real handler behind a double, and a site for each policy. */
export interface World {
  readonly open: Site;
  readonly closed: Site;
  readonly double: FunctionDouble;
  list(entry: Partial<StoredEntry> & { readonly subject: string }): Promise<void>;
  unlist(subject: string): Promise<void>;
  stop(): Promise<void>;
}

export async function startWorld(): Promise<World> {
  const table = await startTable();
  const store = storeOf(table);
  const functionUrl = await startFunction(store);
  const double = new FunctionDouble(functionUrl.url);
  await double.open();
  const [open, closed] = await Promise.all([
    startSite(siteOptions(double, 'open')),
    startSite(siteOptions(double, 'closed')),
  ]);
  return {
    open,
    closed,
    double,
    list: async (entry) => void (await store.put({ list: 'manual', action: 'deny', ...entry })),
    unlist: async (subject) => void (await store.remove({ subject, list: 'manual' })),
    async stop() {
      await Promise.all([open.stop(), closed.stop()]);
      await double.close();
      await functionUrl.close();
      await table.close();
    },
  };
}

function siteOptions(double: FunctionDouble, policy: 'open' | 'closed'): SiteOptions {
  const cache = { allowTtlSeconds: TTL_SECONDS, denyTtlSeconds: TTL_SECONDS, policyTtlSeconds: 0 };
  // One site on each kind of socket, so that both are always used.
  return {
    backendUrl: double.url,
    listen: policy === 'open' ? 'unix' : 'tcp',
    config: { policy, deadlineMs: DEADLINE_MS, cache },
  };
}

function storeOf({ endpoint, tableName }: TableServer): DynamoStore {
  return new DynamoStore({
    table: tableName,
    connectTimeoutMs: 1000,
    requestTimeoutMs: 5000,
    client: { endpoint, ...LOCAL_ACCESS },
  });
}

function startFunction(store: DynamoStore): Promise<FunctionUrl> {
  return startFunctionUrl({ handler: createHandler({ store, log: () => {}, clock: Date.now, ttlSeconds: 300 }) });
}
