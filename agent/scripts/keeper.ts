import { ConfigError } from '../../config/config-error.ts';
import { didYouMean } from '../../config/did-you-mean.ts';
import type { MessageSettings } from '../../config/settings.ts';
import type { Clock } from '../decision/clock.ts';
import type { Failure } from './messages.ts';
import { type ProcessEvents, type ProcessSettings, RuleProcess, UnloadableError } from './rule-process.ts';
import type { Sources } from './sources.ts';

export interface KeeperSettings {
  /** The module, as an absolute path. */
  readonly file: string;
  readonly messages: readonly Pick<MessageSettings, 'name' | 'subjects'>[];
  readonly deadlineMs: number;
}

export interface KeeperEvents {
  /** Another version is in use from now on, with functions for these messages. */
  loaded(messages: ReadonlySet<string>): void;
  /** The new version cannot be used; the old one stays. */
  refused(failure: Failure): void;
  /** The process is gone; the policy answers until another takes its place. */
  died(failure: Failure, restartInMs: number): void;
  restarted(): void;
  printed(text: string): void;
}

/** Whoever loops for twice the deadline, and a second at least, can be of no more use. */
const STUCK_DEADLINES = 2;
const MIN_STUCK_MS = 1_000;
const FIRST_RESTART_MS = 100;
const LAST_RESTART_MS = 30_000;
/** Whoever has lived so long is not to blame for those before. */
const HEALTHY_MS = 60_000;

/** Keeps one process with the operator's module alive, and puts a new version in its place. */
export class Keeper {
  readonly #settings: KeeperSettings;
  readonly #processSettings: ProcessSettings;
  readonly #clock: Clock;
  readonly #events: KeeperEvents;
  /** Absent while there is none that could be asked. */
  #running: RuleProcess | undefined;
  #sources: Sources | undefined;
  #restartInMs = FIRST_RESTART_MS;
  #startedAtMs = 0;
  #cancelRestart = () => {};
  /** Counts takeovers, so that a restart which was overtaken by a reload is seen. */
  #generation = 0;
  #isClosed = false;

  constructor(settings: KeeperSettings, clock: Clock, events: KeeperEvents) {
    this.#settings = settings;
    const { file, deadlineMs } = settings;
    this.#processSettings = { file, stuckMs: Math.max(MIN_STUCK_MS, STUCK_DEADLINES * deadlineMs) };
    this.#clock = clock;
    this.#events = events;
  }

  get running(): RuleProcess | undefined {
    return this.#running;
  }

  /** Rejects with a `ConfigError` if the module cannot be used. */
  async open(): Promise<void> {
    try {
      await this.#takeOver(await this.#startChecked());
    } catch (error) {
      const { problem, place = this.#settings.file } = failureOf(error);
      throw new ConfigError([{ where: place, setting: 'rules', message: problem }], { cause: error });
    }
  }

  /** Loads the files as they are now; never rejects, and changes nothing if that fails. */
  async reload(): Promise<void> {
    try {
      await this.#takeOver(await this.#startChecked());
    } catch (error) {
      this.#events.refused(failureOf(error));
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#generation++;
    this.#cancelRestart();
    await this.#running?.end();
    this.#running = undefined;
  }

  async #startChecked(): Promise<RuleProcess> {
    const running = await this.#start();
    const problem = problemOf(running.messages, this.#settings.messages);
    if (problem === undefined) return running;
    await running.end();
    throw new UnloadableError({ problem });
  }

  async #start(sources?: Sources): Promise<RuleProcess> {
    let running: RuleProcess | undefined;
    const events: ProcessEvents = {
      printed: (text) => this.#events.printed(text),
      died: (failure) => {
        if (running !== undefined && running === this.#running) this.#onDeath(running, failure);
      },
    };
    running = await RuleProcess.start(this.#processSettings, this.#clock, events, sources);
    return running;
  }

  async #takeOver(running: RuleProcess): Promise<void> {
    if (this.#isClosed) return running.end();
    const old = this.#running;
    this.#generation++;
    this.#cancelRestart();
    this.#restartInMs = FIRST_RESTART_MS;
    this.#sources = running.sources;
    this.#use(running);
    this.#events.loaded(running.messages);
    await old?.retire(this.#clock, this.#settings.deadlineMs);
  }

  #use(running: RuleProcess): void {
    this.#running = running;
    this.#startedAtMs = this.#clock.nowMs();
  }

  #onDeath(running: RuleProcess, failure: Failure): void {
    this.#running = undefined;
    if (this.#clock.nowMs() - this.#startedAtMs >= HEALTHY_MS) this.#restartInMs = FIRST_RESTART_MS;
    this.#events.died(failure, this.#restartInMs);
    const generation = ++this.#generation;
    // Only once it is gone: those that hang in the system must not pile up.
    running.end().then(() => this.#restartLater(generation));
  }

  #restartLater(generation: number): void {
    if (generation !== this.#generation) return;
    const delayMs = this.#restartInMs;
    this.#restartInMs = Math.min(2 * delayMs, LAST_RESTART_MS);
    this.#cancelRestart = this.#clock.after(delayMs, () => void this.#restart(generation));
  }

  async #restart(generation: number): Promise<void> {
    try {
      const running = await this.#start(this.#sources);
      if (generation !== this.#generation) return await running.end();
      this.#use(running);
      this.#events.restarted();
    } catch (error) {
      if (generation !== this.#generation) return;
      this.#events.died(failureOf(error), this.#restartInMs);
      this.#restartLater(generation);
    }
  }
}

/** Why a module with these functions does not suit these messages. */
function problemOf(functions: ReadonlySet<string>, messages: KeeperSettings['messages']): string | undefined {
  const names = messages.map(({ name }) => name);
  const unknown = [...functions].find((name) => !names.includes(name));
  if (unknown !== undefined) {
    const meant = didYouMean(unknown, names);
    const hint = meant === undefined ? `known are ${names.join(', ')}` : `did you mean ${meant}?`;
    return `has a function for ${unknown}, and the configuration no such message: ${hint}`;
  }
  const missing = messages.find(({ name, subjects }) => subjects.length === 0 && !functions.has(name));
  return missing && `has no function for ${missing.name}, and that message has no subjects to look up`;
}

function failureOf(error: unknown): Failure {
  if (!(error instanceof UnloadableError)) throw error;
  return { problem: error.message, ...(error.place === undefined ? {} : { place: error.place }) };
}
