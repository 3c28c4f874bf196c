import { formatAddress } from '../../contract/address.ts';
import { formatSubject, subjectOf } from '../../contract/subject.ts';
import { Address } from '../decision/address.ts';
import type { Decision, Reason } from '../decision/decision.ts';
import type { Question } from '../decision/engine.ts';
import { decideByPolicy, type Policy } from '../decision/policy.ts';
import { decodeText } from '../spop/cursor.ts';
import { DataType } from '../spop/data.ts';
import { SpopError } from '../spop/errors.ts';
import { type Frame, PREFIX_BYTES, readFrameLength } from '../spop/frame.ts';
import { NotifyReader } from '../spop/notify.ts';
import { AddressSuffix } from './address-suffix.ts';
import { type Answer, answerOf, NO_ANSWER } from './answer.ts';
import type { NotifyHandler } from './connection.ts';

/** What the configuration says of one message. */
export interface MessageRule {
  readonly name: string;
  readonly policy: Policy;
  /** In order of precedence; on the wire each argument has the name of its kind. */
  readonly kinds: readonly string[];
}

/** Whoever decides questions. */
export interface Decider {
  decide(question: Question, receivedAtMs: number): Decision | Promise<Decision>;
  /** This address is likely to be asked about at once. */
  expect(address: Address): void;
}

export interface TranslatorEvents {
  /** HAProxy sends a message that the configuration does not have: one side is ahead of the other. */
  unknownMessage(name: string): void;
  /** Our own code failed; the policy answered for it. */
  internalError(error: unknown): void;
}

interface KnownMessage {
  readonly rule: MessageRule;
  readonly name: Uint8Array;
  /** Of its arguments, which are its kinds. */
  readonly names: readonly Uint8Array[];
  /** Which of the kinds is `ip`; none if it is their number. */
  readonly addressAt: number;
}

interface Decided {
  readonly decision: Decision | Promise<Decision>;
  /** The `ip` subject of the question, if it had one. */
  readonly address: string | undefined;
}

interface Told {
  readonly decision: Decision | undefined;
  readonly answer: Answer;
}

const IP = 'ip';
const NOTHING_TOLD: Told = { decision: undefined, answer: NO_ANSWER };

/** The only file that speaks both languages: NOTIFY frames to questions, decisions to answers. */
export class Translator implements NotifyHandler {
  readonly #messages: readonly KnownMessage[];
  readonly #decider: Decider;
  readonly #events: TranslatorEvents;
  readonly #reader = new NotifyReader();
  readonly #address: Address;
  readonly #suffix: AddressSuffix;
  /** Where the address of the last frame was, from its beginning; 0 until there is one. */
  #addressAt = 0;
  #addressEnd = 0;
  #frameAt = 0;
  readonly #coming = new Address();
  readonly #answers = new WeakMap<Decision, Answer>();
  /** The last two decisions told, which mostly are "nothing listed" and one entry: the map would take 20 ns. */
  #last = NOTHING_TOLD;
  #before = NOTHING_TOLD;
  readonly #question: { -readonly [Key in keyof Question]: Question[Key] };

