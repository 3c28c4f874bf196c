import type { Policy, Reason } from '../../contract/policy.ts';
import { Deadlines } from '../../spop/deadlines.ts';
import type { Clock } from '../decision/clock.ts';
import { combine } from '../decision/combine.ts';
import type { Decision } from '../decision/decision.ts';
import type { Failure, Outcome } from './ipc.ts';
import type { ScriptProcess } from './script-process.ts';
import type { ArgumentValue, ListedDecision } from './script-types.ts';
import { validateDecision } from './validate-decision.ts';

/** One message for a function to decide. */
export interface ScriptInput {
  readonly message: string;
  readonly arguments: Readonly<Record<string, ArgumentValue>>;
  /** The `ip` subject as text: a decision about it does not carry it. */
  readonly address: string | undefined;
  readonly policy: Policy;
  readonly receivedAtMs: number;
}

export interface ScriptRunnerEvents {
  /** A function threw, or returned an invalid decision. */
  failed(message: string, failure: Failure): void;
  /** A function did not decide before the deadline. */
  timedOut(message: string): void;
  /** The process has so many calls in progress that it is sent no more. */
  overloaded(message: string): void;
  /** A function set a variable that no HAProxy rule reads. */
  unreadVariable(message: string, name: string): void;
}

export interface ScriptRunnerSettings {
  readonly deadlineMs: number;
  /** The variables that HAProxy rules read. */
  readonly vars: ReadonlySet<string>;
}

/** Calls the script's functions, each with a deadline. If a call fails, the entry found in the lists decides, else the policy. */
export class ScriptRunner {
  readonly #settings: ScriptRunnerSettings;
  readonly #currentProcess: () => ScriptProcess | undefined;
  readonly #clock: Clock;
  readonly #events: ScriptRunnerEvents;
  readonly #deadlines: Deadlines;

  constructor(
    settings: ScriptRunnerSettings,
    currentProcess: () => ScriptProcess | undefined,
    clock: Clock,
    events: ScriptRunnerEvents,
  ) {
    this.#settings = settings;
    this.#currentProcess = currentProcess;
    this.#clock = clock;
    this.#events = events;
    this.#deadlines = new Deadlines(clock);
  }

  /** `listed` is the decision of the lists; the returned promise rejects only if `listed` does. */
  decide(input: ScriptInput, listed: Decision | Promise<Decision>): Promise<Decision> {
    return new Promise((resolve, reject) => {
      const pending = new PendingCall(input, resolve);
      const due = {
        dueAtMs: input.receivedAtMs + this.#settings.deadlineMs,
        late: () => this.#onDeadline(pending),
      };
      this.#deadlines.add(due);
      pending.cancelDeadline = () => this.#deadlines.delete(due);
      if (listed instanceof Promise) listed.then((decision) => this.#start(pending, decision), reject);
      else this.#start(pending, listed);
    });
  }

  #start(pending: PendingCall, listed: Decision): void {
    pending.listed = listed;
    const script = this.#currentProcess();
    if (pending.isExpired) pending.fallBack('timeout');
    else if (script === undefined) pending.fallBack('script_error');
    else if (!script.messages.has(pending.input.message)) pending.settle(listed);
    else this.#call(script, pending, listed);
  }

  #call(script: ScriptProcess, pending: PendingCall, listed: Decision): void {
    const { message, receivedAtMs, address, arguments: given } = pending.input;
    const leftMs = receivedAtMs + this.#settings.deadlineMs - this.#clock.nowMs();
    const call = { message, arguments: given, decision: toListedDecision(listed, address), leftMs };
    if (script.call(call, (outcome) => this.#onOutcome(pending, listed, outcome))) return;
    this.#events.overloaded(message);
    pending.fallBack('overload');
  }

  #onOutcome(pending: PendingCall, listed: Decision, outcome: Outcome | undefined): void {
    if (pending.isSettled) return;
    const decision = this.#decisionFrom(pending.input.message, listed, outcome);
    if (outcome?.type === 'skipped') pending.fallBack('timeout');
    else if (decision === undefined) pending.fallBack('script_error');
    else pending.settle(decision);
  }

  #decisionFrom(message: string, listed: Decision, outcome: Outcome | undefined): Decision | undefined {
    if (outcome?.type === 'kept') return listed;
    if (outcome === undefined || outcome.type === 'skipped') return undefined; // the supervisor or the deadline logs why
    const result = outcome.type === 'returned' ? validateDecision(outcome.returned) : outcome;
    if (typeof result === 'object' && 'source' in result) {
      for (const name in result.vars) if (!this.#settings.vars.has(name)) this.#events.unreadVariable(message, name);
      return result;
    }
    this.#events.failed(message, typeof result === 'string' ? { problem: result } : result);
    return undefined;
  }

  #onDeadline(pending: PendingCall): void {
    if (pending.isSettled) return;
    pending.isExpired = true;
    if (pending.listed === undefined) return; // `#start` falls back once the lookup ends, which has a deadline of its own
    this.#events.timedOut(pending.input.message);
    pending.fallBack('timeout');
  }
}

/** A message that waits for its decision. */
class PendingCall {
  readonly input: ScriptInput;
  listed: Decision | undefined;
  isExpired = false;
  isSettled = false;
  cancelDeadline = () => {};
  readonly #resolve: (decision: Decision) => void;

  constructor(input: ScriptInput, resolve: (decision: Decision) => void) {
    this.input = input;
    this.#resolve = resolve;
  }

  settle(decision: Decision): void {
    this.isSettled = true;
    this.cancelDeadline();
    this.#resolve(decision);
  }

  /** Decides without the function: an entry of a list stands, otherwise the policy decides. */
  fallBack(reason: Reason): void {
    const { listed } = this;
    // if the lookup failed before the function did, its reason is kept
    if (listed?.source === 'policy') this.settle(listed);
    else this.settle(combine(listed === undefined ? [reason] : [listed, reason], this.input.policy));
  }
}

function toListedDecision(
  { ofAddress, unlessAllowed: _unlessAllowed, ...decision }: Decision,
  address: string | undefined,
): ListedDecision {
  return ofAddress && address !== undefined ? { ...decision, entry: address } : decision;
}
