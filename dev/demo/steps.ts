import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { type Site, warmUp } from '../guarded-site.ts';
import { quoted } from '../quoted.ts';
import type { Visit } from '../visit.ts';
import { type DemoEnvironment, hasIpv6 } from './environment.ts';

const CLI = join(import.meta.dirname, '..', '..', 'cli', 'main.ts');
/** How long a change may take to reach a client, whatever is cached. */
const CHANGE_LIMIT_MS = 2000;
/** How long an agent may take to reach its backend again: it asks for updates every five seconds at least. */
const RECOVERY_LIMIT_MS = 8000;

/** A step of the demo; throws if the result is unexpected. */
interface Step {
  readonly title: string;
  run(demo: DemoEnvironment): Promise<readonly string[]>;
}

/** Requests of which the time is measured. */
const MANY = 500;
const CLIENT = '127.0.0.7';
const NETWORK = '127.0.9.0/24';
const ALLOWED = '127.0.9.9';
const LATER = '127.0.0.8';
/** Addresses of the network, each for its first request. */
const NEVER_SEEN = { open: '127.0.9.11', closed: '127.0.9.12', outage: '127.0.9.13', restart: '127.0.9.14' } as const;

export const STEPS: readonly Step[] = [
  {
    title: `A client with address ${CLIENT}, which is not listed, passes: the agent has the whole list in memory, its mirror`,
    run: async ({ open }) => [describeVisit(CLIENT, expect(await open.visit(CLIENT), 200, 'mirror'))],
  },
  {
    title: 'A cached answer costs a request next to nothing',
    run: async ({ open }) => [await describeMany(open, CLIENT)],
  },
  {
    title: 'One command blocks it, on every host in about a second',
    run: (demo) => changeAndSee(demo, ['block', CLIENT, '--force', '--reason', 'demo', '--for', '1h'], CLIENT, 403),
  },
  {
    title: 'One command unblocks it',
    run: (demo) => changeAndSee(demo, ['remove', CLIENT], CLIENT, 200),
  },
  {
    title: 'A network is blocked, and one address in it is allowed',
    run: async (demo) => [
      ...(await changeAndSee(demo, ['block', NETWORK, '--force', '--reason', 'demo network'], '127.0.9.10', 403)),
      ...(await changeAndSee(demo, ['allow', ALLOWED], ALLOWED, 200)),
      describeVisit('127.0.9.10, on another host', await waitForStatus(demo.closed, '127.0.9.10', 403)),
    ],
  },
  {
    title: 'The very first request of a listed client is denied, and nobody is asked about it',
    run: async ({ open, closed }) => [
      describeVisit(NEVER_SEEN.open, expect(await open.visit(NEVER_SEEN.open), 403, 'mirror')),
      describeVisit(NEVER_SEEN.closed, expect(await closed.visit(NEVER_SEEN.closed), 403, 'mirror')),
    ],
  },
  {
    title: 'The same with IPv6',
    run: async (demo) => {
      if (!hasIpv6()) return ['skipped: this machine has no IPv6 loopback address'];
      return [
        ...(await changeAndSee(demo, ['block', '::1', '--force'], '::1', 403)),
        ...(await changeAndSee(demo, ['remove', '::1'], '::1', 200)),
      ];
    },
  },
  {
    title: 'The function fails: strangers pass and listed clients do not, whatever the policy, from full knowledge',
    run: async (demo) => {
      await demo.stopFunction();
      return [
        describeVisit('127.0.1.1, a stranger, policy open', expect(await demo.open.visit('127.0.1.1'), 200)),
        describeVisit('127.0.1.2, a stranger, policy closed', expect(await demo.closed.visit('127.0.1.2'), 200)),
        describeVisit(
          `${NEVER_SEEN.outage}, listed, its first request`,
          expect(await demo.open.visit(NEVER_SEEN.outage), 403),
        ),
      ];
    },
  },
  {
    title: 'The function is back: so is what was blocked meanwhile',
    run: async (demo) => {
      const { line } = await runCommand(demo, ['block', LATER, '--force', '--reason', 'blocked meanwhile']);
      const before = describeVisit(`${LATER}, not yet known`, expect(await demo.open.visit(LATER), 200));
      await demo.startFunction();
      return [line, before, describeVisit(LATER, await waitForStatus(demo.open, LATER, 403))];
    },
  },
  {
    title: 'The agent is killed: HAProxy applies the policy by itself, open lets pass, closed answers 503',
    run: async ({ open, closed }) => {
      await Promise.all([open.agent.kill('SIGKILL'), closed.agent.kill('SIGKILL')]);
      return [
        describeVisit(`${CLIENT}, policy open`, expect(await open.visit(CLIENT), 200)),
        describeVisit(`${CLIENT}, policy closed`, expect(await closed.visit(CLIENT), 503)),
      ];
    },
  },
  {
    title: 'The agent is back: it loads the mirror, and knows whom it has never seen',
    run: async ({ open, closed }) => {
      await Promise.all([open.startAgent(), closed.startAgent()]);
      await Promise.all([warmUp(open, 'mirror'), warmUp(closed, 'mirror')]);
      return [
        describeVisit(NEVER_SEEN.restart, expect(await open.visit(NEVER_SEEN.restart), 403, 'mirror')),
        describeVisit(CLIENT, expect(await closed.visit(CLIENT), 200, 'mirror')),
      ];
    },
  },
];

