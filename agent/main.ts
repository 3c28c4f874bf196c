import { hostname } from 'node:os';
import { ConfigError } from '../config/config-error.ts';
import type { LogLevel, Settings } from '../config/settings.ts';
import { AccessError, clearStaleSocket } from '../spop/server/socket-file.ts';
import { AdminServer } from './admin/server.ts';
import { AdminSocket } from './admin/socket/server.ts';
import { Agent } from './agent.ts';
import { systemClock } from './decision/clock.ts';
import { nonBlockingStdout } from './lifecycle/non-blocking-stdout.ts';
import { changedForRestart } from './lifecycle/restart-only.ts';
import { onReloadSignal, onStateSignal, untilStopSignal } from './lifecycle/signals.ts';
import { type Notifier, openNotifier } from './lifecycle/systemd-notify.ts';
import { SystemdSockets } from './lifecycle/systemd-sockets.ts';
import { serveCalls, tell } from './lifecycle/worker-rpc.ts';
import { isWorker, receiveStartMessage, reportListening, type StartMessage, Workers } from './lifecycle/workers.ts';
import { createLog, type Logger, recordForwarder } from './log.ts';
import { LogOutput } from './log-output.ts';
import { checkScript } from './scripts/supervisor.ts';
import type { AgentControl, CachedVerdict } from './state/agent-control.ts';
import { mergeProcessHits, mergeStates } from './state/merge.ts';
import type { AgentState, Hits, ProcessState, ReloadState } from './state/state.ts';
import type { Fault } from './updates/local-mirror.ts';
import type { UpdatesStep } from './updates/updates-step.ts';
import { version } from './version.ts';

const LISTENING = 'listening';
const STDERR = 2;

/** The agent's processes: this one, or several workers. */
interface AgentProcesses {
  readonly workersReplaced: number;
  states(): Promise<readonly ProcessState[]>;
  hits(): Promise<Omit<Hits, 'sinceMs'>>;
  explain(subject: string): Promise<readonly CachedVerdict[]>;
  flush(subject?: string): Promise<number>;
  setLogLevel(level: LogLevel): Promise<void>;
  /** Rejects, with the old settings still in force, if the new ones cannot be used. */
  reload(settings: Settings): Promise<void>;
  stop(): Promise<void>;
}

/** Runs the agent until a stop signal. `load` reads the configuration, also at each reload. Rejects if it cannot start. */
export async function runAgent(load: () => Promise<Settings>): Promise<void> {
  // Socket files are inaccessible until access is granted; the first process binds them whenever a worker asks it to.
  process.umask(0o077);
  if (isWorker()) return runWorker();
  const settings = await load();
  const output = new LogOutput(nonBlockingStdout());
  const log = createLog(settings.log.level, output);
  // Starts a helper process, so before memory grows.
  const manager = openNotifier(process.env, (problem) => log.warn({ problem }, 'cannot notify systemd'));
  try {
    await runProcesses(settings, load, manager, log, output);
  } catch (error) {
    // A ConfigError: a retry would not help.
    if (!(error instanceof AccessError)) throw error;
    const message = error.foreignGroup === undefined ? error.message : `${error.message}, or use haverdict.socket`;
    throw new ConfigError([{ where: 'this host', setting: 'listen', message }]);
  } finally {
    await Promise.all([manager.close(), output.close()]);
  }
}

async function runProcesses(
  settings: Settings,
  load: () => Promise<Settings>,
  manager: Notifier,
  log: Logger,
  output: LogOutput,
): Promise<void> {
  const stopped = untilStopSignal(false);
  const starting = startProcesses(settings, log, output);
  const controlling = starting.then((processes) => controlOf(settings, processes, load, manager, log));
  controlling.catch(ignored); // thrown below by `await starting`
  onReloadSignal(() => controlling.then((control) => control.reload()).then(ignored, ignored));
  onStateSignal(
    () => void controlling.then(async (control) => log.info(await control.state(), 'state')).catch(ignored),
  );
  const processes = await starting;
  const admin = await openAdmin(settings, await controlling, log).catch(async (error) => {
    await processes.stop();
    throw error;
  });
  manager.ready(LISTENING);
  const signal = await stopped;
  manager.stopping();
  admin.stopping();
  log.info({ signal }, 'stopping: answering pending requests');
  await processes.stop();
  await admin.close();
  log.info('stopped');
}

