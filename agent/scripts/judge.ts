import type { Policy, Reason } from '../../contract/policy.ts';
import type { Clock } from '../decision/clock.ts';
import { combine } from '../decision/combine.ts';
import { DeadlineQueue } from '../decision/deadline-queue.ts';
import type { Decision } from '../decision/decision.ts';
import { decidedBy } from './decided.ts';
import type { Failure, Outcome } from './messages.ts';
import type { RuleProcess } from './rule-process.ts';
import type { RuleGiven, RuleValue } from './rules.ts';

/** One message that a function is to decide. */
export interface Case {
  readonly message: string;
  readonly arguments: Readonly<Record<string, RuleValue>>;
  /** The `ip` subject as text, which a decision about it does not carry. */
  readonly address: string | undefined;
  readonly policy: Policy;
  readonly receivedAtMs: number;
}

export interface JudgeEvents {
  /** A function threw, or returned what is no decision. */
  failed(message: string, failure: Failure): void;
  /** A function did not decide before the deadline. */
  late(message: string): void;
  /** So much is running in the process that nothing more is sent there. */
  full(message: string): void;
  /** A variable that HAProxy has no rule for: it is told to nobody. */
  untold(message: string, name: string): void;
}

export interface JudgeSettings {
  readonly deadlineMs: number;
  /** What HAProxy can be told beside the action. */
  readonly vars: ReadonlySet<string>;
}

/** Has the operator's functions decide, each before its deadline; where they cannot, an entry stands, else the policy. */
export class Judge {
  readonly #settings: JudgeSettings;
  readonly #running: () => RuleProcess | undefined;
  readonly #clock: Clock;
  readonly #events: JudgeEvents;
  readonly #deadlines: DeadlineQueue;

  /** `running` is the one to ask now, if there is one. */
  constructor(settings: JudgeSettings, running: () => RuleProcess | undefined, clock: Clock, events: JudgeEvents) {
    this.#settings = settings;
    this.#running = running;
    this.#clock = clock;
    this.#events = events;
    this.#deadlines = new DeadlineQueue(clock);
  }

  /** `listed` is what the lists say; the promise rejects only where that does. */
  decide(asked: Case, listed: Decision | Promise<Decision>): Promise<Decision> {
    return new Promise((resolve, reject) => {
      const hearing = new Hearing(asked, resolve);
      const atMs = asked.receivedAtMs + this.#settings.deadlineMs;
      hearing.cancel = this.#deadlines.add(atMs, () => this.#expire(hearing));
      if (listed instanceof Promise) listed.then((decision) => this.#ask(hearing, decision), reject);
      else this.#ask(hearing, listed);
    });
  }

  #ask(hearing: Hearing, listed: Decision): void {
    hearing.listed = listed;
    const running = this.#running();
    if (hearing.isExpired) hearing.giveUp('timeout');
    else if (running === undefined) hearing.giveUp('rules_error');
    else if (!running.messages.has(hearing.asked.message)) hearing.close(listed);
    else this.#call(running, hearing, listed);
  }

  #call(running: RuleProcess, hearing: Hearing, listed: Decision): void {
    const { message, receivedAtMs, address, arguments: given } = hearing.asked;
    const leftMs = receivedAtMs + this.#settings.deadlineMs - this.#clock.nowMs();
    const call = { message, arguments: given, decision: givenOf(listed, address), leftMs };
    if (running.call(call, (outcome) => this.#take(hearing, listed, outcome))) return;
    this.#events.full(message);
    hearing.giveUp('overload');
  }

  #take(hearing: Hearing, listed: Decision, outcome: Outcome | undefined): void {
    if (hearing.isClosed) return;
    const decided = this.#decisionOf(hearing.asked.message, listed, outcome);
    if (outcome?.type === 'skipped') hearing.giveUp('timeout');
    else if (decided === undefined) hearing.giveUp('rules_error');
    else hearing.close(decided);
  }

  #decisionOf(message: string, listed: Decision, outcome: Outcome | undefined): Decision | undefined {
    if (outcome?.type === 'kept') return listed;
    if (outcome === undefined || outcome.type === 'skipped') return undefined; // why is told elsewhere
    const decided = outcome.type === 'returned' ? decidedBy(outcome.returned) : outcome;
    if (typeof decided === 'object' && 'source' in decided) {
      for (const name in decided.vars) if (!this.#settings.vars.has(name)) this.#events.untold(message, name);
      return decided;
    }
    this.#events.failed(message, typeof decided === 'string' ? { problem: decided } : decided);
    return undefined;
  }

  #expire(hearing: Hearing): void {
    if (hearing.isClosed) return;
    hearing.isExpired = true;
    if (hearing.listed === undefined) return; // answered as soon as that is known, which has the same deadline
    this.#events.late(hearing.asked.message);
    hearing.giveUp('timeout');
  }
}

/** A message on its way to a decision. */
class Hearing {
  readonly asked: Case;
  listed: Decision | undefined;
  isExpired = false;
  isClosed = false;
  cancel = () => {};
  readonly #resolve: (decision: Decision) => void;

  constructor(asked: Case, resolve: (decision: Decision) => void) {
    this.asked = asked;
    this.#resolve = resolve;
  }

  close(decision: Decision): void {
    this.isClosed = true;
    this.cancel();
    this.#resolve(decision);
  }

  /** The function is one more that could not be heard: what an entry says is not given up for it. */
  giveUp(reason: Reason): void {
    const { listed } = this;
    // What was not known first is the reason.
    if (listed?.source === 'policy') this.close(listed);
    else this.close(combine(listed === undefined ? [reason] : [listed, reason], this.asked.policy));
  }
}

function givenOf(
  { ofAddress, unlessAllowed: _unlessAllowed, ...decision }: Decision,
  address: string | undefined,
): RuleGiven {
  return ofAddress && address !== undefined ? { ...decision, entry: address } : decision;
}
