import { type ChildProcess, fork } from 'node:child_process';
import { constants, setPriority } from 'node:os';
import { fileURLToPath } from 'node:url';
import type { Clock } from '../decision/clock.ts';
import type { ModuleSources } from './child/module-sources.ts';
import {
  type Call,
  type Failure,
  type FromChild,
  MAX_MEMORY_MB,
  monotonicMs,
  type Outcome,
  type ToChild,
} from './ipc.ts';
import { Watchdog } from './watchdog.ts';

export interface ScriptProcessSettings {
  /** The script, as an absolute path. */
  readonly file: string;
  /** A process that has not responded for this long is killed. */
  readonly stuckMs: number;
}

export interface ScriptProcessEvents {
  /** The script wrote to its standard output or standard error. */
  output(text: string): void;
  /** The process is gone, or is stuck and must be killed; its calls have failed. Emitted once, and not after `kill`. */
  died(failure: Failure): void;
}

/** The script could not be loaded. */
export class ScriptLoadError extends Error {
  override readonly name = 'ScriptLoadError';
  readonly place: string | undefined;

  constructor({ problem, place }: Failure) {
    super(problem);
    this.place = place;
  }
}

const LOAD_LIMIT_MS = 10_000;
const MAX_CALLS = 1_000;
const MAX_CALL_CHARACTERS = 16 * 1024 * 1024;

/** TypeScript in a checkout, JavaScript in the package. */
const EXTENSION = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
const MAIN = fileURLToPath(new URL(`./child/main.${EXTENSION}`, import.meta.url));

export type NewCall = Omit<Call, 'id' | 'deadlineAtMs'> & { readonly leftMs: number };

/** Receives the outcome of a call; undefined if the process died. */
type OutcomeCallback = (outcome: Outcome | undefined) => void;

interface RunningCall {
  readonly callback: OutcomeCallback;
  readonly characters: number;
}

/** The agent's handle for a child process that has loaded the script. */
export class ScriptProcess {
  /** The messages that the script has functions for. */
  messages: ReadonlySet<string> = new Set();
  sources: ModuleSources | undefined;
  readonly #child: ChildProcess;
  readonly #exited: Promise<void>;
  readonly #events: ScriptProcessEvents;
  readonly #watchdog: Watchdog;
  readonly #running = new Map<number, RunningCall>();
  readonly #loaded = Promise.withResolvers<void>();
  #characters = 0;
  #nextId = 0;
  #unsent: Call[] = [];
  #isDead = false;
  #onIdle = () => {};

