import { type ChildProcess, fork, spawn } from 'node:child_process';
import { on, once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { PROGRAM } from '../../dev/program-path.ts';
import type { Order } from './command-process.ts';

export interface Run {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** These end their process themselves. */
const OWN_PROCESS = new Set(['agent', 'check-backend', 'top']);

/** Runs the program to its end, with nothing of ours in its environment. */
export function runHaverdict(...args: readonly string[]): Promise<Run> {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('HAVERDICT_')));
  return runOrder({ args, env, input: '' });
}

/** Runs the program to its end. */
export function runOrder(order: Order): Promise<Run> {
  return OWN_PROCESS.has(order.args[0] ?? '') ? startOrder(order).ended : nextRun(order);
}

/** Begins a run in a process of its own. */
export function startOrder({ args, env, input }: Order): {
  readonly child: ChildProcess;
  readonly ended: Promise<Run>;
} {
  const child = spawn(process.execPath, [PROGRAM, ...args], { env, stdio: ['pipe', 'pipe', 'pipe'] });
  child.stdin.on('error', () => {}).end(input); // a run that reads nothing may be gone by then
  const ended = Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')]).then(
    ([stdout, stderr, [status]]) => ({ status, stdout, stderr }),
  );
  return { child, ended };
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
  const child = fork(join(import.meta.dirname, 'command-process.ts'), { execArgv: [] });
  child.unref();
  return { child, answers: on(child, 'message', { close: ['exit'] }) as AsyncIterator<[Run]> };
}
