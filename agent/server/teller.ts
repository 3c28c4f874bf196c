import type { Decision } from '../decision/decision.ts';
import type { AddressSuffix } from './address-suffix.ts';
import { type Answer, answerOf, NO_ANSWER, type Outlet } from './answer.ts';

export interface TellerEvents {
  /** Our own code failed; HAProxy is told nothing. */
  internalError(error: unknown): void;
}

interface Told {
  readonly decision: Decision | undefined;
  readonly answer: Answer;
}

const NOTHING_TOLD: Told = { decision: undefined, answer: NO_ANSWER };

/** Puts decisions into the words of the wire; equal ones are encoded once. */
export class Teller {
  readonly #outlet: Outlet;
  readonly #suffix: AddressSuffix;
  readonly #events: TellerEvents;
  readonly #answers = new WeakMap<Decision, Answer>();
  /** The last two decisions told, which mostly are "nothing listed" and one entry: the map would take 20 ns. */
  #last = NOTHING_TOLD;
  #before = NOTHING_TOLD;

  constructor(outlet: Outlet, suffix: AddressSuffix, events: TellerEvents) {
    this.#outlet = outlet;
    this.#suffix = suffix;
    this.#events = events;
  }

  /** The answer of a decision that was told before, and of which nobody has to know that it is told again. */
  known(decision: Decision): Answer | undefined {
    if (decision === this.#last.decision) return this.#last.answer;
    if (decision === this.#before.decision) return this.#before.answer;
    return decision.action === 'log' ? undefined : this.#answers.get(decision);
  }

  /** The answer while the frame is in view. */
  tellNow(decision: Decision): Answer {
    if (decision === this.#last.decision) return this.#last.answer;
    if (decision === this.#before.decision) return this.#before.answer;
    const answer = this.#answers.get(decision) ?? this.#encode(decision);
    if (decision.action === 'log') return answer; // each one is logged, so none may be known
    this.#before = this.#last;
    this.#last = { decision, answer };
    return answer;
  }

  /** The answer once the frame is gone, and with it the address that it was about. */
  tellLater(decision: Decision, address: string | undefined): Answer {
    try {
      return answerOf(decision, this.#outlet, address);
    } catch (error) {
      this.#events.internalError(error);
      return NO_ANSWER;
    }
  }

  #encode(decision: Decision): Answer {
    const answer = this.tellLater(decision, 'ip:');
    const told = decision.ofAddress && answer !== NO_ANSWER ? { ...answer, suffix: this.#suffix } : answer;
    this.#answers.set(decision, told);
    return told;
  }
}
