import type { ChildProcess } from 'node:child_process';
import type { Order } from './command-process.ts';
import { type Run, runOrder, startOrder } from './haverdict.ts';

/** What a run finds around it. */
export interface Surroundings {
  readonly env?: NodeJS.ProcessEnv;
  /** Standard input; closed without it. */
  readonly input?: string;
}

/** Runs the program against a table in this process, with no AWS account in its environment. */
export function runOnTable(endpoint: string, ...args: readonly string[]): Promise<Run> {
  return runAround({}, endpoint, ...args);
}

/** The same with variables of the environment and standard input. */
export function runAround(around: Surroundings, endpoint: string, ...args: readonly string[]): Promise<Run> {
  return runOrder(onTable(endpoint, args, around));
}

/** Begins a run in a process of its own. The test may have something to do with it before it ends. */
export function startOnTable(
  endpoint: string,
  args: readonly string[],
  around: Surroundings = {},
): { readonly child: ChildProcess; readonly ended: Promise<Run> } {
  return startOrder(onTable(endpoint, args, around));
}

function onTable(endpoint: string, args: readonly string[], { env, input = '' }: Surroundings): Order {
  return { args, env: environment(endpoint, env), input };
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
