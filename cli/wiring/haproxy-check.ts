import { execFile } from 'node:child_process';
import { delimiter } from 'node:path';
import { promisify } from 'node:util';
import { CliError, EXIT } from '../exit/cli-error.ts';
import { endIfStopped } from '../exit/interrupt.ts';

const LIMIT_MS = 60_000;
/** Where packages have it, which a plain user's PATH lacks. */
const FOLDERS = ['/usr/sbin', '/usr/local/sbin'];
/** More than the warnings of any configuration. */
const MOST_BYTES = 64 * 1024 * 1024;

interface Output {
  readonly stdout: string;
  readonly stderr: string;
}

/** What execFile rejects with; the code is an exit status where the program ended by itself. */
type Failure = Error & Output & { readonly code?: unknown; readonly signal?: string | null };

/** What HAProxy says of these files, its warnings included; where it refuses them, an error with its words. */
export async function checkedByHaproxy(
  program: string,
  files: readonly string[],
  signal: AbortSignal,
): Promise<string> {
  const args = ['-c', ...files.flatMap((file) => ['-f', file])];
  const env = { ...process.env, PATH: [process.env.PATH, ...FOLDERS].join(delimiter) };
  try {
    return wordsOf(await promisify(execFile)(program, args, { env, signal, timeout: LIMIT_MS, maxBuffer: MOST_BYTES }));
  } catch (error) {
    endIfStopped(signal, 'nothing was replaced');
    const what = whatFailed(program, error as Failure);
    throw new CliError(EXIT.failed, `nothing was replaced: ${what}`, { cause: error });
  }
}

function whatFailed(program: string, failure: Failure): string {
  if (typeof failure.code === 'number') return `haproxy -c refuses the result\n${wordsOf(failure)}`;
  if (failure.signal != null) return `${program} -c was ended by ${failure.signal}, or after ${LIMIT_MS / 1000} s`;
  return `${program} cannot be run: --haproxy-program names it: ${String(failure)}`;
}

function wordsOf({ stdout, stderr }: Output): string {
  return `${stdout}${stderr}`.replace(/^Configuration file is valid\n/m, '').trimEnd();
}
