import { ConfigError } from '../config/config-error.ts';
import type { LogLevel, Settings } from '../config/settings.ts';
import { AdminServer } from './admin/server.ts';
import { AdminSocket } from './admin/socket/server.ts';
import { Agent } from './agent.ts';
import { systemClock } from './decision/clock.ts';
import { nonBlockingStdout } from './lifecycle/non-blocking-stdout.ts';
import { onReloadSignal, onStateSignal, untilStopSignal } from './lifecycle/signals.ts';
import { type Notifier, openNotifier } from './lifecycle/systemd-notify.ts';
import { SystemdSockets } from './lifecycle/systemd-sockets.ts';
import { serveCalls } from './lifecycle/worker-rpc.ts';
import { isWorker, orders, reportListening, Workers } from './lifecycle/workers.ts';
import { createLog, type Logger, recordForwarder } from './log.ts';
import { LogOutput } from './log-output.ts';
import { checkScript } from './scripts/supervisor.ts';
import { AccessError, clearStaleSocket } from './server/socket-file.ts';
import type { AgentControl, CachedVerdict } from './state/agent-control.ts';
import { mergeStates } from './state/merge.ts';
import type { AgentState, ProcessState, ReloadState } from './state/state.ts';
import { version } from './version.ts';

const LISTENING = 'listening';
const STDERR = 2;

/** The agent, in one process or several. */
interface AgentProcesses {
  readonly workersReplaced: number;
  states(): Promise<readonly ProcessState[]>;
  explain(subject: string): Promise<readonly CachedVerdict[]>;
  flush(subject?: string): Promise<number>;
  setLogLevel(level: LogLevel): Promise<void>;
  /** Rejects, with the old settings in force, if these cannot be used. */
  reload(settings: Settings): Promise<void>;
  stop(): Promise<void>;
}

