import assert from 'node:assert/strict';
import { it, type TestContext } from 'node:test';
import { type AgentProcess, startAgentProcess } from '../../dev/agent-process.ts';
import { freePort } from '../../dev/free-port.ts';
import { startHaproxy } from '../../dev/haproxy.ts';
import type { HaproxyBuild } from '../../dev/haproxy-builds.ts';
import { frontendConfig } from '../../dev/haproxy-config.ts';
import { spoeFile } from '../../haproxy/generate/spoe.ts';
import { keepsHungAgents } from '../../haproxy/versions.ts';
import { temporaryFolder } from '../support/config-file.ts';
import { describeOnEveryHaproxy } from '../support/every-haproxy.ts';
import { SCOPE } from '../support/scope.ts';
import { ScriptedFunction } from '../support/scripted-function.ts';
import { SteadyClients } from '../support/steady-clients.ts';
import { until } from '../support/until.ts';

const CLIENTS = 16;
/** So many answers before and after what happens to an agent. */
const ANSWERS = 1000;
/** Longer than a busy machine takes: what fails here fails because of a connection. */
const DEADLINE_MS = 1000;
/** What those who must not pass, or must not be denied, get otherwise: nothing where the agents end one by one. */
const AT_A_STOP = { closed: 2, open: 7 };
/** An agent that is killed takes with it what was asked of it: of each client at most the request under way, usually half. */
const AT_A_KILL = CLIENTS;
/**
 * HAProxy 3.x was seen to refuse up to 12 requests at a stop (error 256) and to lose 18 at a kill; without redispatch it is
 * hundreds. Only `test:all` holds the wiring to the bounds above, which 3.x does not always keep.
 */
const SEEN_ON_3X = 2 * CLIENTS;

type Policy = 'open' | 'closed';

/** What happens under load, and how many may notice. */
const EVENTS: Readonly<Record<string, { most(policy: Policy): number; happens(crew: Crew): Promise<void> }>> = {
  'one is restarted': {
    most: (policy) => AT_A_STOP[policy],
    async happens({ agents, start }) {
      await agents[0]?.kill('SIGTERM');
      await start(0);
    },
  },
  'one after the other is restarted': {
    most: (policy) => AT_A_STOP[policy],
    async happens({ agents, start, isAskedAgain }) {
      for (const index of agents.keys()) {
        await agents[index]?.kill('SIGTERM');
        await start(index);
        await isAskedAgain(index);
      }
    },
  },
  'one is stopped for good': {
    most: (policy) => AT_A_STOP[policy],
    happens: async ({ agents }) => void (await agents[1]?.kill('SIGTERM')),
  },
  'one is killed and comes back': {
    most: () => AT_A_KILL,
    async happens({ agents, start }) {
      await agents[0]?.kill('SIGKILL');
      await start(0);
    },
  },
};

describeOnEveryHaproxy('two agents under load', (build) => {
  for (const policy of ['open', 'closed'] as const)
    for (const [name, { most, happens }] of Object.entries(EVENTS))
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
        // up to 2.8 the check that finds an agent gone ends what is under way there
        const bound = keepsHungAgents(build.version) ? AT_A_KILL : SCOPE === 'all' ? most(policy) : SEEN_ON_3X;
        assert.ok(noticed <= bound, `${noticed} noticed: ${JSON.stringify(clients.answers)}`);
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
  /** Resolves once HAProxy has found this agent, by its health check. */
  isAskedAgain(index: number): Promise<void>;
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
  const upLines = (index: number) =>
    haproxy.lines.filter((line) => line.includes(`haverdict-agents/agent${index + 1} is UP`)).length;
  return {
    port,
    agents,
    start,
    isAskedAgain: (index) =>
      until(
        () => upLines(index) > 0,
        () => haproxy.lines.slice(-5).join('\n'),
      ),
  };
}
