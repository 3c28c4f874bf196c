import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

/** Starts an agent for each of these configuration files, all in one process; resolves when they listen. */
export async function startAgents(files: readonly string[]): Promise<{ stop(): Promise<void> }> {
  const child = fork(join(import.meta.dirname, 'agents-child.ts'), files, { execArgv: [] });
  const ended = once(child, 'exit').then(([code]) => {
    throw new Error(`the agents ended with ${code}`);
  });
  await Promise.race([once(child, 'message'), ended]);
  ended.catch(() => {}); // from here on `stop` ends it
  return {
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const exited = once(child, 'exit');
      child.disconnect();
      await exited;
    },
  };
}
