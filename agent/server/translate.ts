import { LONGEST_ADDRESS } from '../../contract/address.ts';
import { isOddPath } from '../../contract/path.ts';
import type { Policy, Reason } from '../../contract/policy.ts';
import { ALWAYS_THERE } from '../../contract/subject.ts';
import { COOKIE_ARGUMENT } from '../../haproxy/vocabulary.ts';
import { decodeText } from '../../spop/cursor.ts';
import { DataType } from '../../spop/data.ts';
import { SpopError } from '../../spop/errors.ts';
import type { Frame } from '../../spop/frame.ts';
import { NotifyReader } from '../../spop/notify.ts';
import type { FrameReader } from '../../spop/reader.ts';
import { Address } from '../decision/address.ts';
import type { Decision } from '../decision/decision.ts';
import type { Question } from '../decision/engine.ts';
import { decideByPolicy } from '../decision/policy.ts';
import type { Refinement } from '../decision/refine.ts';
import { DecisionStats } from '../state/decision-stats.ts';
import { AddressSuffix } from './address-suffix.ts';
import { type Answer, NO_ANSWER, type Outlet } from './answer.ts';
import { type Arguments, bytesOf, readArguments, textOf } from './arguments.ts';
import type { NotifyHandler } from './connection.ts';
import { HotPath, type Recaller } from './hot-path.ts';
import type { OutputBuffer } from './output.ts';
import { References } from './reference.ts';
import { clientOf, readCookies, type Texts, textsIn, textsOf } from './subject-texts.ts';
import { Teller } from './teller.ts';

/** What the configuration says of one message. */
export interface MessageRule {
  readonly name: string;
  readonly policy: Policy;
  /** In order of precedence; on the wire each argument has the name of its kind. */
  readonly kinds: readonly string[];
  /** Of the kinds, those without which a request is odd, beside those that every request has. */
  readonly required?: readonly string[];
  /** What becomes of a path that servers may read as another; absent for `refuse`. */
  readonly oddPaths?: 'refuse' | 'pass';
  /** The cookies that the agent reads from the whole header, by their kind. */
  readonly cookies?: ReadonlyMap<string, string>;
  readonly outlet: Outlet;
  /** What becomes of a decision before it is told; absent where that is nothing. */
  readonly refinement?: Refinement;
  /** The operator's own rules for it. */
  readonly custom?: CustomRules | undefined;
}

/** Rules of the operator's, which have the last word. */
export interface CustomRules {
  /** Whether there are any for this message now. */
  readonly isActive: boolean;
  /** Reads the question before it returns, like `Decider`. */
  decide(question: Question, given: Arguments, receivedAtMs: number): Promise<Decision>;
  /** Decides without asking the rules: what an entry in the cache says, else the policy. */
  decideKnown(question: Question, receivedAtMs: number): Decision;
}

/** Whoever decides questions. */
export interface Decider extends Recaller {
  decide(question: Question, receivedAtMs: number): Decision | Promise<Decision>;
  /** Decides from what is cached, without a lookup: what is not known is policy `overload`. */
  decideKnown(question: Question, receivedAtMs: number): Decision;
}

export interface TranslatorEvents {
  /** HAProxy sends a message that the configuration does not have: one side is ahead of the other. */
  unknownMessage(name: string): void;
  /** Our own code failed; the policy answered for it. */
  internalError(error: unknown): void;
}

interface KnownMessage {
  readonly rule: MessageRule;
  readonly decider: Omit<Decider, 'recall'>;
  readonly teller: Teller;
  readonly name: Uint8Array;
  /** Of its arguments, which are its kinds and then the Cookie header. */
  readonly names: readonly Uint8Array[];
  /** Which of the arguments is `ip`; behind all of them if none is. */
  readonly addressAt: number;
  /** Which of the kinds must be there. */
  readonly neededAt: readonly number[];
}

interface Decided {
  readonly teller: Teller;
  readonly decision: Decision | Promise<Decision>;
  /** The `ip` subject of the question, if it had one. */
  readonly address: string | undefined;
}

const IP = 'ip';
const PATH = 'path';

/** Of a message that brings nothing but arguments for rules. */
const NOTHING_TO_LOOK_UP: Omit<Decider, 'recall'> = {
  decide: () => NOTHING_LISTED,
  decideKnown: () => NOTHING_LISTED,
};
const NOTHING_LISTED: Decision = { action: 'allow', source: 'cache' };

