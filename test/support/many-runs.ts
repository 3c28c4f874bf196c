import { fork } from 'node:child_process';
import { once } from 'node:events';

/** What a command ended with, and what it said. */
export interface Ended {
  readonly status: number;
  readonly said: string;
}

/**
 * Runs commands one after the other in one process, hundreds of them a minute. It is not the process of the test: what
 * commands write is not to be told from what the test reports.
 */
export function manyRuns(test: { after(clean: () => void): void }, endpoint: string) {
  const { PATH, NODE_COMPILE_CACHE } = process.env;
  const env = { PATH, NODE_COMPILE_CACHE, HOME: '/nonexistent', AWS_ENDPOINT_URL_DYNAMODB: endpoint };
  const child = fork(new URL('./many-runs-child.ts', import.meta.url), { env, execArgv: [] });
  test.after(() => void child.kill());
  const died = once(child, 'exit').then(([code]): Ended => ({ status: Number(code), said: 'the process ended' }));
  return async (...args: readonly string[]): Promise<Ended> => {
    const ended = new Promise<Ended>((resolve) => void child.once('message', (result) => resolve(result as Ended))); // its only messages
    child.send(args);
    return Promise.race([ended, died]);
  };
}
