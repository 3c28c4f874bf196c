import { isDenied } from '../../contract/actions.ts';
import type { Decision } from '../decision/decision.ts';
import type { DecisionStats, Tally } from '../state/decision-stats.ts';
import type { AddressSuffix } from './address-suffix.ts';
import { type Answer, answerOf, inTurn, NO_ANSWER, type Outlet, within } from './answer.ts';
import { ReferenceSuffix, type References } from './reference.ts';

export interface TellerEvents {
  /** Our own code failed; HAProxy is told nothing. */
  internalError(error: unknown): void;
}

/** A decision with its encoding, and where it is counted. */
export interface Told {
  readonly decision: Decision;
  readonly answer: Answer;
  readonly tally: Tally;
  /** Is it one that has a reference id and is recorded, beside being counted? */
  readonly isDeny: boolean;
}

/** Of a decision that is nobody's: what was told before anything was. */
const NOTHING_TOLD: Told = {
  decision: { action: 'allow', source: 'cache' },
  answer: NO_ANSWER,
  tally: { message: '', action: 'allow', source: 'cache', reason: '', list: '', count: 0 },
  isDeny: false,
};

/** Puts decisions into the words of the wire, and counts them; equal ones are encoded once. */
export class Teller {
  readonly #message: string;
  readonly #outlet: Outlet;
  readonly #suffix: AddressSuffix;
  readonly #references: References;
  #reference: ReferenceSuffix | undefined;
  readonly #stats: DecisionStats;
  readonly #events: TellerEvents;
  readonly #told = new WeakMap<Decision, Told>();
  /** The last two decisions told, which mostly are "nothing listed" and one entry: the map would take 20 ns. */
  #last = NOTHING_TOLD;
  #before = NOTHING_TOLD;

  constructor(
    { name, outlet }: { readonly name: string; readonly outlet: Outlet },
    suffix: AddressSuffix,
    references: References,
    stats: DecisionStats,
    events: TellerEvents,
  ) {
    this.#message = name;
    this.#outlet = outlet;
    this.#suffix = suffix;
    this.#references = references;
    this.#stats = stats;
    this.#events = events;
  }

  /**
   * A decision that was told before, and of which nobody has to know that it is told again. Whoever tells it counts it.
   */
  known(decision: Decision): Told | undefined {
    if (decision === this.#last.decision) return this.#last;
    if (decision === this.#before.decision) return this.#before;
    return decision.action === 'log' ? undefined : this.#told.get(decision);
  }

  /** Notes that this is about to be told, in so many bytes, of the address at hand: a deny gets its reference id here. */
  count(told: Told, maxBytes: number): void {
    told.tally.count++;
    if (!told.isDeny) return;
    this.#references.advance();
    if (this.#stats.hasRoom) this.#record(told.decision, told.answer, this.#suffix.text, maxBytes);
  }

  /** The answer while the frame is in view: it has to be written, in so many bytes, before the next one is told. */
  tellNow(decision: Decision, maxBytes: number): Answer {
    const told = this.#toldOf(decision);
    this.count(told, maxBytes);
    return told.answer;
  }

  /** The answer once the frame is gone, and with it the address that it was about. */
  tellLater(decision: Decision, address: string | undefined, maxBytes: number): Answer {
    this.#stats.tallyOf(this.#message, decision).count++;
    const answer = this.#answerOf(decision, address);
    if (!isDenied(decision.action)) return answer;
    this.#references.advance();
    if (this.#stats.hasRoom) this.#record(decision, answer, address, maxBytes);
    const reference = this.#reference?.keep();
    return answer.reference === undefined || reference === undefined
      ? answer
      : { ...answer, suffix: reference, reference };
  }

  #toldOf(decision: Decision): Told {
    if (decision === this.#last.decision) return this.#last;
    if (decision === this.#before.decision) return this.#before;
    const told = this.#told.get(decision) ?? this.#encode(decision);
    if (decision.action === 'log') return told; // each one is logged, so none may be known
    this.#before = this.#last;
    this.#last = told;
    return told;
  }

  #encode(decision: Decision): Told {
    const answer = this.#answerOf(decision, 'ip:');
    const told = {
      decision,
      answer: decision.ofAddress && answer !== NO_ANSWER ? this.#ofAddress(answer) : answer,
      tally: this.#stats.tallyOf(this.#message, decision),
      isDeny: isDenied(decision.action),
    };
    this.#told.set(decision, told);
    return told;
  }

  #ofAddress(answer: Answer): Answer {
    const { reference } = answer;
    return { ...answer, suffix: reference === undefined ? this.#suffix : inTurn(this.#suffix, reference) };
  }

  #answerOf(decision: Decision, address: string | undefined): Answer {
    try {
      const answer = answerOf(decision, this.#outlet, address);
      if (!isDenied(decision.action)) return answer;
      this.#reference ??= new ReferenceSuffix(this.#outlet, this.#references);
      return { ...answer, suffix: this.#reference, reference: this.#reference };
    } catch (error) {
      this.#events.internalError(error);
      return NO_ANSWER;
    }
  }

  #record(decision: Decision, answer: Answer, address: string | undefined, maxBytes: number): void {
    const isReferenceTold = within(maxBytes, answer).suffix !== undefined;
    this.#stats.record(this.#message, decision, address, isReferenceTold ? this.#references.text : '');
  }
}
