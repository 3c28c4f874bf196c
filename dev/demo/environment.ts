import { type Site, startSite, warmUp } from '../guarded-site.ts';
import { deployStack, type LocalStack } from '../stack/local-stack.ts';

/** Long, for machines that do other things too. */
const DEADLINE_MS = 500;

/** The stack in the local cloud, and two sites, one per policy. */
export class DemoEnvironment {
  /** The database without the proxy, so that commands need no credentials. */
  readonly table: { readonly tableName: string; readonly endpoint: string };
  readonly open: Site;
  readonly closed: Site;
  readonly #cloud: LocalStack;

  private constructor(cloud: LocalStack, open: Site, closed: Site) {
    this.table = { tableName: cloud.outputs.TableName ?? '', endpoint: cloud.backDoorEndpoint };
    this.#cloud = cloud;
    this.open = open;
    this.closed = closed;
  }

  static async setUp(port: number | undefined): Promise<DemoEnvironment> {
    const cloud = await deployStack({ report: (line) => console.log(`(${line})`) });
    await cloud.pool.prepare(2);
    for (const rule of cloud.schedules.values()) await rule.fire(); // makes the mirror
    const site = (policy: 'open' | 'closed', sitePort: number | undefined) =>
      startSite({
        backendUrl: cloud.functionUrl.url,
        config: {
          policy,
          deadlineMs: DEADLINE_MS,
          updates: { mode: 'mirror' },
          backend: { auth: 'iam', region: cloud.region },
        },
        env: cloud.environmentOf('agent'),
        ...(sitePort === undefined ? {} : { port: sitePort }),
      });
    const [open, closed] = await Promise.all([site('open', port), site('closed', undefined)]);
    await Promise.all([warmUp(open, 'mirror'), warmUp(closed, 'mirror')]);
    return new DemoEnvironment(cloud, open, closed);
  }

  stopFunction(): Promise<void> {
    return this.#cloud.functionUrl.close();
  }

  startFunction(): Promise<void> {
    return this.#cloud.functionUrl.open();
  }

  async tearDown(): Promise<void> {
    await Promise.all([this.open.stop(), this.closed.stop()]);
    await this.#cloud.close();
  }
}