  private constructor(
    { file, stuckMs }: ScriptProcessSettings,
    clock: Clock,
    events: ScriptProcessEvents,
    sources?: ModuleSources,
  ) {
    this.#events = events;
    // without the agent's own flags, such as --inspect; operators can use NODE_OPTIONS
    this.#child = fork(MAIN, { execArgv: [], serialization: 'advanced', stdio: ['ignore', 'ignore', 'ignore', 'ipc'] });
    lowerPriority(this.#child.pid);
    this.#watchdog = new Watchdog(clock, stuckMs, {
      ping: () => this.#send({ type: 'ping' }),
      isFull: () => this.#running.size >= MAX_CALLS,
      oldestCall: () => this.#running.keys().next().value,
      onStuck: (problem) => this.#die({ problem }),
    });
    this.#exited = new Promise((resolve) => {
      this.#child.once('exit', () => resolve());
      if (this.#child.pid === undefined) resolve(); // fork failed: an `error` event follows instead of `exit`
    });
    const killChild = () => this.#child.kill('SIGKILL');
    process.once('exit', killChild);
    this.#exited.then(() => process.removeListener('exit', killChild));
    this.#child.on('error', (error) => this.#die({ problem: error.message }));
    this.#child.on('message', (message: FromChild) => this.#onMessage(message));
    this.#child.on('exit', (code, signal) => this.#onExit(causeOfDeath(code, signal)));
    this.#send({ type: 'load', file, ...(sources === undefined ? {} : { sources }) });
  }

  /** Rejects with a `ScriptLoadError` if the script cannot be loaded; `sources` replace the files. */
  static async start(
    settings: ScriptProcessSettings,
    clock: Clock,
    events: ScriptProcessEvents,
    sources?: ModuleSources,
  ): Promise<ScriptProcess> {
    const started = new ScriptProcess(settings, clock, events, sources);
    const cancel = clock.after(LOAD_LIMIT_MS, () =>
      started.#loaded.reject(new ScriptLoadError({ problem: `did not load within ${LOAD_LIMIT_MS / 1000} s` })),
    );
    try {
      await started.#loaded.promise;
      started.#watchdog.start();
      return started;
    } catch (error) {
      await started.kill();
      throw error;
    } finally {
      cancel();
    }
  }

  /** Calls a function; returns false without calling it if too many calls are in progress. `callback` is called once. */
  call({ leftMs, ...call }: NewCall, callback: OutcomeCallback): boolean {
    const characters = sizeOf(call.arguments);
    if (this.#running.size >= MAX_CALLS || this.#characters + characters > MAX_CALL_CHARACTERS) return false;
    const id = this.#nextId++;
    this.#running.set(id, { callback, characters });
    this.#characters += characters;
    this.#unsent.push({ id, ...call, deadlineAtMs: monotonicMs() + leftMs });
    if (this.#unsent.length === 1) setImmediate(() => this.#flush());
    return true;
  }

  /** Kills the process when no calls are in progress, or after `withinMs`. */
  async retire(clock: Clock, withinMs: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const cancel = clock.after(withinMs, resolve);
      this.#onIdle = () => {
        cancel();
        resolve();
      };
      if (this.#running.size === 0) this.#onIdle();
    });
    await this.kill();
  }

  /** Kills the process, and resolves when it has exited. */
  async kill(): Promise<void> {
    this.#isDead = true;
    this.#failAll();
    this.#child.kill('SIGKILL');
    await this.#exited;
  }

  /** Messages may still arrive after the exit: `crashed` says more than an exit code. */
  #onExit(failure: Failure): void {
    if (this.#child.connected) this.#child.once('disconnect', () => this.#die(failure));
    else this.#die(failure);
  }

  #die(failure: Failure): void {
    if (this.#isDead) return;
    this.#isDead = true;
    this.#loaded.reject(new ScriptLoadError(failure));
    this.#failAll();
    this.#events.died(failure);
  }

  #failAll(): void {
    this.#watchdog.stop();
    const running = [...this.#running.values()];
    this.#running.clear();
    this.#unsent = [];
    for (const { callback } of running) callback(undefined);
    this.#onIdle();
  }

  #flush(): void {
    const calls = this.#unsent;
    if (calls.length === 0) return;
    this.#unsent = [];
    this.#send({ type: 'calls', calls });
  }

  #send(message: ToChild): void {
    if (this.#child.connected) this.#child.send(message, ignoreError);
  }

  #onMessage(message: FromChild): void {
    switch (message.type) {
      case 'outcomes':
        for (const [id, outcome] of message.outcomes) this.#settle(id, outcome);
        if (this.#running.size === 0) this.#onIdle();
        return;
      case 'pong':
        this.#watchdog.onPong();
        return;
      case 'crashed':
        this.#die(message);
        return;
      case 'output':
        this.#events.output(message.text);
        return;
      case 'loaded':
        this.messages = new Set(message.messages);
        this.sources = message.sources;
        this.#loaded.resolve();
        return;
      case 'load-failed':
        this.#loaded.reject(new ScriptLoadError(message));
        return;
      default:
        message satisfies never;
    }
  }

  #settle(id: number, outcome: Outcome): void {
    const running = this.#running.get(id);
    if (running === undefined) return;
    this.#running.delete(id);
    this.#characters -= running.characters;
    running.callback(outcome);
  }
}

function causeOfDeath(code: number | null, signal: NodeJS.Signals | null): Failure {
  // the kernel kills for the same reason as the memory guard
  if (signal === 'SIGKILL') return { problem: `used more than ${MAX_MEMORY_MB} MB of memory` };
  return { problem: signal === null ? `exited with code ${code}` : `was killed by ${signal}` };
}

/** A busy script must not take CPU time from the agent. */
function lowerPriority(pid: number | undefined): void {
  try {
    if (pid !== undefined) setPriority(pid, constants.priority.PRIORITY_BELOW_NORMAL);
  } catch {
    // the process is gone already, or the system forbids it: it runs with the agent's priority
  }
}

/** A failed send means that the process is gone, which `exit` reports. */
function ignoreError(): void {}

function sizeOf(given: Call['arguments']): number {
  let characters = 0;
  for (const name in given) {
    const value = given[name];
    characters += name.length + (typeof value === 'string' ? value.length : 8);
  }
  return characters;
}
