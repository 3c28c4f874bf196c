import { openBackend } from './backend/backend.ts';
import type { Settings } from './config/settings.ts';
import { Address } from './decision/address.ts';
import { VerdictCache } from './decision/cache.ts';
import { systemClock } from './decision/clock.ts';
import { Engine } from './decision/engine.ts';
import { Loader, type LoaderSettings } from './decision/loader.ts';
import { Refinement, type RefinementEvents } from './decision/refine.ts';
import type { Logger } from './log.ts';
import { lookupMs, Rulebook } from './rules/rulebook.ts';
import { connectionLog, decisionLog, translatorLog } from './server/events.ts';
import { Listener } from './server/listener.ts';
import { type MessageRule, Translator } from './server/translate.ts';
import { REQUEST_SCOPE, SCOPES, varsOf } from './vocabulary.ts';

/** Answers that still wait at a shutdown get this long; every one of them has its deadline well before. */
const GRACE_MS = 5_000;

/** A running agent. */
export interface Agent {
  /** Where it listens, in the order of the settings. */
  readonly addresses: readonly string[];
  /** Takes the rules as they are now, or keeps what it has and says why. */
  reload(): Promise<void>;
  /** Stops listening, answers what waits, says goodbye to HAProxy and resolves when all is closed. */
  stop(): Promise<void>;
}

/** Puts the parts together and starts to listen; rejects, with nothing left open, if one address cannot be had. */
export async function startAgent(settings: Settings, log: Logger): Promise<Agent> {
  const clock = systemClock;
  const cache = new VerdictCache(settings.cache, settings.stale, clock);
  const backend = await openBackend(settings.backend, settings, log, clock);
  const loader = new Loader(backend, cache, clock, shareOf(settings));
  const engine = new Engine({ cache, loader, clock }, settings.deadlineMs);
  const rules = rulebook(settings, { cache, loader, clock }, log);
  const messages = messageRules(settings, decisionLog(log, clock), rules);
  const translator = new Translator(messages, engine, translatorLog(log), new Address(settings.ipv6Prefix));
  const listeners = settings.listen.map((target) => new Listener(target, translator, clock, connectionLog(log)));
  try {
    await rules?.open();
    for (const listener of listeners) await listener.open();
  } catch (error) {
    for (const listener of listeners) listener.destroy();
    await rules?.close();
    await backend.close();
    throw error;
  }
  const addresses = listeners.map((listener) => listener.address);
  log.info(
    {
      addresses,
      backend: settings.backend.targets.map(({ url }) => url),
      deadlineMs: settings.deadlineMs,
      policy: settings.policy,
    },
    'agent is listening',
  );
  return {
    addresses,
    async reload() {
      if (rules === undefined)
        log.info('nothing to reload: there are no rules, and the configuration is read at the start');
      else await rules.reload();
    },
    async stop() {
      const cancel = clock.after(GRACE_MS, () => {
        for (const listener of listeners) listener.destroy();
      });
      await Promise.all(listeners.map((listener) => listener.drain()));
      cancel();
      await rules?.close();
      await backend.close();
    },
  };
}

/** What one of the workers may do: together they keep to the settings. */
function shareOf({ backend, deadlineMs, workers }: Settings): LoaderSettings {
  const { maxConcurrent, maxCallsPerSecond, batch } = backend;
  return {
    maxConcurrent: Math.ceil(maxConcurrent / workers),
    maxCallsPerSecond: maxCallsPerSecond / workers,
    batch,
    deadlineMs,
  };
}

/** The operator's rules, if there are any; lookups leave them some of the deadline. */
function rulebook(
  settings: Settings,
  parts: ConstructorParameters<typeof Engine>[0],
  log: Logger,
): Rulebook | undefined {
  if (settings.rules === undefined) return undefined;
  const engine = new Engine(parts, lookupMs(settings.deadlineMs));
  return new Rulebook(settings.rules, settings, engine, parts.clock, log);
}

function messageRules(
  { messages, haproxy }: Settings,
  events: RefinementEvents,
  rules: Rulebook | undefined,
): MessageRule[] {
  const vars = varsOf(haproxy);
  return messages.map(({ name, policy, subjects, event, group, shadow }) => ({
    name,
    policy,
    kinds: subjects.map(({ kind }) => kind),
    outlet: {
      scope: event === undefined ? REQUEST_SCOPE : SCOPES[event],
      vars,
      ...(group === undefined ? {} : { group }),
    },
    custom: rules?.of(name),
    refinement: new Refinement({ message: name, backends: haproxy.backends, shadow }, events),
  }));
}
