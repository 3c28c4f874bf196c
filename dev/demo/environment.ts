import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../free-port.ts';
import { type Site, startSite, warmUp } from '../guarded-site.ts';
import { frontendConfig } from '../haproxy-config.ts';
import { type TemporaryFolder, temporaryFolder } from '../local-cloud/ends-with-process.ts';
import { deployStack, type LocalStack } from '../stack/local-stack.ts';

/** Long, for machines that do other things too. */
const DEADLINE_MS = 500;

/** The stack in the local cloud, and two sites, one per policy. */
export class DemoEnvironment {
  /** The database without the proxy, so that commands need no credentials. */
  readonly table: { readonly tableName: string; readonly endpoint: string };
  readonly open: Site;
  readonly closed: Site;
  /** The URL of the status page of the agent with policy open. */
  readonly page: string;
  readonly #cloud: LocalStack;
  readonly #folder: TemporaryFolder;

  private constructor(cloud: LocalStack, folder: TemporaryFolder, page: string, open: Site, closed: Site) {
    this.#folder = folder;
    this.page = page;
    this.table = { tableName: cloud.outputs.TableName ?? '', endpoint: cloud.backDoorEndpoint };
    this.#cloud = cloud;
    this.open = open;
    this.closed = closed;
  }

  static async setUp(port: number | undefined): Promise<DemoEnvironment> {
    const cloud = await deployStack({ report: (line) => console.log(`(${line})`) });
    await cloud.pool.prepare(2);
    for (const rule of cloud.schedules.values()) await rule.fire(); // makes the mirror
    const folder = temporaryFolder('haverdict-demo-');
    const page = { open: `tcp://127.0.0.1:${await freePort()}`, closed: `tcp://127.0.0.1:${await freePort()}` };
    const site = (policy: 'open' | 'closed', sitePort: number | undefined) =>
      startSite({
        backendUrl: cloud.functionUrl.url,
        config: {
          policy,
          deadlineMs: DEADLINE_MS,
          updates: { mode: 'mirror' },
          admin: { listen: page[policy], socket: join(folder.path, `${policy}.sock`) },
          backend: { auth: 'iam', region: cloud.region },
        },
        env: cloud.environmentOf('agent'),
        haproxyConfig: (settings, at) => frontendConfig({ settings, binds: loopbackBinds(at) }),
        ...(sitePort === undefined ? {} : { port: sitePort }),
      });
    const [open, closed] = await Promise.all([site('open', port), site('closed', undefined)]);
    await Promise.all([warmUp(open, 'mirror'), warmUp(closed, 'mirror')]);
    return new DemoEnvironment(cloud, folder, page.open.replace('tcp:', 'http:'), open, closed);
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
    this.#folder.remove();
  }
}

/** Only for this machine: the site has no other users. */
function loopbackBinds(port: number): string[] {
  return [`127.0.0.1:${port}`, ...(hasIpv6() ? [`[::1]:${port}`] : [])];
}

export function hasIpv6(): boolean {
  return Object.values(networkInterfaces()).some((addresses) => addresses?.some(({ address }) => address === '::1'));
}
