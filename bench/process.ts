import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

/** A measured program. */
export interface Measured {
  readonly pid: number;
  /** User and system CPU time so far, in seconds. */
  cpuSeconds(): number;
  /** Resident memory now, in MB. */
  residentMb(): number;
  /** Peak resident memory, in MB. */
  peakMb(): number;
  stop(): Promise<void>;
}

const hasTaskset = spawnSync('taskset', ['-V'], { stdio: 'ignore' }).error === undefined;
const TICKS_A_SECOND = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));

/** The command pinned to one processor, if `taskset` is installed. */
export function pinned(processor: number, command: readonly string[]): readonly string[] {
  return hasTaskset ? ['taskset', '-c', String(processor), ...command] : command;
}

/** User and system CPU time of a process so far. */
export function cpuSecondsOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) / TICKS_A_SECOND;
}

/** Starts a program; resolves when it prints that it is listening, or these words. */
export async function startMeasured(command: readonly string[], words = 'listening'): Promise<Measured> {
  const [program = '', ...args] = command;
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  // However the bench ends, the program is killed.
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  await said(child, words);
  const pid = child.pid ?? 0; // it is running
  return {
    pid,
    cpuSeconds: () => cpuSecondsOf(pid),
    residentMb: () => megabytesOf(pid, 'VmRSS'),
    peakMb: () => megabytesOf(pid, 'VmHWM'),
    async stop() {
      const { exitCode, signalCode } = child;
      if (exitCode !== null || signalCode !== null) throw new Error(`${program} ended with ${exitCode ?? signalCode}`);
      child.kill('SIGTERM');
      await once(child, 'exit');
      process.off('exit', kill);
    },
  };
}

export function megabytesOf(pid: number, field: 'VmRSS' | 'VmHWM'): number {
  const [, kibibytes] = new RegExp(`${field}:\\s+(\\d+)`).exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kibibytes) / 1024;
}

async function said(child: ChildProcess, words: string): Promise<void> {
  const exited = once(child, 'exit').then(() => {
    throw new Error(`${child.spawnargs.join(' ')} did not say: ${words}`);
  });
  const heard = new Promise<void>((resolve) => {
    if (child.stdout) createInterface({ input: child.stdout }).on('line', (line) => line.includes(words) && resolve());
  });
  await Promise.race([heard, exited]);
}
