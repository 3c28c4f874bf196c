import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { formatAddress } from '../contract/address.ts';
import { freePort } from '../dev/free-port.ts';
import type { LoadResult } from './load.ts';
import { addressOf, isListed, type PoolOptions } from './notify-pool.ts';
import { type Measured, pinned, startMeasured } from './process.ts';

const AGENT_PROCESSOR = 0;
const LOAD_PROCESSOR = 1;
const ADDRESSES = 200_000;
const here = import.meta.dirname;
const node = process.execPath;

export interface AgentOptions {
  readonly family: PoolOptions['family'];
  /** Connections × NOTIFYs in flight on each: light traffic, HAProxy from 3.1, and up to 3.0 under load. */
  readonly shapes: readonly (readonly [number, number])[];
  readonly rounds: number;
  readonly seconds: number;
  /** Whether nothing is cached: each decision needs a lookup, which is answered at once. */
  readonly missing: boolean;
  /** NOTIFYs a second in all; 0 keeps the shape's number in flight. */
  readonly rate: number;
  /** Another checkout, whose agent is measured alternately with this one. */
  readonly against: string | undefined;
  /** Whether agents of `createAgent` are measured, instead of the daemon's. */
  readonly isLibrary?: boolean;
}

export interface AgentRun {
  readonly agent: string;
  readonly socket: 'tcp' | 'unix';
  readonly shape: string;
  readonly result: LoadResult;
  /** Microseconds of the agent's CPU time for one decision. */
  readonly cpuUs: number;
}

interface Contender {
  readonly agent: string;
  readonly target: string;
  readonly measured: Measured;
}

/** Measures the agent and the ceilings of runtime and machine alternately, over TCP and a unix socket. */
export async function measureAgents(options: AgentOptions): Promise<AgentRun[]> {
  const folder = mkdtempSync(join(tmpdir(), 'haverdict-bench-'));
  const runs: AgentRun[] = [];
  try {
    for (const socket of ['tcp', 'unix'] as const) {
      const contenders = await startContenders(folder, socket, options);
      for (let round = 0; round < options.rounds; round++)
        for (const shape of options.shapes)
          for (const contender of contenders) runs.push({ socket, ...measure(contender, shape, options, round) });
      for (const { measured } of contenders) await measured.stop();
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return runs;
}

async function startContenders(
  folder: string,
  socket: 'tcp' | 'unix',
  { family, missing, against, isLibrary }: AgentOptions,
): Promise<Contender[]> {
  const start = async (agent: string, command: (at: string) => readonly string[]): Promise<Contender> => {
    const at = socket === 'tcp' ? String(await freePort()) : `unix:${join(folder, `${agent.replace(' ', '-')}.sock`)}`;
    const measured = await startMeasured(pinned(AGENT_PROCESSOR, command(at)));
    return { agent, target: socket === 'tcp' ? `127.0.0.1:${at}` : at, measured };
  };
  const cached = missing ? 0 : ADDRESSES;
  const agentOf = (bench: string) => (at: string) => [node, join(bench, 'agent.ts'), at, String(cached), family];
  const ceiling = (at: string) => [node, join(here, 'ceiling', 'agent.ts'), at];
  if (isLibrary) {
    const libraryOf = (how: string) => (at: string) => [
      node,
      join(here, 'spop-agent.ts'),
      at,
      how,
      String(ADDRESSES),
      family,
    ];
    return [
      await start('at once', libraryOf('at-once')),
      await start('by a promise', libraryOf('promise')),
      await start('Node ceiling', ceiling),
    ];
  }
  const contenders = [
    await start('haverdict', agentOf(here)),
    ...(against === undefined ? [] : [await start('haverdict there', agentOf(join(against, 'bench')))]),
    await start('Node ceiling', ceiling),
  ];
  const binary = join(folder, 'c-agent');
  if (spawnSync('cc', ['-O2', '-o', binary, join(here, 'ceiling', 'agent.c')], { stdio: 'ignore' }).status !== 0) {
    console.error('no C compiler here: the ceiling of the machine is left out');
    return contenders;
  }
  const list = join(folder, 'list');
  writeFileSync(list, listOf(family, missing));
  return [...contenders, await start('C ceiling', (at) => [binary, at, list])];
}

/** One run of the load generator against one contender. */
function measure(
  { agent, target, measured }: Contender,
  [connections, inFlight]: readonly [number, number],
  { family, seconds, rate, missing }: AgentOptions,
  round: number,
): Omit<AgentRun, 'socket'> {
  const given = { target, connections, inFlight, seconds, family, rate, addresses: ADDRESSES, seed: round + 1 };
  const args = Object.entries(given).flatMap(([name, value]) => [`--${name}`, String(value)]);
  if (missing) args.push('--unlisted');
  const [program = '', ...rest] = pinned(LOAD_PROCESSOR, [node, join(here, 'load.ts'), ...args]);
  const before = measured.cpuSeconds();
  const result = JSON.parse(execFileSync(program, rest, { encoding: 'utf8', maxBuffer: 1e7 })) as LoadResult;
  // The agent's CPU time includes the warm-up, so it is divided by all ACKs.
  const cpuUs = ((measured.cpuSeconds() - before) / result.allAcks) * 1e6;
  return { agent, shape: `${connections}×${inFlight}`, result, cpuUs };
}

function listOf(family: PoolOptions['family'], missing: boolean): string {
  const lines = Array.from(
    { length: ADDRESSES },
    (_, rank) => `${formatAddress(addressOf(rank, family))} ${isListed(rank) && !missing ? 'deny' : 'allow'}`,
  );
  return `${lines.join('\n')}\n`;
}
