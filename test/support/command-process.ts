/** Runs commands for one test process: `haverdict-on-table.ts` sends it one at a time. Loading takes longer than most runs. */
import { Readable } from 'node:stream';
import { run } from '../../cli/program.ts';

/** One run of the program. */
export interface Order {
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly input: string;
}

process.on('message', async ({ args, env, input }: Order) => {
  for (const name of Object.keys(process.env)) delete process.env[name];
  Object.assign(process.env, env);
  const stdout = captured('stdout');
  const stderr = captured('stderr');
  Object.defineProperty(process, 'stdin', { value: Readable.from([Buffer.from(input)]), configurable: true });
  process.exitCode = undefined;
  const code = await run([process.execPath, 'haverdict', ...args], process.stderr);
  process.send?.({ status: process.exitCode ?? code, stdout: stdout(), stderr: stderr() });
});

/** Collects what is written to a stream from now on. */
function captured(name: 'stdout' | 'stderr'): () => string {
  let text = '';
  process[name].write = (chunk: string | Uint8Array) => {
    text += typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString('utf8');
    return true;
  };
  return () => text;
}