/** Opens the admin HTTP server and the admin socket, if configured. */
async function openAdmin({ admin: { listen, hosts, socket } }: Settings, control: AgentControl, log: Logger) {
  const server =
    listen && new AdminServer(listen, { state: control.state, hits: control.hits, clock: systemClock, hosts });
  await server?.open();
  if (server !== undefined) log.info({ address: server.address }, 'admin HTTP server is listening');
  const adminSocket =
    socket &&
    (await AdminSocket.open(socket, control, log).catch(async (error) => {
      await server?.close();
      throw error;
    }));
  return {
    stopping: () => server?.stopping(),
    async close() {
      if (adminSocket) await adminSocket.close();
      await server?.close();
    },
  };
}

async function runWorker(): Promise<void> {
  const stopped = untilStopSignal(true);
  // The first process handles these signals for all.
  onReloadSignal(async () => {});
  onStateSignal(ignored);
  const start = await receiveStartMessage();
  const { settings } = start;
  const output = new LogOutput(nonBlockingStdout());
  const log = createLog(settings.log.level, output);
  try {
    await serveAsWorker(start, log, output, stopped);
  } finally {
    await output.close();
  }
}

async function serveAsWorker(
  { settings, savesCache, isReplacement }: StartMessage,
  log: Logger,
  output: LogOutput,
  stopped: Promise<unknown>,
): Promise<void> {
  const agent = await Agent.start(settings, log, savesCache, new SystemdSockets(process.env, process.ppid));
  serveCalls(process, {
    state: (): ProcessState => ({ ...agent.state, logLinesDropped: output.dropped }),
    hits: () => agent.hits,
    explain: (subject: string) => agent.explain(subject),
    flush: (subject?: string) => agent.flush(subject),
    setLogLevel(level: LogLevel) {
      log.level = level;
    },
    reload: (next: Settings) => agent.reload(next),
    applyUpdates: (step: UpdatesStep) => agent.updates.apply(step),
    onMirrorFault: (fault: Fault) => agent.updates.onOthersFault(fault),
  });
  reportListening();
  agent.updates.follow(savesCache, settings, {
    apply: (step) =>
      tell(process, 'applyUpdates', isReplacement && step.kind === 'page' ? { ...step, isAgain: true } : step),
    faulty: (fault) => tell(process, 'onMirrorFault', fault),
  });
  await stopped;
  await agent.stop();
}

async function startProcesses(settings: Settings, log: Logger, output: LogOutput): Promise<AgentProcesses> {
  return settings.workers === 1 ? startAlone(settings, log, output) : startWorkers(settings, log, output);
}

async function startAlone(settings: Settings, log: Logger, output: LogOutput): Promise<AgentProcesses> {
  const agent = await Agent.start(settings, log, true, new SystemdSockets(process.env, process.pid));
  agent.updates.follow(true, settings, { apply() {}, faulty() {} });
  return {
    workersReplaced: 0,
    states: async () => [{ ...agent.state, logLinesDropped: output.dropped }],
    hits: async () => agent.hits,
    explain: async (subject) => [agent.explain(subject)],
    flush: async (subject) => agent.flush(subject),
    async setLogLevel(level) {
      log.level = level;
    },
    reload: (next) => agent.reload(next),
    stop: () => agent.stop(),
  };
}

