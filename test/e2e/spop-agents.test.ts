import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, before, it } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { freePort } from '../../dev/free-port.ts';
import { type Haproxy, SPOE_FILE, startHaproxy } from '../../dev/haproxy.ts';
import { visit } from '../../dev/visit.ts';
import { temporaryFolder } from '../support/config-file.ts';
import { describeOnEveryHaproxy } from '../support/every-haproxy.ts';

const ROOT = join(import.meta.dirname, '../..');
const AGENTS = ['header', 'rate', 'geo'] as const;
type AgentName = (typeof AGENTS)[number];

/** The rules of each agent, as the guide prints them. */
const RULES = [
  ...readFileSync(join(ROOT, 'docs/guides/spop-agents.md'), 'utf8').matchAll(/```haproxy\n([\s\S]*?)```/g),
].map(([, rules = '']) => rules);

/** The answers of the geo service; it never answers about the last address. */
const COUNTRIES: Readonly<Record<string, string>> = { '127.0.0.1': 'DE', '127.0.0.2': 'not a country' };
const SLOW = '127.0.0.3';

describeOnEveryHaproxy('the agents of the guide', ({ binary }) => {
  const folder = temporaryFolder({ after });
  const ports = {} as Record<AgentName, number>;
  const children: ChildProcess[] = [];
  const hanging: ServerResponse[] = [];
  const service = createServer(({ url = '' }, response) => {
    const address = url.split('/').at(-1) ?? '';
    if (address === SLOW) hanging.push(response);
    else response.end(COUNTRIES[address]);
  });
  let haproxy: Haproxy;

  before(async () => {
    await once(service.listen(0, '127.0.0.1'), 'listening');
    const { port } = service.address() as AddressInfo; // it listens
    const env = { ...process.env, GEO_SERVICE: `http://127.0.0.1:${port}/country/` };
    const frontends: string[] = [];
    for (const [nth, name] of AGENTS.entries()) {
      ports[name] = await freePort();
      const agent = program(name, { ...env, AGENT_SOCKET: join(folder, `${name}.sock`) });
      execFileSync(process.execPath, [...agent.args, folder], { env: agent.env });
      children.push(spawn(process.execPath, agent.args, { env: agent.env, stdio: ['ignore', 'inherit', 'pipe'] }));
      frontends.push(frontend(name, ports[name], RULES[nth] ?? ''));
    }
    await Promise.all(AGENTS.map((name) => untilThere(join(folder, `${name}.sock`))));
    const backends = AGENTS.map((name) => part(name, 'backend'));
    // The agents answer within their deadlines; HAProxy waits longer, as this machine may be slow.
    const spoe = AGENTS.map((name) => part(name, 'spoe').replace(/(timeout processing) .*/, '$1 5s')).join('\n');
    haproxy = await startHaproxy({ binary, config: [DEFAULTS, ...frontends, ...backends].join('\n'), spoe });
  });

  after(async () => {
    await haproxy?.stop();
    for (const response of hanging) response.destroy();
    service.close();
    for (const child of children) {
      child.kill('SIGTERM');
      if (child.exitCode === null) await once(child, 'exit');
      assert.equal(child.exitCode, 0, 'an agent ends by itself at SIGTERM');
    }
  });

  const part = (name: AgentName, of: string) => readFileSync(join(folder, `${name}.${of}.cfg`), 'utf8');

  function frontend(name: AgentName, port: number, rules: string): string {
    const lines = part(name, 'frontend').replace(`/etc/haproxy/${name}.spoe.cfg`, SPOE_FILE);
    return `frontend ${name}\n    bind 127.0.0.1:${port}\n${lines}${rules}${ANSWER}`;
  }

  it('tell the servers what kind of client asks', async () => {
    const kindOf = async (headers: Record<string, string>) =>
      (await visit({ port: ports.header, from: '127.0.0.1', headers })).headers['x-client-kind'];
    assert.equal(await kindOf({ 'User-Agent': 'ExampleBot/1.0' }), 'bot');
    assert.equal(await kindOf({ 'User-Agent': 'Mozilla/5.0' }), 'browser');
    assert.equal(await kindOf({}), 'unnamed');
  });

  it('limit the requests of one address, and not those of another', async () => {
    const statuses = [];
    for (let nth = 0; nth < 22; nth++) statuses.push((await visit({ port: ports.rate, from: '127.0.0.5' })).status);
    assert.equal(statuses[0], 200);
    assert.ok(statuses.includes(429), statuses.join());
    assert.equal((await visit({ port: ports.rate, from: '127.0.0.6' })).status, 200);
  });

  it('look up a country; a service that fails or hangs is no reason to wait', async () => {
    const countryOf = async (from: string) => {
      const { headers, status, tookMs } = await visit({ port: ports.geo, from });
      return { country: headers['x-country'], status, isQuick: tookMs < 2000 };
    };
    // The first call loads what `fetch` needs, for which the deadline may be too short.
    let first = await countryOf('127.0.0.1');
    for (let again = 0; first.country === 'ZZ' && again < 10; again++) first = await countryOf('127.0.0.1');
    assert.deepEqual(first, { country: 'DE', status: 200, isQuick: true });
    assert.deepEqual(await countryOf('127.0.0.2'), { country: 'ZZ', status: 200, isQuick: true });
    assert.deepEqual(await countryOf(SLOW), { country: 'ZZ', status: 200, isQuick: true });
  });
});

const DEFAULTS = `global
    log stdout format raw daemon
defaults
    log global
    mode http
    timeout connect 2s
    timeout client 10s
    timeout server 10s
`;
const ANSWER = `    http-after-response set-header X-Client-Kind %[var(txn.header.kind)] if { var(txn.header.kind) -m found }
    http-after-response set-header X-Country %[var(txn.geo.country)] if { var(txn.geo.country) -m found }
    http-request return status 200 content-type text/plain string "passed"

`;

function program(name: string, env: NodeJS.ProcessEnv): { readonly args: string[]; readonly env: NodeJS.ProcessEnv } {
  const hook = join(ROOT, 'test/support/packages-from-sources.ts');
  return { args: ['--import', hook, join(ROOT, `docs/guides/spop-agents/${name}.ts`)], env };
}

async function untilThere(path: string): Promise<void> {
  while (!existsSync(path)) await pause(10); // the examples print nothing
}
