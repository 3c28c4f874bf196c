import { ConfigError } from '../../config/config-error.ts';
import { didYouMean } from '../../config/did-you-mean.ts';
import type { MessageSettings } from '../../config/settings.ts';
import { Backoff } from '../decision/backoff.ts';
import { type Clock, systemClock } from '../decision/clock.ts';
import type { ModuleSources } from './child/module-sources.ts';
import type { Failure } from './ipc.ts';
import {
  ScriptLoadError,
  ScriptProcess,
  type ScriptProcessEvents,
  type ScriptProcessSettings,
} from './script-process.ts';

export interface SupervisorSettings {
  /** The script, as an absolute path. */
  readonly file: string;
  readonly messages: readonly Pick<MessageSettings, 'name' | 'subjects'>[];
  readonly deadlineMs: number;
}

export interface SupervisorEvents {
  /** A new version is in use from now on, with functions for these messages. */
  loaded(messages: ReadonlySet<string>): void;
  /** The new version cannot be used; the old one stays in use. */
  reloadFailed(failure: Failure): void;
  /** The process died; there is none until the restart. */
  died(failure: Failure, restartInMs: number): void;
  restarted(): void;
  output(text: string): void;
}

/** A process counts as stuck after two deadlines without a response, and not before one second. */
const STUCK_DEADLINES = 2;
const MIN_STUCK_MS = 1_000;
const FIRST_RESTART_MS = 100;
const LAST_RESTART_MS = 30_000;
/** A process that lived this long resets the restart delay. */
const HEALTHY_MS = 60_000;

/** Keeps one script process alive, and replaces it on reload. */
export class Supervisor {
  readonly #settings: SupervisorSettings;
  readonly #processSettings: ScriptProcessSettings;
  readonly #clock: Clock;
  readonly #events: SupervisorEvents;
  /** Undefined between a death and the restart. */
  #current: ScriptProcess | undefined;
  #sources: ModuleSources | undefined;
  readonly #backoff = new Backoff(FIRST_RESTART_MS, LAST_RESTART_MS);
  #startedAtMs = 0;
  #cancelRestart = () => {};
  /** Counts replacements: a restart that a reload has overtaken recognizes itself by it. */
  #generation = 0;
  #isClosed = false;

  constructor(settings: SupervisorSettings, clock: Clock, events: SupervisorEvents) {
    this.#settings = settings;
    const { file, deadlineMs } = settings;
    this.#processSettings = { file, stuckMs: Math.max(MIN_STUCK_MS, STUCK_DEADLINES * deadlineMs) };
    this.#clock = clock;
    this.#events = events;
  }

  get current(): ScriptProcess | undefined {
    return this.#current;
  }

  /** Rejects with a `ConfigError` if the script cannot be used. */
  async open(): Promise<void> {
    try {
      await this.#replace(await this.#startChecked());
    } catch (error) {
      const { problem, place = this.#settings.file } = toFailure(error);
      throw new ConfigError([{ where: place, setting: 'script', message: problem }], { cause: error });
    }
  }

  /** Loads the files again; never rejects, and changes nothing if that fails. */
  async reload(): Promise<void> {
    try {
      await this.#replace(await this.#startChecked());
    } catch (error) {
      this.#events.reloadFailed(toFailure(error));
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#generation++;
    this.#cancelRestart();
    await this.#current?.kill();
    this.#current = undefined;
  }

  async #startChecked(): Promise<ScriptProcess> {
    const started = await this.#start();
    const problem = mismatch(started.messages, this.#settings.messages);
    if (problem === undefined) return started;
    await started.kill();
    throw new ScriptLoadError({ problem });
  }

  async #start(sources?: ModuleSources): Promise<ScriptProcess> {
    let started: ScriptProcess | undefined;
    const events: ScriptProcessEvents = {
      output: (text) => this.#events.output(text),
      died: (failure) => {
        if (started !== undefined && started === this.#current) this.#onDeath(started, failure);
      },
    };
    started = await ScriptProcess.start(this.#processSettings, this.#clock, events, sources);
    return started;
  }

  async #replace(next: ScriptProcess): Promise<void> {
    if (this.#isClosed) return next.kill();
    const old = this.#current;
    this.#generation++;
    this.#cancelRestart();
    this.#backoff.reset();
    this.#sources = next.sources;
    this.#use(next);
    this.#events.loaded(next.messages);
    await old?.retire(this.#clock, this.#settings.deadlineMs);
  }

  #use(started: ScriptProcess): void {
    this.#current = started;
    this.#startedAtMs = this.#clock.nowMs();
  }

  #onDeath(dead: ScriptProcess, failure: Failure): void {
    this.#current = undefined;
    if (this.#clock.nowMs() - this.#startedAtMs >= HEALTHY_MS) this.#backoff.reset();
    this.#events.died(failure, this.#backoff.nextMs);
    const generation = ++this.#generation;
    // wait for the exit: processes that hang in a system call must not pile up
    dead.kill().then(() => this.#scheduleRestart(generation));
  }

  #scheduleRestart(generation: number): void {
    if (generation !== this.#generation) return;
    this.#cancelRestart = this.#clock.after(this.#backoff.take(), () => void this.#restart(generation));
  }

  async #restart(generation: number): Promise<void> {
    try {
      const started = await this.#start(this.#sources);
      if (generation !== this.#generation) return await started.kill();
      this.#use(started);
      this.#events.restarted();
    } catch (error) {
      if (generation !== this.#generation) return;
      this.#events.died(toFailure(error), this.#backoff.nextMs);
      this.#scheduleRestart(generation);
    }
  }
}

/** Loads a script once to see whether it can be used; returns the messages that it decides. Throws ConfigError. */
export async function checkScript(settings: SupervisorSettings): Promise<readonly string[]> {
  const ignore = () => {};
  const events = { loaded: ignore, reloadFailed: ignore, died: ignore, restarted: ignore, output: ignore };
  const supervisor = new Supervisor(settings, systemClock, events);
  try {
    await supervisor.open();
    return [...(supervisor.current?.messages ?? [])];
  } finally {
    await supervisor.close();
  }
}

/** Why a script with these functions does not fit these messages; undefined if it does. */
function mismatch(functions: ReadonlySet<string>, messages: SupervisorSettings['messages']): string | undefined {
  const names = messages.map(({ name }) => name);
  const unknown = [...functions].find((name) => !names.includes(name));
  if (unknown !== undefined) {
    const meant = didYouMean(unknown, names);
    const hint = meant === undefined ? `known are ${names.join(', ')}` : `did you mean ${meant}?`;
    return `has a function for ${unknown}, but the configuration has no such message: ${hint}`;
  }
  const missing = messages.find(({ name, subjects }) => subjects.length === 0 && !functions.has(name));
  return missing && `has no function for ${missing.name}, and that message has no subjects to look up`;
}

function toFailure(error: unknown): Failure {
  if (!(error instanceof ScriptLoadError)) throw error;
  return { problem: error.message, ...(error.place === undefined ? {} : { place: error.place }) };
}
