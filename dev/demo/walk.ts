import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Site } from '../site.ts';
import type { Visit } from '../visit.ts';
import { type Stage, TTL_SECONDS } from './stage.ts';

const CLI = join(import.meta.dirname, '..', '..', 'cli', 'main.ts');
/** How long a change may take to reach a visitor: the lifetime of what is cached, and a moment. */
const CHANGE_LIMIT_MS = TTL_SECONDS * 1000 + 1500;

/** One thing the demo does before your eyes; it throws when the world is not as it should be. */
interface Step {
  readonly title: string;
  run(stage: Stage): Promise<readonly string[]>;
}

const VISITOR = '127.0.0.7';
const NETWORK = '127.0.9.0/24';
const NEIGHBOUR = '127.0.9.5';
const EXEMPT = '127.0.9.9';

export const STEPS: readonly Step[] = [
  {
    title: `A visitor from ${VISITOR}: nobody has listed it, so it passes; the second time from the cache`,
    run: async ({ open }) => [
      told(expect(await open.visit(VISITOR), 200, 'backend')),
      told(expect(await open.visit(VISITOR), 200, 'cache')),
    ],
  },
  {
    title: 'One command blocks it',
    run: async (stage) => [
      await command(stage, 'block', VISITOR, '--force', '--reason', 'demo', '--for', '1h'),
      told(await becomes(stage.open, VISITOR, 403)),
    ],
  },
  {
    title: 'One command lets it in again',
    run: async (stage) => [await command(stage, 'remove', VISITOR), told(await becomes(stage.open, VISITOR, 200))],
  },
  {
    title: `A whole network is blocked, with one address in it allowed`,
    run: async (stage) => [
      await command(stage, 'block', NETWORK, '--force', '--reason', 'demo network'),
      await command(stage, 'allow', EXEMPT),
      told(await becomes(stage.open, NEIGHBOUR, 403), NEIGHBOUR),
      told(await becomes(stage.open, EXEMPT, 200), EXEMPT),
    ],
  },
  {
    title: 'IPv6 is the same',
    run: async (stage) => {
      if (!hasIpv6()) return ['skipped: this machine has no IPv6 loopback address'];
      return [
        await command(stage, 'block', '::1', '--force'),
        told(await becomes(stage.open, '::1', 403), '::1'),
        await command(stage, 'remove', '::1'),
        told(await becomes(stage.open, '::1', 200), '::1'),
      ];
    },
  },
  {
    title: 'The function goes away: policy open lets strangers pass, policy closed does not, and both say so',
    run: async (stage) => {
      await stage.stopFunction();
      return [
        told(expect(await stage.open.visit('127.0.1.1'), 200, 'policy'), 'open'),
        told(expect(await stage.closed.visit('127.0.1.1'), 503, 'policy'), 'closed'),
      ];
    },
  },
  {
    title: 'The function is back, and so is the listed network',
    run: async (stage) => {
      await stage.startFunction();
      return [
        told(await becomes(stage.open, NEIGHBOUR, 403), 'open'),
        told(await becomes(stage.closed, NEIGHBOUR, 403), 'closed'),
      ];
    },
  },
  {
    title: 'The agent itself is killed: HAProxy alone knows the policy too',
    run: async ({ open, closed }) => {
      await Promise.all([open.agent.kill('SIGKILL'), closed.agent.kill('SIGKILL')]);
      return [
        told(expect(await open.visit(VISITOR), 200), 'open'),
        told(expect(await closed.visit(VISITOR), 503), 'closed'),
      ];
    },
  },
  {
    title: 'The agent is back',
    run: async ({ open, closed }) => {
      await Promise.all([open.startAgent(), closed.startAgent()]);
      return [told(await becomes(open, NEIGHBOUR, 403), 'open'), told(await becomes(closed, VISITOR, 200), 'closed')];
    },
  },
];

function expect(visit: Visit, status: number, source?: string): Visit {
  const came = visit.headers['x-haverdict-source'];
  if (visit.status !== status) throw new Error(`expected status ${status}, got ${told(visit)}`);
  if (source !== undefined && came !== source) throw new Error(`expected an answer from ${source}, got ${told(visit)}`);
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
      throw new Error(`${from} still gets ${told(visit)} after ${seconds(afterMs)}, expected ${status}`);
    await pause(50);
  }
}

function told(visit: Visit & { readonly afterMs?: number }, who?: string): string {
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
async function command({ table }: Stage, ...args: string[]): Promise<string> {
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
