import type { MessageSettings, Settings } from '../../config/settings.ts';
import { varsOf } from '../../haproxy/variables.ts';
import { ThrottledLog } from '../../spop/throttled-log.ts';
import type { Clock } from '../decision/clock.ts';
import { combine } from '../decision/combine.ts';
import { type Decision, decisionOf } from '../decision/decision.ts';
import type { Engine, Question } from '../decision/engine.ts';
import { scriptRunnerLog, supervisorLog } from './script-log.ts';
import { ScriptRunner } from './script-runner.ts';
import type { ArgumentValue } from './script-types.ts';
import { Supervisor } from './supervisor.ts';

export type ScriptSettings = Pick<Settings, 'messages' | 'deadlineMs' | 'haproxy'>;

type Lookups = Pick<Engine, 'decide' | 'decideKnown'>;
type Log = Parameters<typeof supervisorLog>[0];

/** The share of the deadline for lookups that precede a script function: the function is called even if they time out. */
const LOOKUP_SHARE = 0.75;

/** How long the lookups of a message may take before its script function is called. */
export function lookupMs(deadlineMs: number): number {
  return Math.ceil(deadlineMs * LOOKUP_SHARE);
}

/** The operator's script: a module in a process of its own, and for each message whether it has a function. */
export class Script {
  readonly #file: string;
  readonly #supervisor: Supervisor;
  readonly #repeated: ThrottledLog;
  readonly #log: Log;
  readonly #messages: ReadonlyMap<string, MessageScript>;

  /** `engine` looks the subjects up, within `lookupMs`. */
  constructor(file: string, settings: ScriptSettings, engine: Lookups, clock: Clock, log: Log) {
    const { messages, deadlineMs, haproxy } = settings;
    this.#file = file;
    this.#log = log;
    this.#repeated = new ThrottledLog(clock);
    const events = { ...supervisorLog(log, file), loaded: (names: ReadonlySet<string>) => this.#onLoaded(names) };
    const supervisor = new Supervisor({ file, messages, deadlineMs }, clock, events);
    const runnerSettings = { deadlineMs, vars: new Set([...varsOf(haproxy).keys(), 'split']) };
    const runnerEvents = scriptRunnerLog(log, this.#repeated);
    const runner = new ScriptRunner(runnerSettings, () => supervisor.current, clock, runnerEvents);
    this.#supervisor = supervisor;
    this.#messages = new Map(messages.map((message) => [message.name, new MessageScript(message, engine, runner)]));
  }

  /** Loads the script; rejects with a `ConfigError` if it cannot be used. */
  open(): Promise<void> {
    return this.#supervisor.open();
  }

  /** The part for this message of the configuration. */
  forMessage(name: string): MessageScript | undefined {
    return this.#messages.get(name);
  }

  /** Loads the files again, or keeps the loaded version and logs why. */
  reload(): Promise<void> {
    return this.#supervisor.reload();
  }

  async close(): Promise<void> {
    this.#repeated.close();
    await this.#supervisor.close();
  }

  #onLoaded(names: ReadonlySet<string>): void {
    for (const [name, message] of this.#messages) message.isActive = names.has(name);
    this.#log.info({ script: this.#file, messages: [...names] }, 'script loaded');
  }
}

/** The script's function for one message. */
export class MessageScript {
  /** Whether the script has a function for this message; stays true while the process is restarted. */
  isActive = false;
  readonly #message: MessageSettings;
  readonly #engine: Lookups;
  readonly #runner: ScriptRunner;

  constructor(message: MessageSettings, engine: Lookups, runner: ScriptRunner) {
    this.#message = message;
    this.#engine = engine;
    this.#runner = runner;
  }

  decide(question: Question, given: Readonly<Record<string, ArgumentValue>>, receivedAtMs: number): Promise<Decision> {
    const { name, policy, subjects } = this.#message;
    const { address } = question;
    const input = {
      message: name,
      arguments: given,
      address: address.words === 0 ? undefined : `ip:${address}`,
      policy,
      receivedAtMs,
    };
    const listed = subjects.length > 0 ? this.#engine.decide(question, receivedAtMs) : NO_SUBJECTS;
    return this.#runner.decide(input, listed);
  }

  /** Decides without calling the function, as if it were overloaded: an entry in the cache stands, else the policy. */
  decideKnown(question: Question): Decision {
    const { policy, subjects } = this.#message;
    const listed = subjects.length > 0 ? this.#engine.decideKnown(question) : NO_SUBJECTS;
    return listed.source === 'policy' ? listed : combine([listed, 'overload'], policy);
  }
}

/** The decision of the lists on a message without subjects. */
const NO_SUBJECTS = decisionOf(null, 'cache');
