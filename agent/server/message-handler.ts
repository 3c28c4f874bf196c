import type { Policy, Reason } from '../../contract/policy.ts';
import { type AckActions, NO_ACTIONS } from '../../spop/ack-payload.ts';
import { decodeText } from '../../spop/cursor.ts';
import { SpopError } from '../../spop/errors.ts';
import type { Frame } from '../../spop/frame.ts';
import type { FrameReader } from '../../spop/frame-reader.ts';
import { NotifyReader } from '../../spop/notify.ts';
import type { NotifyHandler } from '../../spop/notify-handler.ts';
import type { OutputBuffer } from '../../spop/output-buffer.ts';
import { Address } from '../decision/address.ts';
import type { Decision, SubjectVerdict } from '../decision/decision.ts';
import type { Enforcement } from '../decision/enforcement.ts';
import type { Question } from '../decision/engine.ts';
import { decideByPolicy } from '../decision/policy.ts';
import { DecisionStats } from '../state/decision-stats.ts';
import { AckAddressWriter } from './ack-address-writer.ts';
import { AckEncoder } from './ack-encoder.ts';
import { type MessageArguments, readArguments } from './arguments.ts';
import type { VariableTarget } from './encode-decision.ts';
import { type AddressLookup, HotPath } from './hot-path.ts';
import { clientOf, type MessageSubjects, QuestionReader } from './question-reader.ts';
import { ReferenceIds } from './reference-id.ts';

/** The configuration of one message. */
export interface MessageConfig extends MessageSubjects {
  readonly name: string;
  readonly target: VariableTarget;
  /** Applied to each decision before it is sent. */
  readonly enforcement?: Enforcement;
  /** The operator's function for this message. */
  readonly script?: MessageScript | undefined;
}

/** The operator's function for a message: it has the last word. */
export interface MessageScript {
  /** Does the script have a function for this message now? */
  readonly isActive: boolean;
  /** Reads the question before it returns, like `Decider`. */
  decide(question: Question, given: MessageArguments, receivedAtMs: number): Promise<Decision>;
  /** Decides without a call of the function: by a cached entry, else by policy. */
  decideKnown(question: Question): Decision;
}

export interface Decider extends AddressLookup {
  decide(question: Question, receivedAtMs: number): Decision | Promise<Decision>;
  /** Decides about an address alone, of which the cache has this verdict. */
  decideAddress(
    address: Address,
    cached: SubjectVerdict | undefined,
    policy: Policy,
    receivedAtMs: number,
  ): Decision | Promise<Decision>;
  /** Decides from the cache alone, without a lookup; an unknown subject is `overload`. */
  decideKnown(question: Question): Decision;
}

export interface MessageEvents {
  /** HAProxy sent a message that is not in the configuration. */
  unknownMessage(name: string): void;
  /** Our own code failed, and the decision is by policy. */
  internalError(error: unknown): void;
}

interface KnownMessage {
  readonly config: MessageConfig;
  readonly decider: Pick<Decider, 'decide' | 'decideKnown'>;
  readonly encoder: AckEncoder;
  readonly name: Uint8Array;
  readonly questions: QuestionReader;
}

/** A decision of one of several messages in a frame. */
interface MessageDecision {
  readonly encoder: AckEncoder;
  readonly decision: Decision | Promise<Decision>;
  /** The `ip` subject of the question, if it had one. */
  readonly address: string | undefined;
}

const ADDRESS_ONLY = 'ip';

/** For messages without subjects, whose arguments are for the script alone. */
const NO_SUBJECTS: Pick<Decider, 'decide' | 'decideKnown'> = {
  decide: () => NOTHING_LISTED,
  decideKnown: () => NOTHING_LISTED,
};
const NOTHING_LISTED: Decision = { action: 'allow', source: 'cache' };

/** Answers NOTIFY frames: reads the question of each message, has it decided, and encodes the decision. */
export class MessageHandler implements NotifyHandler {
  readonly #messages: readonly KnownMessage[];
  readonly #hotPath: HotPath<AckActions | Promise<AckActions>> | undefined;
  /** The message that the hot path answers. */
  readonly #usual: KnownMessage | undefined;
  readonly #events: MessageEvents;
  readonly #reader = new NotifyReader();
  readonly #address: Address;

