import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Site } from '../guarded-site.ts';
import type { Visit } from '../visit.ts';
import { CACHE, type DemoEnvironment } from './environment.ts';

const CLI = join(import.meta.dirname, '..', '..', 'cli', 'main.ts');
/** How long a change may take to reach a client, whatever is cached. */
const CHANGE_LIMIT_MS = 2000;
/** How long an agent may take to reach its backend again. */
const RECOVERY_LIMIT_MS = 3500;

/** A step of the demo; throws if the result is unexpected. */
interface Step {
  readonly title: string;
  run(demo: DemoEnvironment): Promise<readonly string[]>;
}

const CLIENT = '127.0.0.7';
const NETWORK = '127.0.9.0/24';
const NEIGHBOUR = '127.0.9.5';
const ALLOWED = '127.0.9.9';

export const STEPS: readonly Step[] = [
  {
    title: `A client with address ${CLIENT}, which is not listed, passes; the second time from the cache`,
    run: async ({ open }) => [
      describeVisit(expect(await open.visit(CLIENT), 200, 'backend')),
      describeVisit(expect(await open.visit(CLIENT), 200, 'cache')),
    ],
  },
  {
    title: `One command blocks it: in about a second, although the agent has it cached for ${CACHE.allowTtlSeconds} s`,
    run: (demo) => changeAndSee(demo, ['block', CLIENT, '--force', '--reason', 'demo', '--for', '1h'], CLIENT, 403),
  },
  {
    title: `One command unblocks it: the same, although a deny is cached for ${CACHE.denyTtlSeconds} s`,
    run: (demo) => changeAndSee(demo, ['remove', CLIENT], CLIENT, 200),
  },
  {
    title: `A network is blocked, and one address in it is allowed`,
    run: async (demo) => [
      ...(await changeAndSee(demo, ['block', NETWORK, '--force', '--reason', 'demo network'], NEIGHBOUR, 403)),
      ...(await changeAndSee(demo, ['allow', ALLOWED], ALLOWED, 200)),
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
    title:
      'The function fails: policy open lets unknown clients pass, policy closed answers 503; a known deny stays one',
    run: async (demo) => {
      await demo.stopFunction();
      return [
        describeVisit(expect(await demo.open.visit('127.0.1.1'), 200, 'policy'), 'open'),
        describeVisit(expect(await demo.closed.visit('127.0.1.1'), 503, 'policy'), 'closed'),
        describeVisit(expect(await demo.open.visit(NEIGHBOUR), 403), 'known to be denied'),
      ];
    },
  },
  {
    title: 'The function is back: unknown clients are looked up again',
    run: async (demo) => {
      await demo.startFunction();
      return [
        describeVisit(await waitForStatus(demo.closed, '127.0.1.1', 200), 'closed'),
        describeVisit(await waitForStatus(demo.closed, NEIGHBOUR, 403), 'closed, in the network'),
      ];
    },
  },
  {
    title: 'The agent is killed: HAProxy applies the policy by itself',
    run: async ({ open, closed }) => {
      await Promise.all([open.agent.kill('SIGKILL'), closed.agent.kill('SIGKILL')]);
      return [
        describeVisit(expect(await open.visit(CLIENT), 200), 'open'),
        describeVisit(expect(await closed.visit(CLIENT), 503), 'closed'),
      ];
    },
  },
  {
    title: 'The agent is back',
    run: async ({ open, closed }) => {
      await Promise.all([open.startAgent(), closed.startAgent()]);
      return [
        describeVisit(await waitForStatus(open, NEIGHBOUR, 403), 'open'),
        describeVisit(await waitForStatus(closed, CLIENT, 200), 'closed'),
      ];
    },
  },
];

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
  return [line, `${describeVisit(visit, from)}, ${delay} s after the table had it`];
}

function expect(visit: Visit, status: number, source?: string): Visit {
  const found = visit.headers['x-haverdict-source'];
  if (visit.status !== status) throw new Error(`expected status ${status}, got ${describeVisit(visit)}`);
  if (source !== undefined && found !== source)
    throw new Error(`expected source ${source}, got ${describeVisit(visit)}`);
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
    if (performance.now() > untilMs) throw new Error(`${from} still gets ${describeVisit(visit)}, expected ${status}`);
    await pause(20);
  }
}

function describeVisit(visit: Visit, who?: string): string {
  const { headers } = visit;
  const how = [
    `in ${visit.tookMs.toFixed(1)} ms`,
    headers['x-haverdict-process-ms'] && `agent ${headers['x-haverdict-process-ms']} ms`,
    headers['x-haverdict-source'] && `source ${headers['x-haverdict-source']}`,
    headers['x-haverdict-reason'] && `reason "${headers['x-haverdict-reason']}"`,
    headers['x-haverdict-error'] && `no answer from the agent (error ${headers['x-haverdict-error']})`,
  ];
  return `${who === undefined ? '' : `${who}: `}${visit.status}  ${how.filter(Boolean).join(', ')}`;
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
  const line = `$ haverdict ${args.join(' ')}`;
  if (code !== 0) throw new Error(`${line} failed: ${complaint.trim()}`);
  return { line, answeredMs };
}

function hasIpv6(): boolean {
  return Object.values(networkInterfaces()).some((addresses) => addresses?.some(({ address }) => address === '::1'));
}
