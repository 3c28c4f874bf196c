import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Site } from '../guarded-site.ts';
import type { Visit } from '../visit.ts';
import { type DemoEnvironment, TTL_SECONDS } from './environment.ts';

const CLI = join(import.meta.dirname, '..', '..', 'cli', 'main.ts');
/** How long a change may take to reach a client: the cache lifetime and some time for the lookup. */
const CHANGE_LIMIT_MS = TTL_SECONDS * 1000 + 1500;

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
    title: 'One command blocks it',
    run: async (demo) => [
      await runCommand(demo, 'block', CLIENT, '--force', '--reason', 'demo', '--for', '1h'),
      describeVisit(await waitForStatus(demo.open, CLIENT, 403)),
    ],
  },
  {
    title: 'One command unblocks it',
    run: async (demo) => [
      await runCommand(demo, 'remove', CLIENT),
      describeVisit(await waitForStatus(demo.open, CLIENT, 200)),
    ],
  },
  {
    title: `A network is blocked, and one address in it is allowed`,
    run: async (demo) => [
      await runCommand(demo, 'block', NETWORK, '--force', '--reason', 'demo network'),
      await runCommand(demo, 'allow', ALLOWED),
      describeVisit(await waitForStatus(demo.open, NEIGHBOUR, 403), NEIGHBOUR),
      describeVisit(await waitForStatus(demo.open, ALLOWED, 200), ALLOWED),
    ],
  },
  {
    title: 'The same with IPv6',
    run: async (demo) => {
      if (!hasIpv6()) return ['skipped: this machine has no IPv6 loopback address'];
      return [
        await runCommand(demo, 'block', '::1', '--force'),
        describeVisit(await waitForStatus(demo.open, '::1', 403), '::1'),
        await runCommand(demo, 'remove', '::1'),
        describeVisit(await waitForStatus(demo.open, '::1', 200), '::1'),
      ];
    },
  },
  {
    title: 'The function fails: policy open lets unknown clients pass, policy closed answers 503',
    run: async (demo) => {
      await demo.stopFunction();
      return [
        describeVisit(expect(await demo.open.visit('127.0.1.1'), 200, 'policy'), 'open'),
        describeVisit(expect(await demo.closed.visit('127.0.1.1'), 503, 'policy'), 'closed'),
      ];
    },
  },
  {
    title: 'The function is back, and the network is blocked again',
    run: async (demo) => {
      await demo.startFunction();
      return [
        describeVisit(await waitForStatus(demo.open, NEIGHBOUR, 403), 'open'),
        describeVisit(await waitForStatus(demo.closed, NEIGHBOUR, 403), 'closed'),
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

function expect(visit: Visit, status: number, source?: string): Visit {
  const found = visit.headers['x-haverdict-source'];
  if (visit.status !== status) throw new Error(`expected status ${status}, got ${describeVisit(visit)}`);
  if (source !== undefined && found !== source)
    throw new Error(`expected source ${source}, got ${describeVisit(visit)}`);
  return visit;
}

/** Repeats the request until the status is as expected, which takes as long as the cache lifetime. */
async function waitForStatus(site: Site, from: string, status: number): Promise<Visit & { readonly afterMs: number }> {
  const startedMs = performance.now();
  for (;;) {
    const visit = await site.visit(from);
    const afterMs = performance.now() - startedMs;
    if (visit.status === status) return { ...visit, afterMs };
    if (afterMs > CHANGE_LIMIT_MS)
      throw new Error(`${from} still gets ${describeVisit(visit)} after ${seconds(afterMs)}, expected ${status}`);
    await pause(50);
  }
}

function describeVisit(visit: Visit & { readonly afterMs?: number }, who?: string): string {
  const { headers } = visit;
  const how = [
    `in ${visit.tookMs.toFixed(1)} ms`,
    headers['x-haverdict-process-ms'] && `agent ${headers['x-haverdict-process-ms']} ms`,
    headers['x-haverdict-source'] && `source ${headers['x-haverdict-source']}`,
    headers['x-haverdict-reason'] && `reason "${headers['x-haverdict-reason']}"`,
    headers['x-haverdict-error'] && `no answer from the agent (error ${headers['x-haverdict-error']})`,
    visit.afterMs !== undefined && visit.afterMs > 100 && `${seconds(visit.afterMs)} after the change`,
  ];
  return `${who === undefined ? '' : `${who}: `}${visit.status}  ${how.filter(Boolean).join(', ')}`;
}

/** Runs the command line against the table of the demo. */
async function runCommand({ table }: DemoEnvironment, ...args: string[]): Promise<string> {
  const env = { ...process.env, HAVERDICT_TABLE: table.tableName, AWS_ENDPOINT_URL_DYNAMODB: table.endpoint };
  const child = spawn(process.execPath, [CLI, ...args], { env, stdio: ['ignore', 'ignore', 'pipe'] });
  let complaint = '';
  child.stderr.on('data', (part) => {
    complaint += part;
  });
  const [code] = await once(child, 'exit');
  const line = `$ haverdict ${args.join(' ')}`;
  if (code !== 0) throw new Error(`${line} failed: ${complaint.trim()}`);
  return line;
}

function hasIpv6(): boolean {
  return Object.values(networkInterfaces()).some((addresses) => addresses?.some(({ address }) => address === '::1'));
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
