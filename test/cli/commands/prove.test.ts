import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { freePort } from '../../../dev/free-port.ts';
import { startSite } from '../../../dev/guarded-site.ts';
import { SPOE_FILE } from '../../../dev/haproxy.ts';
import { systemBuild } from '../../../dev/haproxy-builds.ts';
import { frontendConfig } from '../../../dev/haproxy-config.ts';
import { frontendRules } from '../../../haproxy/generate/frontend.ts';
import { configFile, temporaryFolder } from '../../support/config-file.ts';
import { runOnTable } from '../../support/haverdict-on-table.ts';
import { localTable, storeAt } from '../../support/local-table.ts';
import { hasNewer } from '../../support/scope.ts';
import { startStoreFunction } from '../../support/table-function.ts';

type Config = Readonly<Record<string, unknown>>;

interface Place {
  /** Settings of the running agent. */
  readonly config?: Config;
  /** Settings in the file that the command reads, in place of the agent's. */
  readonly read?: Config;
  /** Items that are in the table. */
  readonly items?: readonly { readonly subject: string; readonly list: string; readonly action: 'allow' | 'deny' }[];
  /** Whether the function reads a table of its own. */
  readonly hasOtherTable?: boolean;
  readonly args?: readonly string[];
  /** Lines of HAProxy's file that are changed. */
  readonly wiring?: (config: string) => string;
  /** What happens before the command. */
  readonly before?: (site: Awaited<ReturnType<typeof startSite>>, stop: () => Promise<void>) => Promise<void>;
}

const LIST = 'manual';
const QUICK = { policy: 'open', cache: { allowTtlSeconds: 1, denyTtlSeconds: 1 } };
const FROM = '127.61.7.8';

/** What is broken, and how the command names it. */
const BROKEN: Readonly<Record<string, readonly [Place, RegExp]>> = {
  'the address is not of this host': [
    { args: ['--from', '203.0.113.1'] },
    /no connection from 203.0.113.1 to .* \(E[A-Z]+\): choose an address of this host with --from$/,
  ],
  'the client is listed already': [
    { items: [{ subject: 'ip:127.61.0.0/16', list: LIST, action: 'deny' }] },
    /refused already, with 403: an entry covers it/,
  ],
  'an allow covers the client': [
    { items: [{ subject: 'ip:127.61.0.0/16', list: LIST, action: 'allow' }] },
    /still gets 200: the agent has allow by ip:127.61.0.0\/16 of list manual, which comes first$/,
  ],
  'the list is not asked': [
    { args: ['--list', 'feed'] },
    /^haverdict: list feed is not asked: the agents look in manual/,
  ],
  'the list is in shadow mode': [{ read: { shadowLists: [LIST] } }, /^haverdict: list manual is in shadow mode/],
  'the list may not deny': [
    { read: { lists: [{ name: LIST, actions: ['tag'] }] } },
    /^haverdict: deny does not count: list manual is restricted to tag$/,
  ],
  'no message looks up addresses': [
    { read: { messages: { other: { subjects: { host: 'req.hdr(host)' } } } } },
    /^haverdict: no message looks up addresses/,
  ],
  'every message is in shadow mode': [
    { read: { messages: { 'check-request': { subjects: { ip: 'src' }, shadow: true } } } },
    /^haverdict: every message is in shadow mode/,
  ],
  'the frontend has no rules of ours': [
    { wiring: (config) => config.replace(frontendPart(config), '') },
    /still gets 200: the agent was not asked about this address/,
  ],
  'HAProxy sees another client': [
    { wiring: (config) => config.replace(/(frontend web\n)/, '$1    tcp-request connection set-src str(192.0.2.9)\n') },
    /still gets 200: the agent was not asked about this address/,
  ],
  'the rules that obey are missing': [
    { wiring: (config) => config.replace(/^ *http-request deny deny_status 403 .*$/gm, '') },
    /still gets 200: the agent denies it, and HAProxy does not obey/,
  ],
  'the function reads another table': [
    { hasOtherTable: true },
    /still gets 200: the agent found no entry: its function reads another table/,
  ],
  'the agent is down under open': [
    { before: async (site) => void (await site.agent.kill('SIGKILL')) },
    /still gets 200: .*admin\.sock.*: is the agent down, and the policy open\?$/,
  ],
  'the agent is down under closed': [
    { config: { policy: 'closed' }, before: async (site) => void (await site.agent.kill('SIGKILL')) },
    /gets 503 before anything is listed: the agent cannot be asked/,
  ],
  'the function is down': [
    { before: (_site, stop) => stop() },
    /still gets 200: (the agent does not reach the backend|the lookup of the agent failed)/,
  ],
  'a deny is kept for longer': [
    { config: { cache: { allowTtlSeconds: 1, denyTtlSeconds: 60 } } },
    /still refused 3 s after its entry was removed: the agent keeps a deny for cache.denyTtlSeconds/,
  ],
};

/** Those of `npm test`; each of the others starts a site of its own too. */
const USUAL = ['the list is not asked', 'the frontend has no rules of ours', 'the agent is down under open'];

