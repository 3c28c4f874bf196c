import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { PROGRAM } from '../../dev/program-path.ts';

/** What a run finds around it. */
export interface Surroundings {
  readonly env?: NodeJS.ProcessEnv;
  /** Standard input; closed without it. */
  readonly input?: string;
}

/** Runs the program against a table in this process, with no AWS account in its environment. */
export async function runOnTable(endpoint: string, ...args: readonly string[]) {
  return runAround({}, endpoint, ...args);
}

/** The same with variables of the environment and standard input. */
export async function runAround(around: Surroundings, endpoint: string, ...args: readonly string[]) {
  return start(around, endpoint, args).ended;
}

/** Begins a run that the test has something to do with before it ends. */
export function startOnTable(endpoint: string, ...args: readonly string[]) {
  return start({}, endpoint, args);
}

function start({ env: more, input }: Surroundings, endpoint: string, args: readonly string[]) {
  const env = {
    PATH: process.env.PATH,
    NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE,
    HOME: '/nonexistent',
    AWS_ENDPOINT_URL_DYNAMODB: endpoint,
    ...more,
  };
  const child = spawn(process.execPath, [PROGRAM, ...args], { env, stdio: ['pipe', 'pipe', 'pipe'] });
  child.stdin.on('error', () => {}).end(input); // a run that reads nothing may be gone by then
  const ended = Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')]).then(
    ([stdout, stderr, [status]]) => ({ status, stdout, stderr }),
  );
  return { child, ended };
}
