import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { formatAddress } from '../contract/address.ts';
import { freePort } from '../dev/free-port.ts';
import type { LoadResult } from './load.ts';
import { addressOf, isListed, type PoolOptions } from './pool.ts';
import { type Measured, pinned, startMeasured } from './process.ts';

const AGENT_PROCESSOR = 0;
const LOAD_PROCESSOR = 1;
const ADDRESSES = 200_000;
const here = import.meta.dirname;

/** Connections × NOTIFYs in flight on each: light traffic, HAProxy from 3.1, and up to 3.0 under load. */
export const SHAPES = [
  [1, 1],
  [16, 1],
  [16, 4],
  [16, 20],
  [64, 16],
] as const;

export interface Run {
  readonly agent: string;
  readonly shape: string;
  readonly result: LoadResult;
  /** Microseconds of the agent's processor for one decision. */
  readonly cpuUs: number;
  readonly residentMb: number;
}

export interface Contender {
  readonly name: string;
  readonly target: string;
  readonly measured: Measured;
}

/** Our agent on a cache filled with the pool, and the ceilings of runtime and machine where they can be had. */
export async function startContenders(family: PoolOptions['family'], socket: 'tcp' | 'unix'): Promise<Contender[]> {
  const folder = mkdtempSync(join(tmpdir(), 'haverdict-bench-'));
  const ports = [await freePort(), await freePort(), await freePort()];
  const at = (index: number) => (socket === 'tcp' ? String(ports[index]) : `unix:${join(folder, `${index}.sock`)}`);
  const start = async (name: string, index: number, command: readonly string[]): Promise<Contender> => {
    const target = socket === 'tcp' ? `127.0.0.1:${at(index)}` : at(index);
    return { name, target, measured: await startMeasured(pinned(AGENT_PROCESSOR, command)) };
  };
  const node = process.execPath;
  const contenders = [
    await start('haverdict', 0, [node, join(here, 'agent.ts'), at(0), String(ADDRESSES), family]),
    await start('Node ceiling', 1, [node, join(here, 'ceiling', 'agent.ts'), at(1)]),
  ];
  const binary = join(folder, 'agent');
  if (spawnSync('cc', ['-O2', '-o', binary, join(here, 'ceiling', 'agent.c')], { stdio: 'ignore' }).status !== 0) {
    console.error('no C compiler here: the ceiling of the machine is left out');
    return contenders;
  }
  const list = join(folder, 'list');
  writeFileSync(list, listOf(family));
  return [...contenders, await start('C ceiling', 2, [binary, at(2), list])];
}

/** One run of the load generator against one contender. */
export function measure(
  { name, target, measured }: Contender,
  shape: readonly [number, number],
  options: readonly string[],
): Run {
  const [connections, inFlight] = shape;
  const args = [
    '--target',
    target,
    '--connections',
    String(connections),
    '--inFlight',
    String(inFlight),
    '--addresses',
    String(ADDRESSES),
  ];
  const [program = '', ...rest] = pinned(LOAD_PROCESSOR, [
    process.execPath,
    join(here, 'load.ts'),
    ...args,
    ...options,
  ]);
  const before = measured.cpuSeconds();
  const result = JSON.parse(execFileSync(program, rest, { encoding: 'utf8', maxBuffer: 1e7 })) as LoadResult;
  // The time before the one that counts is on the agent's account too, so it is told how many ACKs there were in all.
  const cpuUs = ((measured.cpuSeconds() - before) / result.allAcks) * 1e6;
  return { agent: name, shape: `${connections}×${inFlight}`, result, cpuUs, residentMb: measured.residentMb() };
}

function listOf(family: PoolOptions['family']): string {
  const lines = Array.from(
    { length: ADDRESSES },
    (_, rank) => `${formatAddress(addressOf(rank, family))} ${isListed(rank) ? 'deny' : 'allow'}`,
  );
  return `${lines.join('\n')}\n`;
}
