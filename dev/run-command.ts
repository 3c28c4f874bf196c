import { spawnSync } from 'node:child_process';

/** Enough for about 25 MB: the package list and packages of a Debian suite. */
const LIMIT_MS = 180_000;

/** Runs a program and returns its output; throws with its error output if it fails. */
export function runCommand(command: string, args: readonly string[], cwd?: string): string {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    cwd,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: LIMIT_MS,
    env: { ...process.env, LC_ALL: 'C', DEBIAN_FRONTEND: 'noninteractive' },
  });
  if (error !== undefined) throw new Error(`${command} cannot be run: ${error.message}`);
  if (status === 0) return stdout;
  const complaint = stderr.split('\n').find((line) => line.startsWith('E: ')) ?? stderr.trim().split('\n').at(-1);
  throw new Error(`${[command, ...args.slice(-1)].join(' ')} failed: ${complaint}`);
}
