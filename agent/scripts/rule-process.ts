import { type ChildProcess, fork } from 'node:child_process';
import { constants, setPriority } from 'node:os';
import { fileURLToPath } from 'node:url';
import type { Clock } from '../decision/clock.ts';
import { type Call, type Failure, type FromRules, monotonicMs, type Outcome, type ToRules } from './messages.ts';
import { MAX_MEMORY_MB } from './sentinel.ts';
import type { Sources } from './sources.ts';
import { Watchdog } from './watchdog.ts';

export interface ProcessSettings {
  /** The module, as an absolute path. */
  readonly file: string;
  /** A process that cannot be heard of for so long loops. */
  readonly stuckMs: number;
}

export interface ProcessEvents {
  /** It printed something. */
  printed(text: string): void;
  /** It is gone, or is of no use any more and being ended; its calls have failed. Told once, and not after `end`. */
  died(failure: Failure): void;
}

/** A module that could not be loaded. */
export class UnloadableError extends Error {
  override readonly name = 'UnloadableError';
  readonly place: string | undefined;

  constructor({ problem, place }: Failure) {
    super(problem);
    this.place = place;
  }
}

const LOAD_LIMIT_MS = 10_000;
const MAX_CALLS = 1_000;
const MAX_CALL_CHARACTERS = 16 * 1024 * 1024;

/** As source in a checkout, built in the package. */
const MAIN = fileURLToPath(new URL(import.meta.url.endsWith('.ts') ? './main.ts' : './main.js', import.meta.url));

/** A call that is to be made within so long. */
export type NewCall = Omit<Call, 'id' | 'endsAtMs'> & { readonly leftMs: number };

/** What came of a call; undefined where the process is gone. */
type Done = (outcome: Outcome | undefined) => void;

interface Running {
  readonly done: Done;
  readonly characters: number;
}

/** A process that has loaded the operator's module, seen from the agent. */
export class RuleProcess {
  /** The messages that the module has functions for. */
  messages: ReadonlySet<string> = new Set();
  sources: Sources | undefined;
  readonly #child: ChildProcess;
  readonly #exited: Promise<void>;
  readonly #events: ProcessEvents;
  readonly #watchdog: Watchdog;
  readonly #running = new Map<number, Running>();
  readonly #loaded = Promise.withResolvers<void>();
  #characters = 0;
  #nextId = 0;
  #outbox: Call[] = [];
  #isEnded = false;
  #onIdle = () => {};

