import { isDeepStrictEqual } from 'node:util';
import type { ListenAddress } from '../config/listen-address.ts';
import { formatListenAddress } from '../config/listen-address.ts';
import type { Settings } from '../config/settings.ts';
import { hasNativeSpop } from '../haproxy/versions.ts';
import { ConnectionLimiter } from '../spop/server/connection-limiter.ts';
import { Listener } from '../spop/server/listener.ts';
import { degradationLog } from './backend/backend-log.ts';
import { systemClock } from './decision/clock.ts';
import type { Decision } from './decision/decision.ts';
import { DegradationDetector } from './decision/degradation-detector.ts';
import { LookupSubject } from './decision/lookup-subject.ts';
import { closeShared, openFirst } from './first-generation.ts';
import { FollowedUpdates } from './followed-updates.ts';
import { type Generation, openGeneration, type SharedParts } from './generation.ts';
import { CacheFullWarning } from './lifecycle/cache-full-warning.ts';
import { heapLimitMegabytes, withinHeap } from './lifecycle/heap.ts';
import { CacheSaver, cacheForReload } from './lifecycle/persistent-cache.ts';
import { withoutRestartOnly } from './lifecycle/restart-only.ts';
import type { SystemdSockets } from './lifecycle/systemd-sockets.ts';
import type { Logger } from './log.ts';
import type { MessageHandler } from './server/message-handler.ts';
import { ReferenceIds } from './server/reference-id.ts';
import { connectionEvents, denyLog, evictionLog } from './server/server-log.ts';
import type { CachedVerdict } from './state/agent-control.ts';
import { DecisionStats } from './state/decision-stats.ts';
import { ProcessMetrics } from './state/process-metrics.ts';
import { processState } from './state/process-state.ts';
import type { Hits, ProcessState } from './state/state.ts';

/** The time limit for pending answers at a shutdown; all have earlier deadlines. */
const GRACE_MS = 5_000;
/** Within this time the checks of the wiring mark an agent DOWN that fails them. */
const FAILING_CHECKS_MS = 1_000;

/** The running agent of one process: its listeners, and the current generation, which a reload replaces. */
export class Agent {
  readonly #shared: SharedParts;
  readonly #handler: { current: MessageHandler; failsChecks: boolean; deadlineMs: number };
  readonly #startedAtMs: number;
  readonly #heapMegabytes: number;
  readonly #limiter: ConnectionLimiter;
  #listeners: ReadonlyMap<string, Listener> = new Map();
  #generation: Generation;
  readonly #isFirst: boolean;
  readonly #systemdSockets: SystemdSockets;
  readonly #saver: CacheSaver | undefined;
  readonly #cacheWatch: CacheFullWarning;
  /** What this process has of the log of changes. */
  readonly updates: FollowedUpdates;
  /** Earlier generations and listeners that still have something to answer. */
  readonly #leaving = new Map<Promise<void>, { cut(): void }>();

  private constructor(
    { generation, updates }: { readonly generation: Generation; readonly updates: FollowedUpdates },
    shared: SharedParts,
    isFirst: boolean,
    systemdSockets: SystemdSockets,
  ) {
    this.#isFirst = isFirst;
    this.#systemdSockets = systemdSockets;
    this.#shared = shared;
    this.#generation = generation;
    this.updates = updates;
    this.#handler = { current: generation.handler, failsChecks: false, deadlineMs: generation.settings.deadlineMs };
    this.#limiter = new ConnectionLimiter(shared.clock, evictionLog(shared.log, shared.clock, shared.metrics));
    this.#startedAtMs = shared.clock.epochMs();
    this.#cacheWatch = new CacheFullWarning(() => this.#generation, shared.clock, shared.log);
    this.#heapMegabytes = heapLimitMegabytes(generation.settings);
    this.#saver = isFirst ? new CacheSaver(() => this.#generation, shared.clock, shared.log) : undefined;
  }