/** The time of many requests by one client: that of one says more about this machine than about the agent. */
async function describeMany(site: Site, from: string): Promise<string> {
  const totals: number[] = [];
  const inAgent: number[] = [];
  for (let sent = 0; sent < MANY; sent++) {
    const { headers, tookMs } = expect(await site.visit(from), 200, 'mirror');
    totals.push(tookMs);
    inAgent.push(Number(headers['x-haverdict-process-ms']));
  }
  const of = (times: number[], share: number) => times.sort((a, b) => a - b)[Math.floor(times.length * share)] ?? 0;
  return `${from}: ${MANY} requests, p50 ${of(totals, 0.5).toFixed(1)} ms, p99 ${of(totals, 0.99).toFixed(1)} ms; of that HAProxy waited for the agent p50 ${of(inAgent, 0.5)} ms, p99 ${of(inAgent, 0.99)} ms (in whole ms)`;
}

/** Runs a command, and sends requests until the client gets this status; says how long after the table's answer that was. */
async function changeAndSee(
  demo: DemoEnvironment,
  args: readonly string[],
  from: string,
  status: number,
): Promise<readonly string[]> {
  const { line, answeredMs } = await runCommand(demo, args);
  const visit = await waitForStatus(demo.open, from, status, answeredMs + CHANGE_LIMIT_MS);
  const delay = ((performance.now() - answeredMs) / 1000).toFixed(2);
  return [line, `${describeVisit(from, visit)}, ${delay} s after the table had it`];
}

function expect(visit: Visit, status: number, source?: string): Visit {
  const found = visit.headers['x-haverdict-source'];
  if (visit.status !== status) throw new Error(`expected status ${status}, got ${describeVisit('it', visit)}`);
  if (source !== undefined && found !== source)
    throw new Error(`expected source ${source}, got ${describeVisit('it', visit)}`);
  return visit;
}

/** Repeats the request until the status is as expected. */
async function waitForStatus(
  site: Site,
  from: string,
  status: number,
  untilMs = performance.now() + RECOVERY_LIMIT_MS,
): Promise<Visit> {
  for (;;) {
    const visit = await site.visit(from);
    if (visit.status === status) return visit;
    if (performance.now() > untilMs) throw new Error(`${describeVisit(from, visit)}, still; expected ${status}`);
    await pause(20);
  }
}

function describeVisit(who: string, visit: Visit): string {
  const { headers } = visit;
  const how = [
    `in ${visit.tookMs.toFixed(1)} ms`,
    headers['x-haverdict-process-ms'] && `agent ${headers['x-haverdict-process-ms']} ms`,
    headers['x-haverdict-source'] && `source ${headers['x-haverdict-source']}`,
    headers['x-haverdict-reason'] && `reason "${headers['x-haverdict-reason']}"`,
    headers['x-haverdict-error'] && `no answer from the agent (error ${headers['x-haverdict-error']})`,
  ];
  return `${who}: ${visit.status}  ${how.filter(Boolean).join(', ')}`;
}

/** A command that was run, and when it had the table's answer: then it prints what it did. */
interface Ran {
  readonly line: string;
  readonly answeredMs: number;
}

/** Runs the command line against the table of the demo. */
async function runCommand({ table }: DemoEnvironment, args: readonly string[]): Promise<Ran> {
  const env = { ...process.env, HAVERDICT_TABLE: table.tableName, AWS_ENDPOINT_URL_DYNAMODB: table.endpoint };
  const child = spawn(process.execPath, [CLI, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let answeredMs = Number.POSITIVE_INFINITY;
  child.stdout.on('data', () => {
    answeredMs = Math.min(answeredMs, performance.now());
  });
  let complaint = '';
  child.stderr.on('data', (part) => {
    complaint += part;
  });
  const [code] = await once(child, 'close');
  const line = `$ haverdict ${args.map(quoted).join(' ')}`;
  if (code !== 0) throw new Error(`${line} failed: ${complaint.trim()}`);
  return { line, answeredMs };
}
