import { formatAddress } from '../../contract/address.ts';
import { formatSubject, subjectOf } from '../../contract/subject.ts';
import type { Decision, Reason } from '../decision/decision.ts';
import type { Question } from '../decision/engine.ts';
import { decideByPolicy, type Policy } from '../decision/policy.ts';
import { decodeText } from '../spop/cursor.ts';
import { DataType } from '../spop/data.ts';
import { SpopError } from '../spop/errors.ts';
import type { Frame } from '../spop/frame.ts';
import { NotifyReader } from '../spop/notify.ts';
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
}

/** The only file that speaks both languages: NOTIFY frames to questions, decisions to answers. */
export class Translator implements NotifyHandler {
  readonly #messages: readonly KnownMessage[];
  readonly #decider: Decider;
  readonly #events: TranslatorEvents;
  readonly #reader = new NotifyReader();

  constructor(rules: readonly MessageRule[], decider: Decider, events: TranslatorEvents) {
    this.#messages = rules.map((rule) => ({
      rule,
      name: Buffer.from(rule.name),
      kinds: rule.kinds.map((kind) => ({ kind, name: Buffer.from(kind) })),
    }));
    this.#decider = decider;
    this.#events = events;
  }

  answer(frame: Frame, receivedAtMs: number): Answer | Promise<Answer> {
    const decisions: (Decision | Promise<Decision>)[] = [];
    const reader = this.#reader;
    reader.open(frame);
    while (reader.nextMessage()) {
      const message = this.#find();
      if (message !== undefined) decisions.push(this.#decide(message, receivedAtMs));
    }
    return answerAll(decisions);
  }

  overload(frame: Frame): Answer {
    const reader = this.#reader;
    reader.open(frame);
    const decisions: Decision[] = [];
    while (reader.nextMessage()) {
      const message = this.#find();
      if (message !== undefined) decisions.push(decideByPolicy(message.rule.policy, 'overload'));
    }
    return answerStrictest(decisions);
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

  #readQuestion(message: KnownMessage): Question {
    const { kinds, rule } = message;
    const found: (string | undefined)[] = kinds.map(() => undefined);
    let problem: Reason | undefined;
    while (this.#reader.nextArgument()) {
      const index = this.#kindOfArgument(kinds);
      if (index < 0 || this.#reader.type === DataType.null) continue;
      const subject = this.#readSubject((kinds[index] as { kind: string }).kind); // index comes from kinds
      if (subject === undefined) problem = 'bad_subject';
      else found[index] = subject;
    }
    const subjects = found.filter((subject) => subject !== undefined);
    return problem === undefined ? { policy: rule.policy, subjects } : { policy: rule.policy, subjects, problem };
  }

  #kindOfArgument(kinds: KnownMessage['kinds']): number {
    const { bytes, nameAt, nameEnd } = this.#reader;
    for (let index = 0; index < kinds.length; index++) {
      if (sameBytes((kinds[index] as { name: Uint8Array }).name, bytes, nameAt, nameEnd)) return index; // in bounds
    }
    return -1;
  }

  /** The subject that the argument names, or undefined if its value can be no subject of this kind. */
  #readSubject(kind: string): string | undefined {
    const reader = this.#reader;
    const { bytes, valueAt: at } = reader;
    if (kind === 'ip' && reader.type === DataType.ipv4) {
      return `ip:${bytes[at]}.${bytes[at + 1]}.${bytes[at + 2]}.${bytes[at + 3]}`;
    }
    if (kind === 'ip' && reader.type === DataType.ipv6)
      return `ip:${formatAddress(bytes.subarray(at, reader.valueEnd))}`;
    const subject = subjectOf(kind, this.#valueText());
    return subject === undefined ? undefined : formatSubject(subject);
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

function answerAll(decisions: readonly (Decision | Promise<Decision>)[]): Answer | Promise<Answer> {
  const [first] = decisions;
  if (first === undefined) return NO_ANSWER;
  if (decisions.length === 1) return first instanceof Promise ? first.then(answerOf) : answerOf(first);
  if (decisions.some((decision) => decision instanceof Promise)) return Promise.all(decisions).then(answerStrictest);
  return answerStrictest(decisions as readonly Decision[]); // none is a promise: checked above
}

/** Messages of one event set the same variables: the first that does not simply allow speaks for all. */
function answerStrictest(decisions: readonly Decision[]): Answer {
  const decision = decisions.find(({ action }) => action !== 'allow') ?? decisions[0];
  return decision === undefined ? NO_ANSWER : answerOf(decision);
}

function sameBytes(expected: Uint8Array, bytes: Uint8Array, at: number, end: number): boolean {
  if (end - at !== expected.length) return false;
  for (let index = 0; index < expected.length; index++) if (expected[index] !== bytes[at + index]) return false;
  return true;
}