  /**
   * Creates the parts and starts listening; rejects, with nothing left open, if it cannot listen on an address. The first
   * of several processes writes the cache file, and checks the backend once to log the result.
   */
  static async start(
    settings: Settings,
    log: Logger,
    isFirst: boolean,
    systemdSockets: SystemdSockets,
  ): Promise<Agent> {
    const clock = systemClock;
    const stats = new DecisionStats(clock, denyLog(log, clock));
    const degradation = new DegradationDetector(
      clock,
      degradationLog(log, () => agent.#generation.settings.deadlineMs),
    );
    const metrics = new ProcessMetrics();
    const updates = new FollowedUpdates(() => agent.#generation, { log, clock, metrics });
    const { mirror } = updates;
    const shared = { log, clock, metrics, stats, references: new ReferenceIds(), degradation, mirror };
    const generation = await openFirst(settings, updates, shared);
    const agent = new Agent({ generation, updates }, shared, isFirst, systemdSockets);
    agent.#watchDegradation();
    metrics.watchSeconds(clock, () => stats.totals);
    try {
      await agent.#listen(settings.listen);
    } catch (error) {
      agent.#saver?.cancel();
      await agent.#close();
      throw error;
    }
    const { backend, deadlineMs, policy } = settings;
    const fields = { addresses: agent.addresses, backend: backend.targets.map(({ url }) => url), deadlineMs, policy };
    log.info(fields, 'agent is listening');
    if (isFirst) void generation.checkBackend();
    for (const address of systemdSockets.unused)
      log.warn({ address }, 'systemd socket is not in listen: connections to it hang');
    return agent;
  }

  /** The addresses it listens on. */
  get addresses(): readonly string[] {
    return [...this.#listeners.values()].map(({ address }) => address);
  }

  get state(): Omit<ProcessState, 'logLinesDropped'> {
    const { settings, cache, loader, credentialsExpireAtMs } = this.#generation;
    const { metrics, stats, degradation } = this.#shared;
    const connections = [...this.#listeners.values()].reduce((sum, listener) => sum + listener.connections, 0);
    return {
      ...processState({
        settings,
        metrics,
        stats,
        cache: cache.state,
        loader: loader.state,
        degradation: degradation.state,
        updates: this.updates,
        mirror: this.updates.mirror.state,
        connections,
        credentialsExpireAtMs,
      }),
      startedAtMs: this.#startedAtMs,
      takenAtMs: this.#shared.clock.epochMs(),
      listening: this.addresses,
    };
  }

  get hits(): Omit<Hits, 'sinceMs'> {
    return this.#shared.stats.hits;
  }

  /** The cached verdict about a subject in canonical text. */
  explain(subject: string): CachedVerdict {
    const asked = LookupSubject.parse(subject);
    const known = this.updates.mirror.explain(asked);
    const mirror = known && { mirror: { isLive: known.source === 'mirror', ...toldOf(known, subject) } };
    const found = this.#generation.cache.explain(asked);
    if (found === undefined) return { pid: process.pid, ...mirror };
    const { verdict, ...times } = found;
    const said = typeof verdict === 'string' ? { reason: verdict } : toldOf(verdict, subject);
    return { pid: process.pid, ...mirror, cached: { ...said, ...times } };
  }

  /** Removes a subject, or all, from the cache; returns the number of removed verdicts. */
  flush(subject?: string): number {
    const { cache } = this.#generation;
    return subject === undefined ? cache.clear() : Number(cache.forget(LookupSubject.parse(subject)));
  }

  /**
   * Applies new settings. Listeners whose address is unchanged stay open; new frames are answered with the new settings,
   * pending ones with the old. Rejects, with nothing changed, if the settings cannot be used.
   */
  async reload(wanted: Settings): Promise<void> {
    const { log, clock } = this.#shared;
    const before = this.#generation;
    const settings = { ...withoutRestartOnly(before.settings, wanted), ...this.#withinHeap(wanted) };
    if (isDeepStrictEqual(settings, before.settings)) {
      log.level = settings.log.level; // it may have been changed at run time
      return this.#reloadScript();
    }
    const next = await openGeneration(settings, cacheForReload(before, settings, clock, log), this.#shared);
    try {
      await this.#listen(settings.listen);
    } catch (error) {
      await next.close();
      throw error;
    }
    this.#generation = next;
    this.#handler.current = next.handler;
    this.#handler.deadlineMs = settings.deadlineMs;
    this.#watchDegradation();
    this.updates.use(settings);
    log.level = settings.log.level;
    this.#disconnect(before.retire(), () => void before.close());
    log.info({ addresses: this.addresses, lists: settings.lists }, 'configuration reloaded');
    if (this.#isFirst && !isDeepStrictEqual(settings.backend, before.settings.backend)) void next.checkBackend();
  }

  /** Stops listening, answers pending frames, disconnects from HAProxy; resolves when everything is closed. */
  async stop(): Promise<void> {
    const { clock } = this.#shared;
    await this.updates.stop();
    await this.#leaveToOthers();
    const listeners = [...this.#listeners.values()];
    const cancel = clock.after(GRACE_MS, () => {
      for (const listener of listeners) listener.destroy();
      for (const { cut } of this.#leaving.values()) cut();
    });
    await Promise.all(listeners.map((listener) => listener.drain()));
    for (const { cut } of this.#leaving.values()) cut();
    cancel();
    await this.#saver?.stop();
    await this.#close();
  }

  async #close(): Promise<void> {
    this.#cacheWatch.stop();
    await this.#generation.close();
    closeShared(this.updates, this.#shared);
  }

  /**
   * Where there are other agents, fails its health checks until HAProxy asks only those. Up to 3.0 HAProxy goes on using
   * the open connections of a server that is DOWN, so that would change nothing.
   */
  async #leaveToOthers(): Promise<void> {
    const { servers, version } = this.#generation.settings.haproxy;
    if (servers.length < 2 || !hasNativeSpop(version)) return;
    this.#handler.failsChecks = true;
    await new Promise<void>((resolve) => this.#shared.clock.after(FAILING_CHECKS_MS, resolve));
  }

  #watchDegradation(): void {
    const { settings, loader } = this.#generation;
    this.#shared.degradation.watch({
      maxPolicyShare: settings.backend.degradedPercent / 100,
      isBackendDown: () => loader.state.breaker !== 'closed',
    });
  }

  /** What of these settings has room in the heap, whose limit was fixed when the process started. */
  #withinHeap(wanted: Settings): Pick<Settings, 'cache' | 'updates'> {
    const { log } = this.#shared;
    const { cache, updates } = withinHeap(this.#heapMegabytes, this.#generation.settings, wanted);
    if (updates !== wanted.updates) {
      const { mode, maxEntries } = updates;
      log.warn({ mode, maxEntries, wanted: wanted.updates.maxEntries }, 'a larger mirror requires a restart');
    }
    if (cache !== wanted.cache)
      log.warn({ maxEntries: cache.maxEntries, wanted: wanted.cache.maxEntries }, 'a larger cache requires a restart');
    return { cache, updates };
  }

  async #reloadScript(): Promise<void> {
    const { script } = this.#generation;
    if (script !== undefined) await script.reload();
    else this.#shared.log.info('nothing to reload: configuration unchanged');
  }

  /** Opens the new listeners, then drains those that are not configured any more. If it rejects, nothing has changed. */
  async #listen(targets: readonly ListenAddress[]): Promise<void> {
    const { log, clock, metrics } = this.#shared;
    const events = connectionEvents(log, clock, metrics, () => this.#generation.settings.deadlineMs);
    const listeners = new Map<string, Listener>();
    const opened: Listener[] = [];
    try {
      for (const target of targets) {
        const key = formatListenAddress(target);
        const kept = this.#listeners.get(key);
        const listener = kept ?? new Listener(target, this.#handler, clock, events, this.#limiter);
        listeners.set(key, listener);
        if (kept !== undefined) kept.grant(target);
        else {
          opened.push(listener);
          await listener.open(this.#systemdSockets.take(target));
        }
      }
    } catch (error) {
      for (const listener of opened) listener.destroy();
      throw error;
    }
    const gone = [...this.#listeners].filter(([key]) => !listeners.has(key));
    this.#listeners = listeners;
    for (const [, listener] of gone) this.#disconnect(listener.drain(), () => listener.destroy());
  }

  #disconnect(left: Promise<void>, cut: () => void): void {
    this.#leaving.set(left, { cut });
    left.finally(() => this.#leaving.delete(left));
  }
}

/** A decision about a subject as people read it. */
function toldOf({ action, reason, list, ofAddress, entry }: Decision, subject: string) {
  const of = ofAddress ? subject : entry;
  return {
    action,
    ...(reason !== undefined && { reason }),
    ...(list !== undefined && { list }),
    ...(of !== undefined && { entry: of }),
  };
}
