import { startAgent } from './agent.ts';
import type { Settings } from './config/settings.ts';
import { untilStopped } from './lifecycle/signals.ts';
import { createLog } from './log.ts';

/** Runs the agent until it is told to stop. Rejects if it cannot start. */
export async function runAgent(settings: Settings): Promise<void> {
  const log = createLog(settings.log.level);
  const stopped = untilStopped();
  const agent = await startAgent(settings, log);
  const signal = await stopped;
  log.info({ signal }, 'stopping: answering what waits');
  await agent.stop();
  log.info('stopped');
}
