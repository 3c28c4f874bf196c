import type { Settings } from '../config/settings.ts';
import { isClientChosen } from '../contract/subject.ts';
import { scopeOf } from '../haproxy/events.ts';
import { cookieOf, varsOf } from '../haproxy/variables.ts';
import type { OpenBackend } from './backend/backend.ts';
import { openBackend } from './backend/backend.ts';
import { logStartupCheck } from './backend/backend-log.ts';
import { Address } from './decision/address.ts';
import type { VerdictCache } from './decision/cache.ts';
import type { Clock } from './decision/clock.ts';
import type { DegradationDetector } from './decision/degradation-detector.ts';
import { Enforcement, type EnforcementEvents } from './decision/enforcement.ts';
import { Engine } from './decision/engine.ts';
import { Loader, type LoaderSettings } from './decision/loader.ts';
import { type MirrorAnswers, withMirror } from './decision/mirror-answers.ts';
import type { Logger } from './log.ts';
import { lookupMs, Script } from './scripts/script.ts';
import { type MessageConfig, MessageHandler } from './server/message-handler.ts';
import type { ReferenceIds } from './server/reference-id.ts';
import { decisionEvents, messageLog } from './server/server-log.ts';
import type { DecisionStats } from './state/decision-stats.ts';
import type { ProcessMetrics } from './state/process-metrics.ts';
import type { MirrorSource } from './updates/mirror-loader.ts';
import type { PollSource } from './updates/poller.ts';

/** The parts that all generations share. */
export interface SharedParts {
  readonly log: Logger;
  readonly clock: Clock;
  readonly metrics: ProcessMetrics;
  readonly stats: DecisionStats;
  readonly references: ReferenceIds;
  readonly degradation: DegradationDetector;
  readonly mirror: MirrorAnswers;
}

/** The parts of the agent that depend on the configuration, except for listeners: a reload replaces them as a whole. */
export interface Generation {
  readonly settings: Settings;
  readonly cache: VerdictCache;
  readonly loader: Loader;
  readonly handler: MessageHandler;
  readonly script: Script | undefined;
  /** Where changes are asked for; undefined if they are not. */
  readonly updates: PollSource | undefined;
  /** Where a mirror is loaded from; undefined if none is kept. */
  readonly mirror: MirrorSource | undefined;
  /** The expiry of the AWS credentials; undefined without credentials, or if they do not expire. */
  readonly credentialsExpireAtMs: number | undefined;
  /** Calls each function of the backend once and logs the results; the generation may be closed meanwhile. */
  checkBackend(): Promise<void>;
  /** Closes everything after pending answers and calls have ended. */
  retire(): Promise<void>;
  /** Closes everything at once. */
  close(): Promise<void>;
}

/** Creates the parts; rejects, with nothing left open, if the script cannot be used. */
export async function openGeneration(
  settings: Settings,
  cache: VerdictCache,
  { log, clock, metrics, stats, references, degradation, mirror }: SharedParts,
): Promise<Generation> {
  let credentialsExpireAtMs: number | undefined;
  const backend = await openBackend(settings.backend, settings, log, clock, {
    gotCredentials: (atMs) => {
      credentialsExpireAtMs = atMs;
    },
    notCounted: () => void metrics.counters.notCounted++,
    called(subjects, tookMs) {
      metrics.called(subjects, tookMs);
      degradation.called(tookMs);
    },
    callFailed(fault, error) {
      metrics.callFailed(fault, error, clock.epochMs());
      degradation.callFailed(error);
    },
  });
  const loader = new Loader(withMirror(backend, mirror), cache, clock, limitsOf(settings), metrics.counters);
  const parts = { cache, loader, clock, mirror, lookups: degradation };
  const engine = new Engine(parts, settings.deadlineMs);
  const script = createScript(settings, parts, log);
  try {
    await script?.open();
  } catch (error) {
    await closeAll(script, backend);
    throw error;
  }
  const messages = messageConfigs(settings, decisionEvents(log, clock, metrics), script);
  const address = new Address(settings.ipv6Prefix);
  const handler = new MessageHandler(messages, engine, messageLog(log), address, stats, references);
  let isClosed = false;
  const close = () => {
    isClosed = true;
    return closeAll(script, backend);
  };
  return {
    settings,
    cache,
    loader,
    handler,
    script,
    updates: pollSource(settings, backend),
    mirror: mirrorSource(settings, backend),
    get credentialsExpireAtMs() {
      return credentialsExpireAtMs;
    },
    async checkBackend() {
      const checks = await backend.checkAtStartup();
      if (isClosed) return;
      for (const check of checks) logStartupCheck(log, check, settings.deadlineMs);
    },
    async retire() {
      // Answers end by their deadline, calls by their time limit: late verdicts still fill the cache, unless a change could
      // come before them, which is told to the next generation alone.
      if (settings.updates.mode !== 'off') loader.outdate(() => true);
      await Promise.all([loader.idle(), new Promise<void>((resolve) => clock.after(settings.deadlineMs, resolve))]);
      await close();
    },
    close,
  };
}

