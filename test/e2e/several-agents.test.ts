import assert from 'node:assert/strict';
import { it, type TestContext } from 'node:test';
import { type AgentProcess, startAgentProcess } from '../../dev/agent-process.ts';
import { freePort } from '../../dev/free-port.ts';
import { startHaproxy } from '../../dev/haproxy.ts';
import type { HaproxyBuild } from '../../dev/haproxy-builds.ts';
import { frontendConfig } from '../../dev/haproxy-config.ts';
import { visit } from '../../dev/visit.ts';
import { spoeFile } from '../../haproxy/generate/spoe.ts';
import { hasNativeSpop } from '../../haproxy/versions.ts';
import { adminUrl } from '../support/agent-before.ts';
import { temporaryFolder } from '../support/config-file.ts';
import { describeOnEveryHaproxy } from '../support/every-haproxy.ts';
import { hasNewer } from '../support/scope.ts';
import { startScriptedAgent } from '../support/scripted-agent.ts';
import { ScriptedFunction } from '../support/scripted-function.ts';
import { settingsWith } from '../support/settings.ts';
import { SteadyClients } from '../support/steady-clients.ts';
import { until } from '../support/until.ts';

const CLIENTS = 16;
/** So many answers before and after what happens to an agent. */
const ANSWERS = 1000;
/** Longer than a busy machine takes: what fails here fails because of a connection. */
const DEADLINE_MS = 1000;
/** From 3.1 HAProxy asks nobody who is DOWN, and the agent waits for that: none was seen, also on a busy machine. */
const AT_A_STOP = 2;
/**
 * Up to 3.0 it goes on asking, and what is on its way when a connection ends is lost (docs/decisions/0045-last-answers.md). Usually nothing
 * is; on a machine so busy that HAProxy stands still between two questions of one moment, each client may have one there.
 */
const AT_A_STOP_UP_TO_3_0 = CLIENTS;
/**
 * What it was asked at that moment, up to all clients (exact below), and who asks again before HAProxy has read the end of
 * every connection of the killed one: it takes one of these, as the agent with the fewest questions.
 */
const AT_A_KILL = 2 * CLIENTS;
/** HAProxy's own number of checks after which a server is UP. */
const RISE = 2;
/** What HAProxy says of its error : `timeout processing`, and 256 or more of a connection. */
const TIMED_OUT = 1;
const CONNECTION_LOST = 256;

type Policy = 'open' | 'closed';

/** What happens under load, whether it is a stop, and whether `npm test` has it: the others are parts of these. */
const EVENTS: Readonly<Record<string, { isStop: boolean; isUsual: boolean; happens(crew: Crew): Promise<void> }>> = {
  'one is restarted': {
    isStop: true,
    isUsual: false,
    async happens({ agents, start }) {
      await agents[0]?.kill('SIGTERM');
      await start(0);
    },
  },
  'one after the other is restarted': {
    isStop: true,
    isUsual: true,
    async happens({ agents, start, isFound }) {
      for (const index of agents.keys()) {
        await agents[index]?.kill('SIGTERM');
        await start(index);
        await isFound(index);
      }
    },
  },
  'one is stopped for good': {
    isStop: true,
    isUsual: false,
    happens: async ({ agents }) => void (await agents[1]?.kill('SIGTERM')),
  },
  'one is killed and comes back': {
    isStop: false,
    isUsual: true,
    async happens({ agents, start }) {
      await agents[0]?.kill('SIGKILL');
      await start(0);
    },
  },
};

