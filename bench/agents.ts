import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { formatAddress } from '../contract/address.ts';
import { freePort } from '../dev/free-port.ts';
import { writeBundle } from '../packaging/bundle.ts';
import type { LoadResult } from './load.ts';
import { addressOf, isListed, type PoolOptions } from './notify-pool.ts';
import { type Measured, pinned, startMeasured } from './process.ts';
import { writeCache } from './written-cache.ts';

const AGENT_PROCESSOR = 0;
const LOAD_PROCESSOR = 1;
const ADDRESSES = 200_000;
const TTL_SECONDS = 86_400;
const here = import.meta.dirname;
const node = process.execPath;

export interface AgentOptions {
  readonly family: PoolOptions['family'];
  /** Connections × NOTIFYs in flight on each: light traffic, HAProxy from 3.1, and up to 3.0 under load. */
  readonly shapes: readonly (readonly [number, number])[];
  readonly rounds: number;
  readonly seconds: number;
  /** NOTIFYs a second in all; 0 keeps the shape's number in flight. */
  readonly rate: number;
  /** The folder of another program (as a package has it), whose agent is measured alternately with this one. */
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
  { family, against, isLibrary }: AgentOptions,
): Promise<Contender[]> {
  const start = async (
    agent: string,
    command: (at: string) => Promise<readonly string[]>,
    words?: string,
  ): Promise<Contender> => {
    const at = socket === 'tcp' ? String(await freePort()) : `unix:${join(folder, `${agent.replace(' ', '-')}.sock`)}`;
    const measured = await startMeasured(pinned(AGENT_PROCESSOR, await command(at)), words);
    return { agent, target: socket === 'tcp' ? `127.0.0.1:${at}` : at, measured };
  };
  const program = join(folder, 'program');
  await writeBundle(program, '0.0.0', node); // as the packages have it
  const agentOf = (cli: string, mirrorPort?: number) => async (at: string) => {
    const file = `${await freePort()}.yaml`;
    const config = {
      listen: [at.startsWith('unix:') ? at : `tcp://127.0.0.1:${at}`],
      backend: { url: `http://127.0.0.1:${mirrorPort ?? 9}` }, // nobody asks about an address: all are known
      cache: { allowTtlSeconds: TTL_SECONDS, denyTtlSeconds: TTL_SECONDS, file: join(folder, `${file}.cache`) },
      ...(mirrorPort !== undefined && { updates: { mode: 'mirror' } }),
    };
    writeFileSync(join(folder, file), JSON.stringify(config)); // JSON is YAML
    if (mirrorPort === undefined) await writeCache(join(folder, file), ADDRESSES, family, TTL_SECONDS);
    return [node, cli, 'agent', '-c', join(folder, file)];
  };
  const ceiling = async (at: string) => [node, join(here, 'ceiling', 'agent.ts'), at];
  if (isLibrary) {
    const libraryOf = (how: string) => async (at: string) => [
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
  const cli = join(program, 'cli/main.js');
  const mirrorPort = await freePort();
  const lister = [node, join(here, 'mirror-backend.ts'), String(mirrorPort), String(ADDRESSES), family];
  await startMeasured(pinned(LOAD_PROCESSOR, lister)); // it ends with the bench
  const contenders = [
    await start('haverdict', agentOf(cli)),
    await start('haverdict mirror', agentOf(cli, mirrorPort), 'mirror loaded'),
    ...(against === undefined ? [] : [await start('haverdict there', agentOf(join(against, 'cli/main.js')))]),
    await start('Node ceiling', ceiling),
  ];
  const binary = join(folder, 'c-agent');
  const compiler = ['-O3', '-march=native', '-o', binary, join(here, 'ceiling', 'agent.c')];
  if (spawnSync('cc', compiler, { stdio: 'ignore' }).status !== 0) {
    console.error('no C compiler here: the ceiling of the machine is left out');
    return contenders;
  }
  const list = join(folder, 'list');
  writeFileSync(list, listOf(family));
  return [...contenders, await start('C ceiling', async (at) => [binary, at, list])];
}

/** One run of the load generator against one contender. */
function measure(
  { agent, target, measured }: Contender,
  [connections, inFlight]: readonly [number, number],
  { family, seconds, rate }: AgentOptions,
  round: number,
): Omit<AgentRun, 'socket'> {
  const given = { target, connections, inFlight, seconds, family, rate, addresses: ADDRESSES, seed: round + 1 };
  const args = Object.entries(given).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const [program = '', ...rest] = pinned(LOAD_PROCESSOR, [node, join(here, 'load.ts'), ...args]);
  const before = measured.cpuSeconds();
  const result = JSON.parse(execFileSync(program, rest, { encoding: 'utf8', maxBuffer: 1e7 })) as LoadResult;
  // The agent's CPU time includes the warm-up, so it is divided by all ACKs.
  const cpuUs = ((measured.cpuSeconds() - before) / result.allAcks) * 1e6;
  return { agent, shape: `${connections}×${inFlight}`, result, cpuUs };
}

function listOf(family: PoolOptions['family']): string {
  const lines = Array.from(
    { length: ADDRESSES },
    (_, rank) => `${formatAddress(addressOf(rank, family))} ${isListed(rank) ? 'deny' : 'allow'}`,
  );
  return `${lines.join('\n')}\n`;
}