  private constructor({ file, stuckMs }: ProcessSettings, clock: Clock, events: ProcessEvents, sources?: Sources) {
    this.#events = events;
    // Not the flags of the agent, such as --inspect; NODE_OPTIONS is for those who want some.
    this.#child = fork(MAIN, { execArgv: [], serialization: 'advanced', stdio: ['ignore', 'ignore', 'ignore', 'ipc'] });
    yieldToAgent(this.#child.pid);
    this.#watchdog = new Watchdog(clock, stuckMs, {
      ping: () => this.#send({ type: 'ping' }),
      isFull: () => this.#running.size >= MAX_CALLS,
      oldestCall: () => this.#running.keys().next().value,
      bark: (problem) => this.#die({ problem }),
    });
    this.#exited = new Promise((resolve) => {
      this.#child.once('exit', () => resolve());
      if (this.#child.pid === undefined) resolve(); // it could not be started, which `error` tells
    });
    const orphaned = () => this.#child.kill('SIGKILL');
    process.once('exit', orphaned);
    this.#exited.then(() => process.removeListener('exit', orphaned));
    this.#child.on('error', (error) => this.#die({ problem: error.message }));
    this.#child.on('message', (message: FromRules) => this.#take(message));
    this.#child.on('exit', (code, signal) => this.#onExit(deathBy(code, signal)));
    this.#send({ type: 'start', file, ...(sources === undefined ? {} : { sources }) });
  }

  /** Rejects with an `UnloadableError` if the module cannot be loaded; `sources` takes the place of the files. */
  static async start(
    settings: ProcessSettings,
    clock: Clock,
    events: ProcessEvents,
    sources?: Sources,
  ): Promise<RuleProcess> {
    const started = new RuleProcess(settings, clock, events, sources);
    const cancel = clock.after(LOAD_LIMIT_MS, () =>
      started.#loaded.reject(new UnloadableError({ problem: `is not loaded within ${LOAD_LIMIT_MS / 1000} s` })),
    );
    try {
      await started.#loaded.promise;
      started.#watchdog.start();
      return started;
    } catch (error) {
      await started.end();
      throw error;
    } finally {
      cancel();
    }
  }

  /** Has a function called; false if so much is running already that this must not. `done` is called once. */
  call({ leftMs, ...call }: NewCall, done: Done): boolean {
    const characters = sizeOf(call.arguments);
    if (this.#running.size >= MAX_CALLS || this.#characters + characters > MAX_CALL_CHARACTERS) return false;
    const id = this.#nextId++;
    this.#running.set(id, { done, characters });
    this.#characters += characters;
    this.#outbox.push({ id, ...call, endsAtMs: monotonicMs() + leftMs });
    if (this.#outbox.length === 1) setImmediate(() => this.#flush());
    return true;
  }

  /** Ends it once nothing runs any more, at the latest after so long. */
  async retire(clock: Clock, withinMs: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const cancel = clock.after(withinMs, resolve);
      this.#onIdle = () => {
        cancel();
        resolve();
      };
      if (this.#running.size === 0) this.#onIdle();
    });
    await this.end();
  }

  /** Ends it now, and resolves when it is gone. */
  async end(): Promise<void> {
    this.#isEnded = true;
    this.#failAll();
    this.#child.kill('SIGKILL');
    await this.#exited;
  }

  /** What it sent last may still be on its way. */
  #onExit(failure: Failure): void {
    if (this.#child.connected) this.#child.once('disconnect', () => this.#die(failure));
    else this.#die(failure);
  }

  #die(failure: Failure): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#loaded.reject(new UnloadableError(failure));
    this.#failAll();
    this.#events.died(failure);
  }

  #failAll(): void {
    this.#watchdog.stop();
    const running = [...this.#running.values()];
    this.#running.clear();
    this.#outbox = [];
    for (const { done } of running) done(undefined);
    this.#onIdle();
  }

  #flush(): void {
    const calls = this.#outbox;
    if (calls.length === 0) return;
    this.#outbox = [];
    this.#send({ type: 'calls', calls });
  }

  #send(message: ToRules): void {
    if (this.#child.connected) this.#child.send(message, ignoreError);
  }

  #take(message: FromRules): void {
    switch (message.type) {
      case 'outcomes':
        for (const [id, outcome] of message.outcomes) this.#settle(id, outcome);
        if (this.#running.size === 0) this.#onIdle();
        return;
      case 'pong':
        this.#watchdog.onPong();
        return;
      case 'dying':
        this.#die(message);
        return;
      case 'printed':
        this.#events.printed(message.text);
        return;
      case 'loaded':
        this.messages = new Set(message.messages);
        this.sources = message.sources;
        this.#loaded.resolve();
        return;
      case 'unloadable':
        this.#loaded.reject(new UnloadableError(message));
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
    running.done(outcome);
  }
}

function deathBy(code: number | null, signal: NodeJS.Signals | null): Failure {
  if (signal === 'SIGKILL') return { problem: `took more than ${MAX_MEMORY_MB} MB of memory` }; // the system's reason too
  return { problem: signal === null ? `ended itself with exit code ${code}` : `was ended by ${signal}` };
}

/** Where processors are short, a module that loops must not take them from the agent. */
function yieldToAgent(pid: number | undefined): void {
  try {
    if (pid !== undefined) setPriority(pid, constants.priority.PRIORITY_BELOW_NORMAL);
  } catch {
    // It is gone already, or may not be changed: it runs as it is.
  }
}

/** The process is gone, which its exit tells. */
function ignoreError(): void {}

function sizeOf(given: Call['arguments']): number {
  let characters = 0;
  for (const name in given) {
    const value = given[name];
    characters += name.length + (typeof value === 'string' ? value.length : 8);
  }
  return characters;
}