/** Runs the agent until it is told to stop. `load` reads the configuration, again at a reload. Rejects if it cannot start. */
export async function runAgent(load: () => Promise<Settings>): Promise<void> {
  // Of several processes the first one binds, whenever another asks it to: what is made is closed until access is granted.
  process.umask(0o077);
  if (isWorker()) return runWorker();
  const settings = await load();
  const output = new LogOutput(nonBlockingStdout());
  const log = createLog(settings.log.level, output);
  // Before memory grows: it starts a helper.
  const manager = openNotifier(process.env, (problem) => log.warn({ problem }, 'cannot notify systemd'));
  try {
    await runProcesses(settings, load, manager, log, output);
  } catch (error) {
    // It does not become right by trying again.
    throw error instanceof AccessError
      ? new ConfigError([{ where: 'this host', setting: 'listen', message: error.message }])
      : error;
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
  const controlling = starting.then((crew) => controlOf(crew, load, manager, log));
  controlling.catch(ignored); // told below, where the start is waited for
  onReloadSignal(() => controlling.then((control) => control.reload()).then(ignored, ignored));
  onStateSignal(
    () => void controlling.then(async (control) => log.info(await control.state(), 'state')).catch(ignored),
  );
  const crew = await starting;
  const admin = await openAdmin(settings, await controlling, log).catch(async (error) => {
    await crew.stop();
    throw error;
  });
  manager.ready(LISTENING);
  const signal = await stopped;
  manager.stopping();
  admin.stopping();
  log.info({ signal }, 'stopping: answering pending requests');
  await crew.stop();
  await admin.close();
  log.info('stopped');
}

/** What shows the agent and what commands it, where the settings want them. */
async function openAdmin({ admin: { listen, hosts, socket } }: Settings, control: AgentControl, log: Logger) {
  const shown = listen && new AdminServer(listen, { state: control.state, clock: systemClock, hosts });
  await shown?.open();
  if (shown !== undefined) log.info({ address: shown.address }, 'admin HTTP server is listening');
  const commanded =
    socket &&
    (await AdminSocket.open(socket, control, log).catch(async (error) => {
      await shown?.close();
      throw error;
    }));
  return {
    stopping: () => shown?.stopping(),
    async close() {
      if (commanded) await commanded.close();
      await shown?.close();
    },
  };
}

async function runWorker(): Promise<void> {
  const stopped = untilStopSignal(true);
  // The first process does for all what these ask for.
  onReloadSignal(async () => {});
  onStateSignal(ignored);
  const { settings, savesCache } = await orders();
  const output = new LogOutput(nonBlockingStdout());
  const log = createLog(settings.log.level, output);
  try {
    await serveAsWorker(settings, savesCache, log, output, stopped);
  } finally {
    await output.close();
  }
}

async function serveAsWorker(
  settings: Settings,
  savesCache: boolean,
  log: Logger,
  output: LogOutput,
  stopped: Promise<unknown>,
): Promise<void> {
  const passed = new SystemdSockets(process.env, process.ppid);
  const agent = await Agent.start(settings, log, savesCache, passed);
  serveCalls(process, {
    state: (): ProcessState => ({ ...agent.state, logLinesDropped: output.dropped }),
    explain: (subject: string) => agent.explain(subject),
    flush: (subject?: string) => agent.flush(subject),
    setLogLevel(level: LogLevel) {
      log.level = level;
    },
    reload: (next: Settings) => agent.reload(next),
  });
  reportListening();
  await stopped;
  await agent.stop();
}

async function startProcesses(settings: Settings, log: Logger, output: LogOutput): Promise<AgentProcesses> {
  return settings.workers === 1 ? startAlone(settings, log, output) : startWorkers(settings, log, output);
}

async function startAlone(settings: Settings, log: Logger, output: LogOutput): Promise<AgentProcesses> {
  const agent = await Agent.start(settings, log, true, new SystemdSockets(process.env, process.pid));
  return {
    workersReplaced: 0,
    states: async () => [{ ...agent.state, logLinesDropped: output.dropped }],
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
  // Once, before the first worker binds: to the second it would look like a socket in use.
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
    await stop(); // those that did start keep this process
    throw error;
  });
  log.info({ workers: first.workers }, 'agent is listening with all workers');
  return {
    get workersReplaced() {
      return workers.replaced;
    },
    async states() {
      const states = (await workers.call('state')) as ProcessState[]; // of one program
      // The first process logs too.
      return states.map((state, index) =>
        index === 0 ? { ...state, logLinesDropped: state.logLinesDropped + output.dropped } : state,
      );
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

function controlOf(crew: AgentProcesses, load: () => Promise<Settings>, manager: Notifier, log: Logger): AgentControl {
  const startedAtMs = Date.now();
  let reloads: ReloadState = { ok: 0, failed: 0 };
  return {
    async state(): Promise<AgentState> {
      const states = await crew.states();
      const { workersReplaced } = crew;
      const own = {
        pid: process.pid,
        startedAtMs,
        version: version(),
        workers: states.length,
        workersReplaced,
        reloads,
      };
      return { ...mergeStates(states), ...own };
    },
    explain: crew.explain,
    flush: crew.flush,
    setLogLevel: crew.setLogLevel,
    async reload() {
      manager.reloading();
      try {
        await crew.reload(await load());
        reloads = { ok: reloads.ok + 1, failed: reloads.failed, lastOkAtMs: Date.now() };
        return undefined;
      } catch (error) {
        const lastError = oneLine(error);
        reloads = { ...reloads, failed: reloads.failed + 1, lastError };
        log.error({ error: lastError }, 'reload failed: the previous configuration stays in force');
        return lastError;
      } finally {
        manager.ready(reloads.lastError === undefined ? LISTENING : `reload failed: ${reloads.lastError}`);
      }
    },
  };
}

async function clearStaleSockets({ listen }: Settings, known: Settings['listen']): Promise<void> {
  const passed = new SystemdSockets(process.env, process.pid);
  const paths = known.flatMap((target) => (target.type === 'unix' ? [target.path] : []));
  for (const target of listen)
    if (target.type === 'unix' && !paths.includes(target.path) && passed.take(target) === undefined)
      await clearStaleSocket(target);
}

function oneLine(error: unknown): string {
  const told = error instanceof Error && error.cause instanceof ConfigError ? error.cause : error;
  return (told instanceof Error ? told.message : String(told)).replaceAll('\n', '; ');
}

function ignored(): void {}