describe('haverdict prove', { concurrency: 3 }, () => {
  it('measures when a frontend refuses an address, and when it lets it pass again, and leaves nothing', async (t) => {
    const { prove, endpoint } = await startPlace(t, {});
    const { status, stdout, stderr } = await prove('--from', FROM);
    assert.deepEqual([status, stderr], [0, '']);
    const [, refused = '', passed = ''] =
      /^ip:127\.61\.7\.8 got 200\nblocked in list manual: 403 after (\d\.\d\d) s\nremoved: 200 after (\d\.\d\d) s\n$/.exec(
        stdout,
      ) ?? [];
    assert.ok(Number(refused) > 0 && Number(passed) > 0, stdout);
    assert.deepEqual((await storeAt(endpoint).lookup([{ subject: `ip:${FROM}`, list: LIST }])).items, []);
    const { stdout: history } = await runOnTable(endpoint, 'history', '--list', LIST, '--json');
    assert.deepEqual(history.match(/"change": ?"\w+"/g)?.length, 2);
    const { usualStatus, subject } = JSON.parse((await prove('--json')).stdout);
    assert.equal(usualStatus, 200);
    assert.match(subject, /^ip:127\./);
  });

  for (const [what, [place, told]] of Object.entries(BROKEN)) {
    if (!hasNewer && !USUAL.includes(what)) continue;
    it(`names it when ${what}, and leaves nothing`, async (t) => {
      const { prove, endpoint } = await startPlace(t, place);
      const { status, stdout, stderr } = await prove('--limit', '3s', '--from', FROM, ...(place.args ?? []));
      assert.deepEqual([status, stdout], [1, '']);
      assert.match(stderr.replace(/\n$/, '').split('\n').at(-1) ?? '', told);
      assert.deepEqual((await storeAt(endpoint).lookup([{ subject: `ip:${FROM}`, list: LIST }])).items, []);
    });
  }

  it('names it when nothing listens, the table is away, or what is typed cannot be', async (t) => {
    const { endpoint } = await localTable(t);
    const nobody = `http://127.0.0.1:${await freePort()}/`;
    const run = async (...args: string[]) => {
      const { status, stderr } = await runOnTable(endpoint, 'prove', ...args);
      return `${status} ${stderr}`;
    };
    assert.match(await run(nobody), /^1 haverdict: no answer from 127.0.0.1:\d+: .*ECONNREFUSED/);
    assert.match(await run(nobody, '--endpoint-url', nobody), /^1 haverdict: .*127\.0\.0\.1/);
    assert.match(
      await run('shop.example'),
      /^2 haverdict: "shop.example" is not the URL of a frontend: use one like http/,
    );
    assert.match(await run(nobody, '--from', 'me'), /^2 haverdict: --from "me" is not an address/);
    assert.match(
      await run(nobody, '--from', '2001:db8::7', '-c', configFile(t, 'ipv6Prefix: 64\n')),
      /^2 haverdict: the agents look up ip:2001:db8::\/64 for 2001:db8::7/,
    );
    await runOnTable(endpoint, 'block', '127.9.9.9', '--force');
    assert.match(await run(nobody, '--from', '127.9.9.9'), /^2 haverdict: ip:127.9.9.9 is in list manual already/);
  });
});

/** A real HAProxy, agent and function over a table; and the command with the agent's file. */
async function startPlace(
  t: TestContext,
  { config = {}, read = {}, items = [], hasOtherTable, wiring, before }: Place,
) {
  const { endpoint } = await localTable(t);
  const own = hasOtherTable ? (await localTable(t)).endpoint : endpoint;
  for (const item of items) await storeAt(endpoint).put(item);
  const lambda = await startStoreFunction(storeAt(own));
  const folder = temporaryFolder(t);
  const settings = { ...QUICK, deadlineMs: 1000, admin: { socket: join(folder, 'admin.sock') }, ...config };
  const site = await startSite({
    backendUrl: lambda.url,
    config: settings,
    haproxy: systemBuild(),
    haproxyConfig: (all, port) => {
      const text = frontendConfig({ settings: all, binds: [`127.0.0.1:${port}`] });
      return (
        wiring?.(text.replace(frontendRules(all, SPOE_FILE), `# ours\n${frontendRules(all, SPOE_FILE)}# end\n`)) ?? text
      );
    },
  });
  let isOpen = true;
  const stop = async () => {
    if (isOpen) await lambda.close();
    isOpen = false;
  };
  t.after(async () => {
    await site.stop();
    await stop();
  });
  await before?.(site, stop);
  const file = join(folder, 'read.yaml');
  writeFileSync(file, JSON.stringify({ ...settings, backend: { url: lambda.url }, ...read }));
  const prove = (...args: string[]) =>
    runOnTable(endpoint, 'prove', `http://127.0.0.1:${site.port}/`, '-c', file, ...args);
  return { endpoint, prove };
}

function frontendPart(config: string): string {
  return /# ours\n[\s\S]*# end\n/.exec(config)?.[0] ?? '';
}
