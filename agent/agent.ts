import { BackendClient } from './backend/client.ts';
import { BackendHealthLog } from './backend/health.ts';
import type { Settings } from './config/settings.ts';
import { VerdictCache } from './decision/cache.ts';
import { systemClock } from './decision/clock.ts';
import { Engine } from './decision/engine.ts';
import { Loader } from './decision/loader.ts';
import type { Logger } from './log.ts';
import { connectionLog, translatorLog } from './server/events.ts';
import { Listener } from './server/listener.ts';
import { Translator } from './server/translate.ts';

/** Answers that still wait at a shutdown get this long; every one of them has its deadline well before. */
const GRACE_MS = 5_000;

/** A running agent. */
export interface Agent {
  /** Where it listens, in the order of the settings. */
  readonly addresses: readonly string[];
  /** Stops listening, answers what waits, says goodbye to HAProxy and resolves when all is closed. */
  stop(): Promise<void>;
}

/** Puts the parts together and starts to listen; rejects, with nothing left open, if one address cannot be had. */
export async function startAgent(settings: Settings, log: Logger): Promise<Agent> {
  const clock = systemClock;
  const cache = new VerdictCache(settings.cache, clock);
  const backend = new BackendClient(settings.backend, settings.lists, new BackendHealthLog(log, clock));
  const loader = new Loader(backend, cache, settings.backend);
  const engine = new Engine({ cache, loader, clock }, settings.deadlineMs);
  const rules = settings.messages.map(({ name, policy, subjects }) => ({
    name,
    policy,
    kinds: subjects.map(({ kind }) => kind),
  }));
  const translator = new Translator(rules, engine, translatorLog(log));
  const listeners = settings.listen.map((target) => new Listener(target, translator, clock, connectionLog(log)));
  try {
    for (const listener of listeners) await listener.open();
  } catch (error) {
    for (const listener of listeners) listener.destroy();
    await backend.close();
    throw error;
  }
  const addresses = listeners.map((listener) => listener.address);
  log.info(
    { addresses, backend: settings.backend.url, deadlineMs: settings.deadlineMs, policy: settings.policy },
    'agent is listening',
  );
  return {
    addresses,
    async stop() {
      const cancel = clock.after(GRACE_MS, () => {
        for (const listener of listeners) listener.destroy();
      });
      await Promise.all(listeners.map((listener) => listener.drain()));
      cancel();
      await backend.close();
    },
  };
}