/** The only file that speaks both languages: NOTIFY frames to questions, decisions to answers. */
export class Translator implements NotifyHandler {
  readonly #messages: readonly KnownMessage[];
  readonly #hot: HotPath | undefined;
  readonly #hotRule: MessageRule | undefined;
  readonly #events: TranslatorEvents;
  readonly #reader = new NotifyReader();
  readonly #address: Address;
  readonly #question: { -readonly [Key in keyof Question]: Question[Key] };

  constructor(
    rules: readonly MessageRule[],
    decider: Decider,
    events: TranslatorEvents,
    address = new Address(),
    stats = new DecisionStats(),
    references = new References(),
  ) {
    const suffix = new AddressSuffix(address);
    this.#messages = rules.map((rule) => ({
      rule,
      decider: rule.kinds.length === 0 ? NOTHING_TO_LOOK_UP : decider,
      teller: new Teller(rule, suffix, references, stats, events),
      name: Buffer.from(rule.name),
      names: [...rule.kinds, ...(rule.cookies === undefined ? [] : [COOKIE_ARGUMENT])].map((name) => Buffer.from(name)),
      // behind the kinds stands the header of the cookies, where it is sent
      addressAt: rule.kinds.includes(IP) ? rule.kinds.indexOf(IP) : rule.kinds.length + 1,
      neededAt: [...rule.kinds.keys()].filter((at) => isNeeded(rule, rule.kinds[at] as string)),
    }));
    const usual = this.#messages.find(({ rule }) => rule.kinds.join() === IP);
    this.#hotRule = usual?.rule;
    this.#hot = usual && new HotPath(usual.rule.name, usual.teller, decider, address);
    this.#events = events;
    this.#address = address;
    this.#question = { policy: { default: 'closed' }, address, texts: [], addressAt: 0, oddAt: -1, problem: undefined };
  }

  answer(frame: Frame, receivedAtMs: number, maxAckPayload: number): Answer | Promise<Answer> {
    return this.#answer(frame, receivedAtMs, maxAckPayload, false);
  }

  overload(frame: Frame, receivedAtMs: number, maxAckPayload: number): Answer {
    return this.#answer(frame, receivedAtMs, maxAckPayload, true) as Answer; // nothing is waited for
  }

  #answer(frame: Frame, receivedAtMs: number, maxAckPayload: number, isKnownOnly: boolean): Answer | Promise<Answer> {
    const reader = this.#reader;
    reader.open(frame);
    let first: Decision | Promise<Decision> | undefined;
    let teller: Teller | undefined;
    let several: Decided[] | undefined;
    while (reader.nextMessage()) {
      const message = this.#find();
      if (message === undefined) continue;
      // The address of a message is gone once the next one is read.
      if (first !== undefined && teller !== undefined)
        several ??= [{ decision: first, teller, address: this.#addressText() }];
      const decision = this.#decide(message, receivedAtMs, isKnownOnly);
      first ??= decision;
      teller ??= message.teller;
      several?.push({ decision, teller: message.teller, address: this.#addressText() });
    }
    if (first === undefined || teller === undefined) return NO_ANSWER;
    if (several === undefined && !(first instanceof Promise)) return teller.tellNow(first, maxAckPayload);
    return this.#tellAll(several ?? [{ decision: first, teller, address: this.#addressText() }], maxAckPayload);
  }

  answerKnown(reader: FrameReader, output: OutputBuffer, maxAckPayload: number, receivedAtMs: number): void {
    if (this.#hotRule?.custom?.isActive) return;
    this.#hot?.answer(reader, output, maxAckPayload, receivedAtMs);
  }

  #find(): KnownMessage | undefined {
    for (const message of this.#messages) if (this.#reader.isNamed(message.name)) return message;
    const { bytes, messageAt, messageEnd } = this.#reader;
    this.#events.unknownMessage(decodeText(bytes.subarray(messageAt, messageEnd)));
    return undefined;
  }

  #decide(message: KnownMessage, receivedAtMs: number, isKnownOnly: boolean): Decision | Promise<Decision> {
    const { refinement, custom } = message.rule;
    try {
      const question = this.#readQuestion(message);
      const decided = isKnownOnly
        ? (custom?.isActive ? custom : message.decider).decideKnown(question, receivedAtMs)
        : custom?.isActive
          ? custom.decide(question, readArguments(this.#reader), receivedAtMs)
          : message.decider.decide(question, receivedAtMs);
      const refined = refinement === undefined ? decided : refine(refinement, decided, question);
      return refined instanceof Promise ? refined.catch((error) => this.#failed(error, message.rule)) : refined;
    } catch (error) {
      if (error instanceof SpopError) throw error;
      return this.#failed(error, message.rule);
    }
  }

  #failed(error: unknown, rule: MessageRule): Decision {
    this.#events.internalError(error);
    return byPolicy(rule, 'internal_error');
  }

  #tellAll(several: readonly Decided[], maxAckPayload: number): Answer | Promise<Answer> {
    const tell = (decisions: readonly Decision[]) => {
      const index = strictest(decisions);
      const { teller, address } = several[index] as Decided; // an index of decisions
      return teller.tellLater(decisions[index] as Decision, address, maxAckPayload);
    };
    const decisions = several.map(({ decision }) => decision);
    if (decisions.some((decision) => decision instanceof Promise)) return Promise.all(decisions).then(tell);
    return tell(decisions as readonly Decision[]); // none is a promise: checked above
  }

  #addressText(): string | undefined {
    return this.#address.words === 0 ? undefined : `ip:${this.#address}`;
  }

  #readQuestion({ rule, names, addressAt, neededAt }: KnownMessage): Question {
    const reader = this.#reader;
    const address = this.#address;
    address.clear();
    let texts: (Texts | undefined)[] | undefined;
    let problem: Reason | undefined;
    let isOdd = false;
    for (let index = reader.nextOf(names); index >= 0; index = reader.nextOf(names)) {
      if (reader.type === DataType.null) continue;
      if (index === addressAt) {
        if (!this.#readAddress()) problem = 'bad_subject';
        continue;
      }
      const value = bytesOf(reader.data());
      if (value.length === 0) continue; // as if it were not there
      texts ??= names.map(() => undefined);
      const kind = rule.kinds[index];
      if (kind === undefined) {
        if (!readCookies(rule, value, texts)) problem = 'bad_subject';
        continue;
      }
      if (kind === PATH) isOdd = isOddPath(value);
      const found = kind === PATH && isOdd && rule.oddPaths !== 'pass' ? undefined : textsOf(kind, [value]);
      if (found === undefined) problem = 'bad_subject';
      // the whole header says more than one value of it
      else if (!rule.cookies?.has(kind) || texts[rule.kinds.length] === undefined) texts[index] = found;
    }
    for (const at of neededAt)
      if (at === addressAt ? address.words === 0 : texts?.[at] === undefined) problem = 'bad_subject';
    if (texts === undefined) return this.#questionOf(rule.policy, problem);
    const before = textsIn(texts.slice(0, addressAt));
    const after = textsIn(texts.slice(addressAt + 1));
    const all = [...before, ...after];
    const oddAt = isOdd ? all.findIndex((text) => text.startsWith(`${PATH}:`)) : -1;
    return { policy: rule.policy, address, texts: all, addressAt: before.length, oddAt, problem };
  }

  /** The question about nothing but the address: the usual one, so one object serves all of them. */
  #questionOf(policy: Policy, problem: Reason | undefined): Question {
    const question = this.#question;
    question.policy = policy;
    question.problem = problem;
    return question;
  }

  /** Reads the `ip` argument; false if its value is no address. */
  #readAddress(): boolean {
    const { type, bytes, valueAt, valueEnd } = this.#reader;
    if (type !== DataType.ipv4 && type !== DataType.ipv6)
      return valueEnd - valueAt <= LONGEST_ADDRESS && this.#address.readText(textOf(this.#reader.data()));
    this.#address.readBytes(bytes, valueAt, valueEnd);
    return true;
  }
}

/** A request that has no address, host, path or method is odd, and not free of them. */
function isNeeded({ required }: MessageRule, kind: string): boolean {
  return ALWAYS_THERE.has(kind) || required?.includes(kind) === true;
}

/** For a question that was not read, or could not be: a message on trial enforces nothing here either. */
function byPolicy({ policy, refinement }: MessageRule, reason: Reason): Decision {
  const decision = decideByPolicy(policy, reason);
  return refinement?.concerns(decision) ? refinement.refine(decision, 'unknown') : decision;
}

function refine(refinement: Refinement, decided: Decision | Promise<Decision>, question: Question) {
  if (!(decided instanceof Promise))
    return refinement.concerns(decided) ? refinement.refine(decided, clientOf(question)) : decided;
  const client = clientOf(question); // the question is gone when the decision comes
  return decided.then((decision) => refinement.refine(decision, client));
}

/** Messages of one event set the same variables: the first that does not simply allow speaks for all. */
function strictest(decisions: readonly Decision[]): number {
  return Math.max(
    0,
    decisions.findIndex(({ action }) => action !== 'allow'),
  );
}
