import { type ChildProcess, fork, spawn } from 'node:child_process';
import { on, once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { PROGRAM } from '../../dev/program-path.ts';
import type { Order } from './command-process.ts';
import type { Run } from './haverdict.ts';

/** What a run finds around it. */
export interface Surroundings {
  readonly env?: NodeJS.ProcessEnv;
  /** Standard input; closed without it. */
  readonly input?: string;
}

/** These end their process themselves. */
const OWN_PROCESS = new Set(['agent', 'check-backend', 'top']);

/** Runs the program against a table in this process, with no AWS account in its environment. */
export async function runOnTable(endpoint: string, ...args: readonly string[]): Promise<Run> {
  return runAround({}, endpoint, ...args);
}

/** The same with variables of the environment and standard input. */
export async function runAround(around: Surroundings, endpoint: string, ...args: readonly string[]): Promise<Run> {
  if (OWN_PROCESS.has(args[0] ?? '')) return startOnTable(endpoint, args, around).ended;
  const { env, input = '' } = around;
  return nextRun({ args, env: environment(endpoint, env), input });
}

/** Begins a run in a process of its own. The test may have something to do with it before it ends. */
export function startOnTable(
  endpoint: string,
  args: readonly string[],
  { env: more, input }: Surroundings = {},
): { readonly child: ChildProcess; readonly ended: Promise<Run> } {
  const env = environment(endpoint, more);
  const child = spawn(process.execPath, [PROGRAM, ...args], { env, stdio: ['pipe', 'pipe', 'pipe'] });
  child.stdin.on('error', () => {}).end(input); // a run that reads nothing may be gone by then
  const ended = Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')]).then(
    ([stdout, stderr, [status]]) => ({ status, stdout, stderr }),
  );
  return { child, ended };
}

function environment(endpoint: string, more: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  return {
    PATH: process.env.PATH,
    NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE,
    HOME: '/nonexistent',
    AWS_ENDPOINT_URL_DYNAMODB: endpoint,
    ...more,
  };
}

let commands: { readonly child: ChildProcess; readonly answers: AsyncIterator<[Run]> } | undefined;
let last: Promise<unknown> = Promise.resolve();

/** Runs it in the process that has loaded the commands, after the runs before it. */
function nextRun(order: Order): Promise<Run> {
  const run = last.then(async () => {
    commands ??= forked();
    const { child, answers } = commands;
    child.channel?.ref();
    child.send(order);
    const { value, done } = await answers.next();
    child.channel?.unref();
    if (done) throw new Error('the process of the commands has ended');
    return value[0];
  });
  last = run.catch(() => {});
  return run;
}

function forked() {
  const child = fork(join(import.meta.dirname, 'command-process.ts'));
  child.unref();
  return { child, answers: on(child, 'message', { close: ['exit'] }) as AsyncIterator<[Run]> };
}