async function closeAll(script: Script | undefined, backend: OpenBackend): Promise<void> {
  await script?.close();
  await backend.close();
}

function pollSource({ updates, lists }: Settings, backend: OpenBackend): PollSource | undefined {
  if (updates.mode === 'off') return undefined;
  return { lists, pollMs: updates.pollMs, updates: (place) => backend.updates(place) };
}

function mirrorSource({ updates, lists }: Settings, backend: OpenBackend): MirrorSource | undefined {
  if (updates.mode !== 'mirror') return undefined;
  return {
    lists,
    maxEntries: updates.maxEntries,
    manifest: (known) => backend.manifest(known),
    segment: (url, id, n) => backend.segment(url, id, n),
    updates: (place) => backend.updates(place),
  };
}

/** The limits of one process: the workers share those of the settings. */
function limitsOf({ backend, deadlineMs, workers, lists, messages }: Settings): LoaderSettings {
  const { maxConcurrent, maxCallsPerSecond, maxKeysPerSecond, batch } = backend;
  const hasChosen = messages.some(({ subjects }) => subjects.some(({ kind }) => isClientChosen(`${kind}:`)));
  return {
    maxConcurrent: Math.ceil(maxConcurrent / workers),
    maxCallsPerSecond: maxCallsPerSecond / workers,
    batch,
    deadlineMs,
    ...(hasChosen && { chosen: { maxKeysPerSecond: maxKeysPerSecond / workers, lists: lists.length } }),
  };
}

/** The operator's script, if there is one; lookups leave it a share of the deadline. */
function createScript(
  settings: Settings,
  parts: ConstructorParameters<typeof Engine>[0],
  log: Logger,
): Script | undefined {
  if (settings.script === undefined) return undefined;
  const engine = new Engine(parts, lookupMs(settings.deadlineMs));
  return new Script(settings.script, settings, engine, parts.clock, log);
}

function messageConfigs(
  { messages, haproxy }: Settings,
  events: EnforcementEvents,
  script: Script | undefined,
): MessageConfig[] {
  const vars = varsOf(haproxy);
  return messages.map(({ name, policy, subjects, required, oddPaths, event, group, shadow }) => ({
    name,
    policy,
    kinds: subjects.map(({ kind }) => kind),
    ...(required && { required }),
    ...(oddPaths && { oddPaths }),
    ...cookiesIn(subjects),
    target: {
      scope: scopeOf(event),
      vars,
      ...(group === undefined ? {} : { group }),
    },
    script: script?.forMessage(name),
    enforcement: new Enforcement({ message: name, rules: haproxy, shadow }, events),
  }));
}

/** The cookies that are read from the whole header; without any, the property is absent. */
function cookiesIn(subjects: Settings['messages'][number]['subjects']): Pick<MessageConfig, 'cookies'> {
  const cookies = subjects.flatMap(({ kind, expression }) => {
    const name = cookieOf(kind, expression);
    return name === undefined ? [] : [[kind, name] as const];
  });
  return cookies.length === 0 ? {} : { cookies: new Map(cookies) };
}