  constructor(
    configs: readonly MessageConfig[],
    decider: Decider,
    events: MessageEvents,
    address = new Address(),
    stats = new DecisionStats(),
    references = new ReferenceIds(),
  ) {
    const addressWriter = new AckAddressWriter(address);
    this.#messages = configs.map((config) => ({
      config,
      decider: config.kinds.length === 0 ? NO_SUBJECTS : decider,
      encoder: new AckEncoder(config, addressWriter, references, stats, events),
      name: Buffer.from(config.name),
      questions: new QuestionReader(config, this.#reader, address),
    }));
    const usual = this.#messages.find(({ config }) => config.kinds.join() === ADDRESS_ONLY);
    this.#usual = usual;
    this.#hotPath =
      usual &&
      new HotPath(usual.config.name, usual.encoder, decider, address, (cached, receivedAtMs, maxAckPayload) =>
        this.#answerAddress(usual, decider, cached, receivedAtMs, maxAckPayload),
      );
    this.#events = events;
    this.#address = address;
  }

  answer(frame: Frame, receivedAtMs: number, maxAckPayload: number): AckActions | Promise<AckActions> {
    return this.#answer(frame, receivedAtMs, maxAckPayload, false);
  }

  overload(frame: Frame, receivedAtMs: number, maxAckPayload: number): AckActions {
    return this.#answer(frame, receivedAtMs, maxAckPayload, true) as AckActions; // no decision is a promise
  }

  #answer(
    frame: Frame,
    receivedAtMs: number,
    maxAckPayload: number,
    isKnownOnly: boolean,
  ): AckActions | Promise<AckActions> {
    const reader = this.#reader;
    reader.open(frame);
    let first: Decision | Promise<Decision> | undefined;
    let encoder: AckEncoder | undefined;
    let several: MessageDecision[] | undefined;
    while (reader.nextMessage()) {
      const message = this.#findMessage();
      if (message === undefined) continue;
      // The next message overwrites the address.
      if (first !== undefined && encoder !== undefined)
        several ??= [{ decision: first, encoder, address: this.#addressSubject() }];
      const decision = this.#decide(message, receivedAtMs, isKnownOnly);
      first ??= decision;
      encoder ??= message.encoder;
      several?.push({ decision, encoder: message.encoder, address: this.#addressSubject() });
    }
    if (first === undefined || encoder === undefined) return NO_ACTIONS;
    return several === undefined
      ? this.#answerOne(encoder, first, maxAckPayload)
      : this.#encodeStrictest(several, maxAckPayload);
  }

  answerUsual(
    reader: FrameReader,
    output: OutputBuffer,
    maxAckPayload: number,
    receivedAtMs: number,
  ): AckActions | Promise<AckActions> | undefined {
    if (this.#usual?.config.script?.isActive) return undefined;
    return this.#hotPath?.answer(reader, output, maxAckPayload, receivedAtMs);
  }

  #answerAddress(
    message: KnownMessage,
    decider: Decider,
    cached: SubjectVerdict | undefined,
    receivedAtMs: number,
    maxAckPayload: number,
  ): AckActions | Promise<AckActions> {
    const { config, encoder } = message;
    const decision = this.#guarded(config, () => {
      const decided = decider.decideAddress(this.#address, cached, config.policy, receivedAtMs);
      return enforced(config, decided, () => `${this.#address}`);
    });
    return this.#answerOne(encoder, decision, maxAckPayload);
  }

  #answerOne(
    encoder: AckEncoder,
    decision: Decision | Promise<Decision>,
    maxAckPayload: number,
  ): AckActions | Promise<AckActions> {
    if (!(decision instanceof Promise)) return encoder.encode(decision, maxAckPayload);
    return this.#encodeStrictest([{ decision, encoder, address: this.#addressSubject() }], maxAckPayload);
  }

  #findMessage(): KnownMessage | undefined {
    for (const message of this.#messages) if (this.#reader.isNamed(message.name)) return message;
    const { bytes, messageAt, messageEnd } = this.#reader;
    this.#events.unknownMessage(decodeText(bytes.subarray(messageAt, messageEnd)));
    return undefined;
  }

  #decide(message: KnownMessage, receivedAtMs: number, isKnownOnly: boolean): Decision | Promise<Decision> {
    const { config, decider } = message;
    const script = config.script?.isActive ? config.script : undefined;
    return this.#guarded(config, () => {
      const question = message.questions.read();
      const decided = isKnownOnly
        ? (script ?? decider).decideKnown(question)
        : script === undefined
          ? decider.decide(question, receivedAtMs)
          : script.decide(question, readArguments(this.#reader), receivedAtMs);
      return enforced(config, decided, () => clientOf(question));
    });
  }

  /** Where our own code fails, the policy decides. */
  #guarded(config: MessageConfig, decide: () => Decision | Promise<Decision>): Decision | Promise<Decision> {
    try {
      const decided = decide();
      return decided instanceof Promise ? decided.catch((error) => this.#failed(error, config)) : decided;
    } catch (error) {
      if (error instanceof SpopError) throw error;
      return this.#failed(error, config);
    }
  }

  #failed(error: unknown, config: MessageConfig): Decision {
    this.#events.internalError(error);
    return byPolicy(config, 'internal_error');
  }

  #encodeStrictest(several: readonly MessageDecision[], maxAckPayload: number): AckActions | Promise<AckActions> {
    const encode = (decisions: readonly Decision[]) => {
      const index = strictest(decisions);
      const { encoder, address } = several[index] as MessageDecision; // an index of decisions
      return encoder.encodeLater(decisions[index] as Decision, address, maxAckPayload);
    };
    const decisions = several.map(({ decision }) => decision);
    if (decisions.some((decision) => decision instanceof Promise)) return Promise.all(decisions).then(encode);
    return encode(decisions as readonly Decision[]); // none is a promise: checked above
  }

  #addressSubject(): string | undefined {
    return this.#address.words === 0 ? undefined : `ip:${this.#address}`;
  }
}

/** For a question that could not be decided: in shadow mode this is not enforced either. */
function byPolicy({ policy, enforcement }: MessageConfig, reason: Reason): Decision {
  const decision = decideByPolicy(policy, reason);
  return enforcement?.appliesTo(decision) ? enforcement.apply(decision, 'unknown') : decision;
}

/** `client` is called before this returns: another question is in its place when a promise settles. */
function enforced(
  { enforcement }: MessageConfig,
  decided: Decision | Promise<Decision>,
  client: () => string,
): Decision | Promise<Decision> {
  if (enforcement === undefined) return decided;
  if (!(decided instanceof Promise))
    return enforcement.appliesTo(decided) ? enforcement.apply(decided, client()) : decided;
  const clientText = client();
  return decided.then((decision) => enforcement.apply(decision, clientText));
}

/** Messages of one event set the same variables: those of the first decision that is not an allow. */
function strictest(decisions: readonly Decision[]): number {
  return Math.max(
    0,
    decisions.findIndex(({ action }) => action !== 'allow'),
  );
}
