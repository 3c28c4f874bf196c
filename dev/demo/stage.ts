import { DynamoStore } from '../../functions/blocklist/dynamodb.ts';
import { LOCAL_ACCESS } from '../../functions/blocklist/local-access.ts';
import { createHandler } from '../../functions/check/handler.ts';
import { freePort } from '../free-port.ts';
import { type FunctionUrl, startFunctionUrl } from '../local-cloud/function-url.ts';
import { startTable, type TableServer } from '../local-cloud/table-server.ts';
import { type Site, startSite } from '../site.ts';

/** Lifetimes short enough that a change can be watched; the defaults are 60 and 300 seconds. */
export const TTL_SECONDS = 2;
const DEADLINE_MS = 200;

/** Everything the demo plays with: the local cloud, and the same site twice, once under each policy. */
export class Stage {
  readonly table: TableServer;
  readonly open: Site;
  readonly closed: Site;
  #functionUrl: FunctionUrl | undefined;
  readonly #functionPort: number;

  private constructor(table: TableServer, functionUrl: FunctionUrl, functionPort: number, open: Site, closed: Site) {
    this.table = table;
    this.#functionUrl = functionUrl;
    this.#functionPort = functionPort;
    this.open = open;
    this.closed = closed;
  }

  static async setUp(port: number | undefined): Promise<Stage> {
    const table = await startTable();
    const functionPort = await freePort();
    const functionUrl = await startFunctionFor(table, functionPort);
    const site = (policy: 'open' | 'closed', sitePort: number | undefined) =>
      startSite({
        backendUrl: functionUrl.url,
        config: {
          policy,
          deadlineMs: DEADLINE_MS,
          cache: { allowTtlSeconds: TTL_SECONDS, denyTtlSeconds: TTL_SECONDS },
        },
        ...(sitePort === undefined ? {} : { port: sitePort }),
      });
    const [open, closed] = await Promise.all([site('open', port), site('closed', undefined)]);
    return new Stage(table, functionUrl, functionPort, open, closed);
  }

  get functionUrl(): string {
    return `http://127.0.0.1:${this.#functionPort}`;
  }

  async stopFunction(): Promise<void> {
    await this.#functionUrl?.close();
    this.#functionUrl = undefined;
  }

  async startFunction(): Promise<void> {
    this.#functionUrl ??= await startFunctionFor(this.table, this.#functionPort);
  }

  async tearDown(): Promise<void> {
    await Promise.all([this.open.stop(), this.closed.stop()]);
    await this.stopFunction();
    await this.table.close();
  }
}

function startFunctionFor({ endpoint, tableName }: TableServer, port: number): Promise<FunctionUrl> {
  const client = { endpoint, ...LOCAL_ACCESS };
  const store = new DynamoStore({ table: tableName, connectTimeoutMs: 200, requestTimeoutMs: 500, client });
  return startFunctionUrl({ handler: createHandler({ store, log: () => {}, clock: Date.now, ttlSeconds: 300 }), port });
}
