import { DynamoEntries } from '../../blocklist/dynamodb/entries.ts';
import { LOCAL_ACCESS } from '../../blocklist/dynamodb/local-access.ts';
import type { StoredEntry } from '../../blocklist/entry.ts';
import { type Site, type SiteOptions, startSite, warmUp } from '../../dev/guarded-site.ts';
import { deployStack, type LocalStack, type StackOptions } from '../../dev/stack/local-stack.ts';
import { FunctionDouble } from './function-double.ts';

/** HAProxy's `set-process-time` may be above the deadline by no more than this. */
export const DEADLINE_MARGIN_MS = 20;
/** Long enough for a busy machine, so that only what a test does makes the policy answer. */
export const DEADLINE_MS = 1000;
export const TTL_SECONDS = 1;

/** The whole line on real parts: the stack in the local cloud, a double before its URL, and a site for each policy. */
export interface World {
  readonly open: Site;
  readonly closed: Site;
  readonly double: FunctionDouble;
  readonly cloud: LocalStack;
  list(entry: Partial<StoredEntry> & { readonly subject: string }): Promise<void>;
  unlist(subject: string): Promise<void>;
  stop(): Promise<void>;
}

export async function startWorld(options: StackOptions = {}): Promise<World> {
  const cloud = await deployStack(options);
  await cloud.pool.prepare(4); // a cold start takes longer than the deadline, and each agent also asks by itself at its start
  const store = storeOf(cloud);
  const double = new FunctionDouble(cloud.functionUrl.url.replace(/\/$/, ''));
  await double.open();
  const [open, closed] = await Promise.all([
    startSite(siteOptions(cloud, double, 'open')),
    startSite(siteOptions(cloud, double, 'closed')),
  ]);
  await Promise.all([warmUp(open), warmUp(closed)]);
  return {
    open,
    closed,
    double,
    cloud,
    list: async (entry) => void (await store.put({ list: 'manual', action: 'deny', ...entry })),
    unlist: async (subject) => void (await store.remove({ subject, list: 'manual' })),
    async stop() {
      await Promise.all([open.stop(), closed.stop()]);
      await double.close();
      await cloud.close();
    },
  };
}

function siteOptions(cloud: LocalStack, double: FunctionDouble, policy: 'open' | 'closed'): SiteOptions {
  const cache = { allowTtlSeconds: TTL_SECONDS, denyTtlSeconds: TTL_SECONDS, policyTtlSeconds: 0 };
  const backend = { auth: 'iam', region: cloud.region };
  // One site on each kind of socket, so that both are always used.
  return {
    backendUrl: double.url,
    listen: policy === 'open' ? 'unix' : 'tcp',
    config: { policy, deadlineMs: DEADLINE_MS, cache, backend, haproxy: { denyStatuses: [429] } },
    env: cloud.environmentOf('agent'),
  };
}

/** By the back door: what stands in the table is the test's business. */
function storeOf({ outputs, backDoorEndpoint }: LocalStack): DynamoEntries {
  return new DynamoEntries({
    table: outputs.TableName ?? '',
    connectTimeoutMs: 1000,
    requestTimeoutMs: 5000,
    client: { endpoint: backDoorEndpoint, ...LOCAL_ACCESS },
  });
}
