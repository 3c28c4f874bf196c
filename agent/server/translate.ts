import type { Policy, Reason } from '../../contract/policy.ts';
import { decodeText } from '../../spop/cursor.ts';
import { SpopError } from '../../spop/errors.ts';
import type { Frame } from '../../spop/frame.ts';
import { NotifyReader } from '../../spop/notify.ts';
import type { FrameReader } from '../../spop/reader.ts';
import { Address } from '../decision/address.ts';
import type { Decision, SubjectVerdict } from '../decision/decision.ts';
import type { Question } from '../decision/engine.ts';
import { decideByPolicy } from '../decision/policy.ts';
import type { Refinement } from '../decision/refine.ts';
import { Ledger } from '../state/ledger.ts';
import { AddressSuffix } from './address-suffix.ts';
import { type Answer, NO_ANSWER, type Outlet } from './answer.ts';
import { type Arguments, readArguments } from './arguments.ts';
import { type AddressLookup, HotPath } from './hot-path.ts';
import type { NotifyHandler } from './notify-handler.ts';
import type { OutputBuffer } from './output.ts';
import { type MessageSubjects, QuestionReader } from './question-reader.ts';
import { References } from './reference.ts';
import { clientOf } from './subject-texts.ts';
import { Teller } from './teller.ts';

/** What the configuration says of one message. */
export interface MessageRule extends MessageSubjects {
  readonly name: string;
  readonly outlet: Outlet;
  /** What becomes of a decision before it is told; absent where that is nothing. */
  readonly refinement?: Refinement;
  /** The operator's script for it. */
  readonly script?: MessageScript | undefined;
}

/** The operator's script, which has the last word. */
export interface MessageScript {
  /** Whether it has a function for this message now. */
  readonly isActive: boolean;
  /** Reads the question before it returns, like `Decider`. */
  decide(question: Question, given: Arguments, receivedAtMs: number): Promise<Decision>;
  /** Decides without calling the script: what an entry in the cache says, else the policy. */
  decideKnown(question: Question): Decision;
}

/** Whoever decides questions. */
export interface Decider extends AddressLookup {
  decide(question: Question, receivedAtMs: number): Decision | Promise<Decision>;
  /** Decides about an address alone, of which the cache has this verdict. */
  decideAddress(
    address: Address,
    cached: SubjectVerdict | undefined,
    policy: Policy,
    receivedAtMs: number,
  ): Decision | Promise<Decision>;
  /** Decides from what is cached, without a lookup: what is not known is policy `overload`. */
  decideKnown(question: Question): Decision;
}

export interface TranslatorEvents {
  /** HAProxy sends a message that the configuration does not have: one side is ahead of the other. */
  unknownMessage(name: string): void;
  /** Our own code failed; the policy answered for it. */
  internalError(error: unknown): void;
}

interface KnownMessage {
  readonly rule: MessageRule;
  readonly decider: Pick<Decider, 'decide' | 'decideKnown'>;
  readonly teller: Teller;
  readonly name: Uint8Array;
  readonly questions: QuestionReader;
}

interface Decided {
  readonly teller: Teller;
  readonly decision: Decision | Promise<Decision>;
  /** The `ip` subject of the question, if it had one. */
  readonly address: string | undefined;
}

const ADDRESS_ALONE = 'ip';

/** Of a message that brings nothing but arguments for the script. */
const NOTHING_TO_LOOK_UP: Pick<Decider, 'decide' | 'decideKnown'> = {
  decide: () => NOTHING_LISTED,
  decideKnown: () => NOTHING_LISTED,
};
const NOTHING_LISTED: Decision = { action: 'allow', source: 'cache' };

/** The only file that speaks both languages: NOTIFY frames to questions, decisions to answers. */
export class Translator implements NotifyHandler {
  readonly #messages: readonly KnownMessage[];
  readonly #hot: HotPath<Answer | Promise<Answer>> | undefined;
  readonly #hotRule: MessageRule | undefined;
  readonly #events: TranslatorEvents;
  readonly #reader = new NotifyReader();
  readonly #address: Address;

