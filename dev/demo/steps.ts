import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Site } from '../site.ts';
import type { Visit } from '../visit.ts';
import { type DemoEnvironment, TTL_SECONDS } from './environment.ts';

const CLI = join(import.meta.dirname, '..', '..', 'cli', 'main.ts');
/** How long a change may take to reach a visitor: the lifetime of what is cached, and a moment. */
const CHANGE_LIMIT_MS = TTL_SECONDS * 1000 + 1500;

/** One thing the demo does before your eyes; it throws when the world is not as it should be. */
interface Step {
  readonly title: string;
  run(demo: DemoEnvironment): Promise<readonly string[]>;
}

const VISITOR = '127.0.0.7';
const NETWORK = '127.0.9.0/24';
const NEIGHBOUR = '127.0.9.5';
const EXEMPT = '127.0.9.9';

export const STEPS: readonly Step[] = [
  {
    title: `A visitor from ${VISITOR}: nobody has listed it, so it passes; the second time from the cache`,
    run: async ({ open }) => [
      outcome(expect(await open.visit(VISITOR), 200, 'backend')),
      outcome(expect(await open.visit(VISITOR), 200, 'cache')),
    ],
  },
  {
    title: 'One command blocks it',
    run: async (demo) => [
      await command(demo, 'block', VISITOR, '--force', '--reason', 'demo', '--for', '1h'),
      outcome(await becomes(demo.open, VISITOR, 403)),
    ],
  },
  {
    title: 'One command lets it in again',
    run: async (demo) => [await command(demo, 'remove', VISITOR), outcome(await becomes(demo.open, VISITOR, 200))],
  },
  {
    title: `A whole network is blocked, with one address in it allowed`,
    run: async (demo) => [
      await command(demo, 'block', NETWORK, '--force', '--reason', 'demo network'),
      await command(demo, 'allow', EXEMPT),
      outcome(await becomes(demo.open, NEIGHBOUR, 403), NEIGHBOUR),
      outcome(await becomes(demo.open, EXEMPT, 200), EXEMPT),
    ],
  },
  {
    title: 'IPv6 is the same',
    run: async (demo) => {
      if (!hasIpv6()) return ['skipped: this machine has no IPv6 loopback address'];
      return [
        await command(demo, 'block', '::1', '--force'),
        outcome(await becomes(demo.open, '::1', 403), '::1'),
        await command(demo, 'remove', '::1'),
        outcome(await becomes(demo.open, '::1', 200), '::1'),
      ];
    },
  },
  {
    title: 'The function goes away: policy open lets strangers pass, policy closed does not, and both say so',
    run: async (demo) => {
      await demo.stopFunction();
      return [
        outcome(expect(await demo.open.visit('127.0.1.1'), 200, 'policy'), 'open'),
        outcome(expect(await demo.closed.visit('127.0.1.1'), 503, 'policy'), 'closed'),
      ];
    },
  },
  {
    title: 'The function is back, and so is the listed network',
    run: async (demo) => {
      await demo.startFunction();
      return [
        outcome(await becomes(demo.open, NEIGHBOUR, 403), 'open'),
        outcome(await becomes(demo.closed, NEIGHBOUR, 403), 'closed'),
      ];
    },
  },
  {
    title: 'The agent itself is killed: HAProxy alone knows the policy too',
    run: async ({ open, closed }) => {
      await Promise.all([open.agent.kill('SIGKILL'), closed.agent.kill('SIGKILL')]);
      return [
        outcome(expect(await open.visit(VISITOR), 200), 'open'),
        outcome(expect(await closed.visit(VISITOR), 503), 'closed'),
      ];
    },
  },
  {
    title: 'The agent is back',
    run: async ({ open, closed }) => {
      await Promise.all([open.startAgent(), closed.startAgent()]);
      return [
        outcome(await becomes(open, NEIGHBOUR, 403), 'open'),
        outcome(await becomes(closed, VISITOR, 200), 'closed'),
      ];
    },
  },
];

function expect(visit: Visit, status: number, source?: string): Visit {
  const came = visit.headers['x-haverdict-source'];
  if (visit.status !== status) throw new Error(`expected status ${status}, got ${outcome(visit)}`);
  if (source !== undefined && came !== source)
    throw new Error(`expected an answer from ${source}, got ${outcome(visit)}`);
  return visit;
}

/** Visits until the answer is as expected, which is as soon as what is cached has run out. */
async function becomes(site: Site, from: string, status: number): Promise<Visit & { readonly afterMs: number }> {
  const startedMs = performance.now();
  for (;;) {
    const visit = await site.visit(from);
    const afterMs = performance.now() - startedMs;
    if (visit.status === status) return { ...visit, afterMs };
    if (afterMs > CHANGE_LIMIT_MS)
      throw new Error(`${from} still gets ${outcome(visit)} after ${seconds(afterMs)}, expected ${status}`);
    await pause(50);
  }
}

function outcome(visit: Visit & { readonly afterMs?: number }, who?: string): string {
  const { headers } = visit;
  const how = [
    `answered in ${visit.tookMs.toFixed(1)} ms`,
    headers['x-haverdict-process-ms'] && `of which the agent ${headers['x-haverdict-process-ms']} ms`,
    headers['x-haverdict-source'] && `from ${headers['x-haverdict-source']}`,
    headers['x-haverdict-reason'] && `reason "${headers['x-haverdict-reason']}"`,
    headers['x-haverdict-error'] && `HAProxy could not ask the agent (${headers['x-haverdict-error']})`,
    visit.afterMs !== undefined && visit.afterMs > 100 && `${seconds(visit.afterMs)} after the change`,
  ];
  return `${who === undefined ? '' : `${who}: `}${visit.status}  ${how.filter(Boolean).join(', ')}`;
}

/** Runs our own command line as its users do, against the demo's table. */
async function command({ table }: DemoEnvironment, ...args: string[]): Promise<string> {
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
