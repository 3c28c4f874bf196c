import { spawnSync } from 'node:child_process';
import { PROGRAM } from '../../dev/program-path.ts';

export interface Run {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the program to its end, with nothing of ours in its environment. */
export function runHaverdict(...args: readonly string[]): Run {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('HAVERDICT_')));
  const { status, stdout, stderr } = spawnSync(process.execPath, [PROGRAM, ...args], { env, encoding: 'utf8' });
  return { status, stdout, stderr };
}
