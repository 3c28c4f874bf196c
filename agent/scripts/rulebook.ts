import type { MessageSettings, Settings } from '../../config/settings.ts';
import { varsOf } from '../../haproxy/vocabulary.ts';
import type { Clock } from '../decision/clock.ts';
import { combine } from '../decision/combine.ts';
import { type Decision, decisionOf } from '../decision/decision.ts';
import type { Engine, Question } from '../decision/engine.ts';
import { Repeated } from '../repeated.ts';
import { judgeLog, keeperLog } from './events.ts';
import { Judge } from './judge.ts';
import { Keeper } from './keeper.ts';
import type { RuleValue } from './rules.ts';

export type RulebookSettings = Pick<Settings, 'messages' | 'deadlineMs' | 'haproxy'>;

type Lookups = Pick<Engine, 'decide' | 'decideKnown'>;
type Log = Parameters<typeof keeperLog>[0];

/** Lookups get this share of the deadline where a function decides after them, so that it is asked whatever they do. */
const LOOKUP_SHARE = 0.75;

/** How long the lookups of a message may take that a function decides after them. */
export function lookupMs(deadlineMs: number): number {
  return Math.ceil(deadlineMs * LOOKUP_SHARE);
}

/** The operator's own rules: a module in a process of its own, and for each message whether it has a function for it. */
export class Rulebook {
  readonly #file: string;
  readonly #keeper: Keeper;
  readonly #repeated: Repeated;
  readonly #log: Log;
  readonly #messages: ReadonlyMap<string, MessageRules>;

  /** `engine` looks the subjects up, within `lookupMs`. */
  constructor(file: string, settings: RulebookSettings, engine: Lookups, clock: Clock, log: Log) {
    const { messages, deadlineMs, haproxy } = settings;
    this.#file = file;
    this.#log = log;
    this.#repeated = new Repeated(clock);
    const events = { ...keeperLog(log, file), loaded: (names: ReadonlySet<string>) => this.#onLoaded(names) };
    const keeper = new Keeper({ file, messages, deadlineMs }, clock, events);
    const told = { deadlineMs, vars: new Set([...varsOf(haproxy).keys(), 'split']) };
    const judge = new Judge(told, () => keeper.running, clock, judgeLog(log, this.#repeated));
    this.#keeper = keeper;
    this.#messages = new Map(messages.map((message) => [message.name, new MessageRules(message, engine, judge)]));
  }

  /** Loads the module; rejects with a `ConfigError` if it cannot be used. */
  open(): Promise<void> {
    return this.#keeper.open();
  }

  /** The rules for this message of the configuration. */
  of(message: string): MessageRules | undefined {
    return this.#messages.get(message);
  }

  /** Takes the files as they are now, or keeps what it has and says why. */
  reload(): Promise<void> {
    return this.#keeper.reload();
  }

  async close(): Promise<void> {
    this.#repeated.close();
    await this.#keeper.close();
  }

  #onLoaded(messages: ReadonlySet<string>): void {
    for (const [name, rules] of this.#messages) rules.isActive = messages.has(name);
    this.#log.info({ rules: this.#file, messages: [...messages] }, 'the rules are loaded');
  }
}

/** The part of the rules that is about one message. */
export class MessageRules {
  /** Whether the module has a function for it; also while its process is gone. */
  isActive = false;
  readonly #message: MessageSettings;
  readonly #engine: Lookups;
  readonly #judge: Judge;

  constructor(message: MessageSettings, engine: Lookups, judge: Judge) {
    this.#message = message;
    this.#engine = engine;
    this.#judge = judge;
  }

  decide(question: Question, given: Readonly<Record<string, RuleValue>>, receivedAtMs: number): Promise<Decision> {
    const { name, policy, subjects } = this.#message;
    const { address } = question;
    const asked = {
      message: name,
      arguments: given,
      address: address.words === 0 ? undefined : `ip:${address}`,
      policy,
      receivedAtMs,
    };
    return this.#judge.decide(asked, subjects.length > 0 ? this.#engine.decide(question, receivedAtMs) : NOTHING_ASKED);
  }

  /** Without asking the function: an entry stands, and it alone, as where the function cannot decide. */
  decideKnown(question: Question): Decision {
    const { policy, subjects } = this.#message;
    const listed = subjects.length > 0 ? this.#engine.decideKnown(question) : NOTHING_ASKED;
    return listed.source === 'policy' ? listed : combine([listed, 'overload'], policy);
  }
}

/** Of a message without subjects, of which everything needed is known. */
const NOTHING_ASKED = decisionOf(null, 'cache');
