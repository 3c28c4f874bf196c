import { isDenied } from '../../contract/actions.ts';
import { encodeActions } from '../../spop/ack.ts';
import { type AckActions, fitted, NO_ACTIONS } from '../../spop/ack-payload.ts';
import type { Decision } from '../decision/decision.ts';
import type { DecisionCounter, DecisionStats } from '../state/decision-stats.ts';
import type { AckAddressWriter } from './ack-address-writer.ts';
import { type EncodedActions, encodeDecision, referenceAction, type VariableTarget } from './encode-decision.ts';
import { DynamicReference, type ReferenceIds } from './reference-id.ts';

export interface EncoderEvents {
  /** Our own code failed; the ACK is empty. */
  internalError(error: unknown): void;
}

/** A decision with its encoding and its counter. */
export interface EncodedDecision {
  readonly decision: Decision;
  /** The reference id in it is that of the last deny. */
  readonly ack: EncodedActions;
  readonly tally: DecisionCounter;
  /** A deny has a reference id and is recorded. */
  readonly isDeny: boolean;
}

const NOTHING: EncodedActions = { ...NO_ACTIONS, referenceAt: 0 };

/** Sentinel for an empty memo. */
const NONE: EncodedDecision = {
  decision: { action: 'allow', source: 'cache' },
  ack: NOTHING,
  tally: { message: '', action: 'allow', source: 'cache', reason: '', list: '', count: 0 },
  isDeny: false,
};

/** Encodes the decisions on one message, equal ones once, and counts them. */
export class AckEncoder {
  readonly #message: string;
  readonly #target: VariableTarget;
  readonly #address: AckAddressWriter;
  readonly #references: ReferenceIds;
  #reference: DynamicReference | undefined;
  readonly #stats: DecisionStats;
  readonly #events: EncoderEvents;
  readonly #encoded = new WeakMap<Decision, EncodedDecision>();
  /** The last two decisions, mostly "nothing listed" and one entry: the map would take 20 ns. */
  #last = NONE;
  #secondLast = NONE;

  constructor(
    { name, target }: { readonly name: string; readonly target: VariableTarget },
    address: AckAddressWriter,
    references: ReferenceIds,
    stats: DecisionStats,
    events: EncoderEvents,
  ) {
    this.#message = name;
    this.#target = target;
    this.#address = address;
    this.#references = references;
    this.#stats = stats;
    this.#events = events;
  }

  /** The encoding, if there is one. The caller counts it. Decisions in shadow mode have none, since each is logged. */
  known(decision: Decision): EncodedDecision | undefined {
    if (decision === this.#last.decision) return this.#last;
    if (decision === this.#secondLast.decision) return this.#secondLast;
    const encoded = decision.action === 'log' ? undefined : this.#encoded.get(decision);
    if (encoded !== undefined) this.#remember(encoded);
    return encoded;
  }

  /** Counts a decision that is about to be sent in at most `maxBytes`; a deny gets its reference id here. */
  count(encoded: EncodedDecision, maxBytes: number): void {
    encoded.tally.count++;
    if (!encoded.isDeny) return;
    this.#refer(encoded.ack);
    if (this.#stats.hasRoom) this.#record(encoded.decision, encoded.ack, this.#address.subject, maxBytes);
  }

  /** The ACK of the frame at hand: it must be written before the next call. */
  encode(decision: Decision, maxBytes: number): AckActions {
    const encoded = this.#encodedOf(decision);
    this.count(encoded, maxBytes);
    return encoded.ack;
  }

  /** The ACK of an earlier frame. The current address is another by now: `address` is the `ip` subject of that frame. */
  encodeLater(decision: Decision, address: string | undefined, maxBytes: number): AckActions {
    this.#stats.counterOf(this.#message, decision).count++;
    const ack = this.#encode(decision, address);
    if (!isDenied(decision.action)) return ack;
    this.#refer(ack);
    if (this.#stats.hasRoom) this.#record(decision, ack, address, maxBytes);
    const reference = this.#reference?.copy();
    return reference === undefined ? ack : { ...ack, essentialDynamic: reference };
  }

  #encodedOf(decision: Decision): EncodedDecision {
    if (decision === this.#last.decision) return this.#last;
    if (decision === this.#secondLast.decision) return this.#secondLast;
    const encoded = this.#encoded.get(decision) ?? this.#encodeOnce(decision);
    if (decision.action === 'log') return encoded; // `known` must not find it
    this.#remember(encoded);
    return encoded;
  }

  #remember(encoded: EncodedDecision): void {
    this.#secondLast = this.#last;
    this.#last = encoded;
  }

  #encodeOnce(decision: Decision): EncodedDecision {
    const ack = this.#encode(decision, 'ip:');
    const encoded = {
      decision,
      // the address is written behind the `ip:` of the last action
      ack: decision.ofAddress && ack !== NOTHING ? { ...ack, dynamic: this.#address } : ack,
      tally: this.#stats.counterOf(this.#message, decision),
      isDeny: isDenied(decision.action),
    };
    this.#encoded.set(decision, encoded);
    return encoded;
  }

  /** The next reference id, written where these actions have one. */
  #refer({ full, referenceAt }: EncodedActions): void {
    this.#references.advance();
    if (referenceAt !== 0) this.#references.write(full, referenceAt);
  }

  #encode(decision: Decision, address: string | undefined): EncodedActions {
    try {
      const ack = encodeDecision(decision, this.#target, address);
      if (!isDenied(decision.action)) return ack;
      this.#reference ??= new DynamicReference(encodeActions([referenceAction(this.#target)]), this.#references);
      return { ...ack, essentialDynamic: this.#reference };
    } catch (error) {
      this.#events.internalError(error);
      return NOTHING;
    }
  }

  #record(decision: Decision, ack: AckActions, address: string | undefined, maxBytes: number): void {
    const { actions, dynamic } = fitted(maxBytes, ack);
    const isReferenceSent = actions === ack.full || dynamic !== undefined;
    this.#stats.record(this.#message, decision, address, isReferenceSent ? this.#references.text : '');
  }
}