  constructor(
    rules: readonly MessageRule[],
    decider: Decider,
    events: TranslatorEvents,
    address = new Address(),
    ledger = new Ledger(),
    references = new References(),
  ) {
    const suffix = new AddressSuffix(address);
    this.#messages = rules.map((rule) => ({
      rule,
      decider: rule.kinds.length === 0 ? NOTHING_TO_LOOK_UP : decider,
      teller: new Teller(rule, suffix, references, ledger, events),
      name: Buffer.from(rule.name),
      questions: new QuestionReader(rule, this.#reader, address),
    }));
    const usual = this.#messages.find(({ rule }) => rule.kinds.join() === ADDRESS_ALONE);
    this.#hotRule = usual?.rule;
    this.#hot =
      usual &&
      new HotPath(usual.rule.name, usual.teller, decider, address, (cached, receivedAtMs, maxAckPayload) =>
        this.#answerAddress(usual, decider, cached, receivedAtMs, maxAckPayload),
      );
    this.#events = events;
    this.#address = address;
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
    return several === undefined
      ? this.#answerOne(teller, first, maxAckPayload)
      : this.#tellAll(several, maxAckPayload);
  }

  answerUsual(
    reader: FrameReader,
    output: OutputBuffer,
    maxAckPayload: number,
    receivedAtMs: number,
  ): Answer | Promise<Answer> | undefined {
    if (this.#hotRule?.script?.isActive) return undefined;
    return this.#hot?.answer(reader, output, maxAckPayload, receivedAtMs);
  }

  #answerAddress(
    message: KnownMessage,
    decider: Decider,
    cached: SubjectVerdict | undefined,
    receivedAtMs: number,
    maxAckPayload: number,
  ): Answer | Promise<Answer> {
    const { rule, teller, questions } = message;
    const decision = this.#guarded(rule, () => {
      const decided = decider.decideAddress(this.#address, cached, rule.policy, receivedAtMs);
      return refine(rule, decided, questions.aboutAddress());
    });
    return this.#answerOne(teller, decision, maxAckPayload);
  }

  #answerOne(teller: Teller, decision: Decision | Promise<Decision>, maxAckPayload: number): Answer | Promise<Answer> {
    if (!(decision instanceof Promise)) return teller.tellNow(decision, maxAckPayload);
    return this.#tellAll([{ decision, teller, address: this.#addressText() }], maxAckPayload);
  }

  #find(): KnownMessage | undefined {
    for (const message of this.#messages) if (this.#reader.isNamed(message.name)) return message;
    const { bytes, messageAt, messageEnd } = this.#reader;
    this.#events.unknownMessage(decodeText(bytes.subarray(messageAt, messageEnd)));
    return undefined;
  }

  #decide(message: KnownMessage, receivedAtMs: number, isKnownOnly: boolean): Decision | Promise<Decision> {
    const { rule, decider } = message;
    const script = rule.script?.isActive ? rule.script : undefined;
    return this.#guarded(rule, () => {
      const question = message.questions.read();
      const decided = isKnownOnly
        ? (script ?? decider).decideKnown(question)
        : script === undefined
          ? decider.decide(question, receivedAtMs)
          : script.decide(question, readArguments(this.#reader), receivedAtMs);
      return refine(rule, decided, question);
    });
  }

  /** Where our own code fails, the policy decides. */
  #guarded(rule: MessageRule, decide: () => Decision | Promise<Decision>): Decision | Promise<Decision> {
    try {
      const decided = decide();
      return decided instanceof Promise ? decided.catch((error) => this.#failed(error, rule)) : decided;
    } catch (error) {
      if (error instanceof SpopError) throw error;
      return this.#failed(error, rule);
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
}

/** For a question that was not read, or could not be: a message on trial enforces nothing here either. */
function byPolicy({ policy, refinement }: MessageRule, reason: Reason): Decision {
  const decision = decideByPolicy(policy, reason);
  return refinement?.concerns(decision) ? refinement.refine(decision, 'unknown') : decision;
}

function refine({ refinement }: MessageRule, decided: Decision | Promise<Decision>, question: Question) {
  if (refinement === undefined) return decided;
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
