import { type Agent, startAgent } from './agent.ts';
import type { Settings } from './config/settings.ts';
import { onHangup, untilStopped } from './lifecycle/signals.ts';
import { isWorker, tellListening, Workers } from './lifecycle/workers.ts';
import { createLog } from './log.ts';
import { tryRules } from './rules/try.ts';
import { clearStaleSocket } from './server/socket-file.ts';

/** Runs the agent until it is told to stop. Rejects if it cannot start. */
export async function runAgent(settings: Settings): Promise<void> {
  const log = createLog(settings.log.level);
  const stopped = untilStopped(isWorker());
  const starting = start(settings, log);
  // A start that fails is told below.
  onHangup(() =>
    starting.then(
      (running) => running.reload(),
      () => {},
    ),
  );
  const running = await starting;
  const signal = await stopped;
  log.info({ signal }, 'stopping: answering what waits');
  await running.stop();
  log.info('stopped');
}

async function start(settings: Settings, log: ReturnType<typeof createLog>): Promise<Pick<Agent, 'reload' | 'stop'>> {
  if (isWorker()) {
    const agent = await startAgent(settings, log);
    tellListening();
    return agent;
  }
  if (settings.workers === 1) return startAgent(settings, log);
  // Once, before the first worker binds: to the second it would look like a socket in use.
  for (const target of settings.listen) if (target.type === 'unix') await clearStaleSocket(target.path);
  if (settings.rules !== undefined) await tryRules({ ...settings, file: settings.rules });
  const workers = new Workers(log);
  await workers.start(settings.workers);
  log.info({ workers: settings.workers }, 'agent is listening with all its workers');
  return workers;
}