  constructor(rules: readonly MessageRule[], decider: Decider, events: TranslatorEvents, address = new Address()) {
    this.#messages = rules.map((rule) => ({
      rule,
      name: Buffer.from(rule.name),
      names: rule.kinds.map((kind) => Buffer.from(kind)),
      addressAt: rule.kinds.includes(IP) ? rule.kinds.indexOf(IP) : rule.kinds.length,
    }));
    this.#decider = decider;
    this.#events = events;
    this.#address = address;
    this.#suffix = new AddressSuffix(address);
    this.#question = { policy: { default: 'closed' }, address, texts: [], addressAt: 0, problem: undefined };
  }

  answer(frame: Frame, receivedAtMs: number): Answer | Promise<Answer> {
    const reader = this.#reader;
    reader.open(frame);
    this.#frameAt = frame.startAt;
    let first: Decision | Promise<Decision> | undefined;
    let several: Decided[] | undefined;
    while (reader.nextMessage()) {
      const message = this.#find();
      if (message === undefined) continue;
      // The address of a message is gone once the next one is read.
      if (first !== undefined) several ??= [{ decision: first, address: this.#addressText() }];
      const decision = this.#decide(message, receivedAtMs);
      first ??= decision;
      several?.push({ decision, address: this.#addressText() });
    }
    if (first === undefined) return NO_ANSWER;
    if (several === undefined && !(first instanceof Promise)) return this.#tellNow(first);
    return this.#tellAll(several ?? [{ decision: first, address: this.#addressText() }]);
  }

  /**
   * Has the processor fetch what is known of all addresses in a chunk before the first is asked about: waiting for memory
   * once for a chunk of 20 frames, not 20 times, takes 40 to 80 ns off each where there are 200,000 addresses. It only
   * guesses that frames are alike, and decides nothing.
   */
  lookAhead(chunk: Uint8Array): void {
    const last = chunk.length - this.#addressEnd;
    if (this.#addressEnd === 0 || last < this.#addressEnd) return; // no address seen yet, or one frame at most
    for (let at = 0; at <= last; at += PREFIX_BYTES + readFrameLength(chunk, at)) {
      this.#coming.readBytes(chunk, at + this.#addressAt, at + this.#addressEnd);
      this.#decider.expect(this.#coming);
    }
  }

  overload(frame: Frame): Answer {
    const reader = this.#reader;
    reader.open(frame);
    const decisions: Decision[] = [];
    while (reader.nextMessage()) {
      const message = this.#find();
      if (message !== undefined) decisions.push(decideByPolicy(message.rule.policy, 'overload'));
    }
    return decisions.length === 0 ? NO_ANSWER : this.#tellNow(decisions[strictest(decisions)] as Decision); // not empty
  }

  #find(): KnownMessage | undefined {
    const { bytes, messageAt, messageEnd } = this.#reader;
    for (const message of this.#messages) if (sameBytes(message.name, bytes, messageAt, messageEnd)) return message;
    this.#events.unknownMessage(decodeText(bytes.subarray(messageAt, messageEnd)));
    return undefined;
  }

  #decide(message: KnownMessage, receivedAtMs: number): Decision | Promise<Decision> {
    const { policy } = message.rule;
    try {
      const decided = this.#decider.decide(this.#readQuestion(message), receivedAtMs);
      return decided instanceof Promise ? decided.catch((error) => this.#failed(error, policy)) : decided;
    } catch (error) {
      if (error instanceof SpopError) throw error;
      return this.#failed(error, policy);
    }
  }

  #failed(error: unknown, policy: Policy): Decision {
    this.#events.internalError(error);
    return decideByPolicy(policy, 'internal_error');
  }

  /** The answer while the frame is in view; equal decisions are encoded once. */
  #tellNow(decision: Decision): Answer {
    if (decision === this.#last.decision) return this.#last.answer;
    if (decision === this.#before.decision) return this.#before.answer;
    const answer = this.#answers.get(decision) ?? this.#encode(decision);
    this.#before = this.#last;
    this.#last = { decision, answer };
    return answer;
  }

  #encode(decision: Decision): Answer {
    const answer = this.#tell(decision, 'ip:');
    const told = decision.ofAddress ? { ...answer, suffix: this.#suffix } : answer;
    this.#answers.set(decision, told);
    return told;
  }

  #tellAll(several: readonly Decided[]): Answer | Promise<Answer> {
    const tell = (decisions: readonly Decision[]) => {
      const index = strictest(decisions);
      return this.#tell(decisions[index] as Decision, several[index]?.address); // an index of decisions
    };
    const decisions = several.map(({ decision }) => decision);
    if (decisions.some((decision) => decision instanceof Promise)) return Promise.all(decisions).then(tell);
    return tell(decisions as readonly Decision[]); // none is a promise: checked above
  }

  #tell(decision: Decision, address: string | undefined): Answer {
    try {
      return answerOf(decision, address);
    } catch (error) {
      this.#events.internalError(error);
      return NO_ANSWER;
    }
  }

  #addressText(): string | undefined {
    return this.#address.words === 0 ? undefined : `ip:${this.#address}`;
  }

  #readQuestion({ rule, names, addressAt }: KnownMessage): Question {
    const reader = this.#reader;
    const address = this.#address;
    address.clear();
    let texts: (string | undefined)[] | undefined;
    let problem: Reason | undefined;
    for (let index = reader.nextOf(names); index >= 0; index = reader.nextOf(names)) {
      if (reader.type === DataType.null) continue;
      if (index === addressAt) {
        if (!this.#readAddress()) problem = 'bad_subject';
        continue;
      }
      const subject = subjectOf(rule.kinds[index] as string, this.#valueText()); // index comes from kinds
      if (subject === undefined) problem = 'bad_subject';
      else {
        texts ??= names.map(() => undefined);
        texts[index] = formatSubject(subject);
      }
    }
    const { policy } = rule;
    if (texts === undefined) return this.#questionOf(policy, problem);
    const before = texts.slice(0, addressAt).filter((text) => text !== undefined);
    const after = texts.slice(addressAt + 1).filter((text) => text !== undefined);
    return { policy, address, texts: [...before, ...after], addressAt: before.length, problem };
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
    if (type !== DataType.ipv4 && type !== DataType.ipv6) return this.#address.readText(this.#valueText());
    this.#address.readBytes(bytes, valueAt, valueEnd);
    this.#addressAt = valueAt - this.#frameAt;
    this.#addressEnd = valueEnd - this.#frameAt;
    return true;
  }

  #valueText(): string {
    const data = this.#reader.data();
    switch (data.type) {
      case 'null':
        return '';
      case 'bool':
        return data.value ? 'true' : 'false';
      case 'ipv4':
      case 'ipv6':
        return formatAddress(data.value);
      case 'string':
      case 'binary':
        return decodeText(data.value);
      default:
        return data.value.toString();
    }
  }
}

/** Messages of one event set the same variables: the first that does not simply allow speaks for all. */
function strictest(decisions: readonly Decision[]): number {
  return Math.max(
    0,
    decisions.findIndex(({ action }) => action !== 'allow'),
  );
}

function sameBytes(expected: Uint8Array, bytes: Uint8Array, at: number, end: number): boolean {
  if (end - at !== expected.length) return false;
  for (let index = 0; index < expected.length; index++) if (expected[index] !== bytes[at + index]) return false;
  return true;
}
