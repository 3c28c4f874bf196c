import { formatAddress } from '../../contract/address.ts';
import { formatSubject, subjectOf } from '../../contract/subject.ts';
import { Address } from '../decision/address.ts';
import type { Decision, Reason } from '../decision/decision.ts';
import type { Question } from '../decision/engine.ts';
import { decideByPolicy, type Policy } from '../decision/policy.ts';
import { decodeText } from '../spop/cursor.ts';
import { DataType } from '../spop/data.ts';
import { SpopError } from '../spop/errors.ts';
import type { Frame } from '../spop/frame.ts';
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
  readonly kinds: readonly { readonly kind: string; readonly name: Uint8Array }[];
  /** Which of the kinds is `ip`; none if it is their number. */
  readonly addressAt: number;
}

interface Decided {
  readonly decision: Decision | Promise<Decision>;
  /** The `ip` subject of the question, if it had one. */
  readonly address: string | undefined;
}

const IP = 'ip';

/** The only file that speaks both languages: NOTIFY frames to questions, decisions to answers. */
export class Translator implements NotifyHandler {
  readonly #messages: readonly KnownMessage[];
  readonly #decider: Decider;
  readonly #events: TranslatorEvents;
  readonly #reader = new NotifyReader();
  readonly #address: Address;
  readonly #suffix: AddressSuffix;
  readonly #answers = new WeakMap<Decision, Answer>();
  readonly #question: { -readonly [Key in keyof Question]: Question[Key] };

  constructor(rules: readonly MessageRule[], decider: Decider, events: TranslatorEvents, address = new Address()) {
    this.#messages = rules.map((rule) => ({
      rule,
      name: Buffer.from(rule.name),
      kinds: rule.kinds.map((kind) => ({ kind, name: Buffer.from(kind) })),
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
    const known = this.#answers.get(decision);
    if (known !== undefined) return known;
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

  #readQuestion({ kinds, rule, addressAt }: KnownMessage): Question {
    const reader = this.#reader;
    const address = this.#address;
    address.clear();
    let texts: (string | undefined)[] | undefined;
    let problem: Reason | undefined;
    while (reader.nextArgument()) {
      const index = this.#kindOfArgument(kinds);
      if (index < 0 || reader.type === DataType.null) continue;
      if (index === addressAt) {
        if (!this.#readAddress()) problem = 'bad_subject';
        continue;
      }
      const subject = subjectOf((kinds[index] as { kind: string }).kind, this.#valueText()); // index comes from kinds
      if (subject === undefined) problem = 'bad_subject';
      else {
        texts ??= kinds.map(() => undefined);
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

  #kindOfArgument(kinds: KnownMessage['kinds']): number {
    const { bytes, nameAt, nameEnd } = this.#reader;
    for (let index = 0; index < kinds.length; index++) {
      if (sameBytes((kinds[index] as { name: Uint8Array }).name, bytes, nameAt, nameEnd)) return index; // in bounds
    }
    return -1;
  }

  /** Reads the `ip` argument; false if its value is no address. */
  #readAddress(): boolean {
    const { type, bytes, valueAt, valueEnd } = this.#reader;
    if (type !== DataType.ipv4 && type !== DataType.ipv6) return this.#address.readText(this.#valueText());
    this.#address.readBytes(bytes, valueAt, valueEnd);
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