describeOnEveryHaproxy('two agents under load', (build) => {
  for (const policy of hasNewer ? (['open', 'closed'] as const) : (['closed'] as const))
    for (const [name, { isStop, isUsual, happens }] of Object.entries(EVENTS)) {
      if (!hasNewer && !isUsual) continue;
      it(`${name}: hardly a visitor notices, policy ${policy}`, async (t) => {
        const crew = await startCrew(t, build, policy);
        // those whom the policy would answer otherwise: the listed ones under `open`, the others under `closed`
        const [group, status] = policy === 'open' ? [1, 403] : [2, 200];
        const clients = new SteadyClients(crew.port, CLIENTS, (turn) => ({
          'x-client': `10.1.${group}.${turn % 200}`,
        }));
        t.after(() => clients.end());
        await clients.untilAnswered(ANSWERS);
        const before = clients.others(status);
        await happens(crew);
        await clients.untilAnswered(clients.answered + ANSWERS);
        await clients.end();
        const noticed = clients.others(status) - before;
        const atAStop = hasNativeSpop(build.version) ? AT_A_STOP : AT_A_STOP_UP_TO_3_0;
        assert.ok(noticed <= (isStop ? atAStop : AT_A_KILL), `${noticed} noticed: ${JSON.stringify(clients.answers)}`);
      });
    }

  it('one is killed: all that it was asked is lost, and nothing else', async (t) => {
    let asked = 0;
    const killed = await startScriptedAgent(t, () => {
      asked++;
      return undefined;
    });
    let others = 0;
    const other = await startScriptedAgent(t, () => {
      others++;
      return undefined;
    });
    const servers = [killed, other].map(({ port }) => ({ type: 'tcp', host: '127.0.0.1', port }) as const);
    const { version, binary } = build;
    const settings = settingsWith({ deadlineMs: DEADLINE_MS, haproxy: { version, servers } });
    const port = await freePort();
    const config = frontendConfig({ settings, binds: [`127.0.0.1:${port}`] });
    const haproxy = await startHaproxy({ binary, config, spoe: spoeFile(settings) });
    t.after(() => haproxy.stop());
    const visits = Array.from({ length: CLIENTS }, (_, index) => visit({ port, from: `127.0.1.${index + 1}` }));
    await until(
      () => asked + others === CLIENTS,
      () => `${asked} and ${others}`,
    );
    killed.stop();
    const errors = (await Promise.all(visits)).map(({ headers }) => Number(headers['x-haverdict-error']));
    assert.equal(errors.filter((error) => error >= CONNECTION_LOST).length, asked);
    assert.equal(errors.filter((error) => error === TIMED_OUT).length, others);
    // from 3.1 every question counts for leastconn, before every connection does
    if (hasNativeSpop(version)) assert.equal(asked, CLIENTS / 2);
  });

  it('one of them was never started: nobody notices', async (t) => {
    const crew = await startCrew(t, build, 'closed', 1);
    const clients = new SteadyClients(crew.port, CLIENTS, (turn) => ({ 'x-client': `10.1.2.${turn % 200}` }));
    await clients.untilAnswered(ANSWERS);
    await clients.end();
    assert.equal(clients.others(200), 0, JSON.stringify(clients.answers));
  });
});

interface Crew {
  readonly port: number;
  readonly agents: AgentProcess[];
  start(index: number): Promise<void>;
  /** Resolves once HAProxy has found this agent as it is now; one that comes back at once may never have been DOWN. */
  isFound(index: number): Promise<void>;
}

/** Two agents with the same configuration but for where they listen, and HAProxy with the wiring of it. */
async function startCrew(t: TestContext, build: HaproxyBuild, policy: Policy, running = 2): Promise<Crew> {
  const listed = new ScriptedFunction();
  await listed.open();
  const servers = [`tcp://127.0.0.1:${await freePort()}`, `tcp://127.0.0.1:${await freePort()}`];
  const folders = servers.map(() => temporaryFolder(t));
  const agents: AgentProcess[] = [];
  const start = async (index: number) => {
    agents[index] = await startAgentProcess(
      {
        listen: [servers[index]],
        admin: { listen: 'tcp://127.0.0.1:0' },
        backend: { url: listed.url },
        deadlineMs: DEADLINE_MS,
        policy,
        messages: { 'check-request': { subjects: { ip: 'req.hdr_ip(x-client)' } } },
        haproxy: { version: build.version, servers },
      },
      folders[index] ?? '',
    );
  };
  for (const index of servers.slice(0, running).keys()) await start(index);
  const { settings } = agents[0] ?? assert.fail();
  const port = await freePort();
  const haproxy = await startHaproxy({
    binary: build.binary,
    config: frontendConfig({ settings, binds: [`127.0.0.1:${port}`] }),
    spoe: spoeFile(settings),
  });
  t.after(async () => {
    await haproxy.stop();
    for (const agent of agents) await agent.kill('SIGKILL');
    await listed.close();
  });
  const changes = (index: number, to: 'UP' | 'DOWN') =>
    haproxy.lines.filter((line) => line.includes(`haverdict-agents/agent${index + 1} is ${to}`)).length;
  return {
    port,
    agents,
    start,
    isFound: (index) =>
      until(
        async () => changes(index, 'DOWN') <= changes(index, 'UP') && (await checksOf(agents[index])) >= RISE,
        () => haproxy.lines.slice(-5).join('\n'),
      ),
  };
}

/** The health checks that an agent has answered. */
async function checksOf(agent: AgentProcess | undefined): Promise<number> {
  const metrics = await (await fetch(`${await adminUrl(agent ?? assert.fail())}/metrics`)).text();
  return Number(/^haverdict_spop_health_checks_total (\d+)/m.exec(metrics)?.[1] ?? assert.fail(metrics));
}
