import type { Decision } from '../decision/decision.ts';
import type { Ledger, Tally } from '../state/ledger.ts';
import type { AddressSuffix } from './address-suffix.ts';
import { type Answer, answerOf, NO_ANSWER, type Outlet } from './answer.ts';

export interface TellerEvents {
  /** Our own code failed; HAProxy is told nothing. */
  internalError(error: unknown): void;
}

/** A decision with its encoding, and where it is counted. */
export interface Told {
  readonly decision: Decision;
  readonly answer: Answer;
  readonly tally: Tally;
  /** Is it one that is recorded beside being counted? */
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
  readonly #ledger: Ledger;
  readonly #events: TellerEvents;
  readonly #told = new WeakMap<Decision, Told>();
  /** The last two decisions told, which mostly are "nothing listed" and one entry: the map would take 20 ns. */
  #last = NOTHING_TOLD;
  #before = NOTHING_TOLD;

  constructor(
    { name, outlet }: { readonly name: string; readonly outlet: Outlet },
    suffix: AddressSuffix,
    ledger: Ledger,
    events: TellerEvents,
  ) {
    this.#message = name;
    this.#outlet = outlet;
    this.#suffix = suffix;
    this.#ledger = ledger;
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

  /** Notes that this was told of the address at hand. */
  count(told: Told): void {
    told.tally.count++;
    if (told.isDeny && this.#ledger.hasRoom) this.#record(told.decision, this.#suffix.text);
  }

  /** The answer while the frame is in view. */
  tellNow(decision: Decision): Answer {
    const told = this.#toldOf(decision);
    this.count(told);
    return told.answer;
  }

  /** The answer once the frame is gone, and with it the address that it was about. */
  tellLater(decision: Decision, address: string | undefined): Answer {
    this.#ledger.tallyOf(this.#message, decision).count++;
    if (isDeny(decision) && this.#ledger.hasRoom) this.#record(decision, address);
    return this.#answerOf(decision, address);
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
      answer: decision.ofAddress && answer !== NO_ANSWER ? { ...answer, suffix: this.#suffix } : answer,
      tally: this.#ledger.tallyOf(this.#message, decision),
      isDeny: isDeny(decision),
    };
    this.#told.set(decision, told);
    return told;
  }

  #answerOf(decision: Decision, address: string | undefined): Answer {
    try {
      return answerOf(decision, this.#outlet, address);
    } catch (error) {
      this.#events.internalError(error);
      return NO_ANSWER;
    }
  }

  #record(decision: Decision, address: string | undefined): void {
    this.#ledger.record(this.#message, decision, address, '');
  }
}

/** Is nothing of the request left? */
function isDeny({ action }: Decision): boolean {
  return action === 'deny' || action === 'tarpit' || action === 'drop';
}