async function startWorkers(first: Settings, log: Logger, output: LogOutput): Promise<AgentProcesses> {
  let settings = first;
  // Once, before the first worker binds: the second would find a socket in use.
  await clearStaleSockets(first, []);
  if (first.script !== undefined) await checkScript({ ...first, file: first.script });
  const errors = new LogOutput(STDERR);
  const printed = { stdout: recordForwarder(output), stderr: (line: string) => errors.write(`${line}\n`) };
  const workers = new Workers(first, log, printed);
  const stop = async () => {
    await workers.stop();
    await errors.close();
  };
  await workers.start().catch(async (error) => {
    await stop(); // workers that did start would keep this process alive
    throw error;
  });
  log.info({ workers: first.workers }, 'agent is listening with all workers');
  return {
    get workersReplaced() {
      return workers.replaced;
    },
    async states() {
      const states = (await workers.call('state')) as ProcessState[]; // workers run the same program
      // The first process logs too.
      return states.map((state, index) =>
        index === 0 ? { ...state, logLinesDropped: state.logLinesDropped + output.dropped } : state,
      );
    },
    async hits() {
      const { entries, isComplete } = mergeProcessHits((await workers.call('hits')) as Omit<Hits, 'sinceMs'>[]);
      return { entries, isComplete: isComplete && workers.replaced === 0 };
    },
    explain: async (subject) => (await workers.call('explain', subject)) as CachedVerdict[],
    flush: async (subject) =>
      ((await workers.call('flush', subject)) as number[]).reduce((sum, count) => sum + count, 0),
    async setLogLevel(level) {
      log.level = level;
      await workers.call('setLogLevel', level);
    },
    async reload(next) {
      await clearStaleSockets(next, settings.listen);
      await workers.reload(next);
      settings = next;
      log.level = next.log.level;
    },
    stop,
  };
}

function controlOf(
  started: Settings,
  processes: AgentProcesses,
  load: () => Promise<Settings>,
  manager: Notifier,
  log: Logger,
): AgentControl {
  const startedAtMs = Date.now();
  let reloads: ReloadState = { ok: 0, failed: 0 };
  return {
    async state(): Promise<AgentState> {
      const states = await processes.states();
      const { workersReplaced } = processes;
      const own = {
        pid: process.pid,
        startedAtMs,
        version: version(),
        host: hostname(),
        workers: states.length,
        workersReplaced,
        reloads,
      };
      return { ...mergeStates(states), ...own };
    },
    hits: async () => ({ sinceMs: startedAtMs, ...(await processes.hits()) }),
    explain: processes.explain,
    flush: processes.flush,
    setLogLevel: processes.setLogLevel,
    async reload() {
      manager.reloading();
      try {
        const wanted = await load();
        await processes.reload(wanted);
        reloads = { ok: reloads.ok + 1, failed: reloads.failed, lastOkAtMs: Date.now() };
        const needsRestart = changedForRestart(started, wanted);
        if (needsRestart.length > 0)
          log.warn({ settings: needsRestart }, 'changes of these settings require a restart');
        return { needsRestart };
      } catch (error) {
        const lastError = oneLine(error);
        reloads = { ...reloads, failed: reloads.failed + 1, lastError, lastErrorAtMs: Date.now() };
        log.error({ error: lastError }, 'reload failed: the previous configuration stays in force');
        return { problem: lastError };
      } finally {
        manager.ready(reloads.lastError === undefined ? LISTENING : `reload failed: ${reloads.lastError}`);
      }
    },
  };
}

async function clearStaleSockets({ listen }: Settings, known: Settings['listen']): Promise<void> {
  const systemdSockets = new SystemdSockets(process.env, process.pid);
  const paths = known.flatMap((target) => (target.type === 'unix' ? [target.path] : []));
  for (const target of listen)
    if (target.type === 'unix' && !paths.includes(target.path) && systemdSockets.take(target) === undefined)
      await clearStaleSocket(target);
}

function oneLine(error: unknown): string {
  const shown = error instanceof Error && error.cause instanceof ConfigError ? error.cause : error;
  return (shown instanceof Error ? shown.message : String(shown)).replaceAll('\n', '; ');
}

function ignored(): void {}
