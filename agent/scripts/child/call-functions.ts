import { type Call, type FromChild, monotonicMs, type Outcome } from '../ipc.ts';
import type { ArgumentValue, ListedDecision, ScriptFunction, ScriptRequest } from '../script-types.ts';
import { describeError } from './describe-error.ts';
import { toOutcome } from './returned-value.ts';

/** The signal of a request is aborted after this share of its time: the function can still decide before the deadline. */
const SIGNAL_SHARE = 0.9;

/** Collects the outcomes of one turn of the event loop and sends them together. */
export class OutcomeQueue {
  readonly #send: (message: FromChild) => void;
  #outcomes: [number, Outcome][] = [];
  #isScheduled = false;

  constructor(send: (message: FromChild) => void) {
    this.#send = send;
  }

  /** For outcomes after which the caller flushes. */
  add(id: number, outcome: Outcome): void {
    this.#outcomes.push([id, outcome]);
  }

  addAndSchedule(id: number, outcome: Outcome): void {
    this.add(id, outcome);
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => this.flush());
  }

  flush(): void {
    this.#isScheduled = false;
    if (this.#outcomes.length === 0) return;
    this.#send({ type: 'outcomes', outcomes: this.#outcomes });
    this.#outcomes = [];
  }
}

/** Calls the function of each message, and queues the outcomes. */
export function callFunctions(
  calls: readonly Call[],
  functions: ReadonlyMap<string, ScriptFunction>,
  outcomes: OutcomeQueue,
): void {
  for (const call of calls) callFunction(call, functions.get(call.message), outcomes);
  outcomes.flush();
}

function callFunction(call: Call, decide: ScriptFunction | undefined, outcomes: OutcomeQueue): void {
  const leftMs = call.deadlineAtMs - monotonicMs();
  if (leftMs <= 0) {
    outcomes.add(call.id, { type: 'skipped' });
    return;
  }
  try {
    const returned: unknown = decide?.(new Request(call, leftMs));
    if (isPromise(returned)) awaitOutcome(call, returned, outcomes);
    else outcomes.add(call.id, toOutcome(returned, call.decision));
  } catch (error) {
    outcomes.add(call.id, { type: 'failed', ...describeError(error) });
  }
}

function awaitOutcome({ id, decision }: Call, returned: PromiseLike<unknown>, outcomes: OutcomeQueue): void {
  returned.then(
    (value) => outcomes.addAndSchedule(id, toOutcome(value, decision)),
    (error) => outcomes.addAndSchedule(id, { type: 'failed', ...describeError(error) }),
  );
}

class Request implements ScriptRequest {
  readonly message: string;
  readonly arguments: Readonly<Record<string, ArgumentValue>>;
  readonly decision: ListedDecision;
  readonly #abortAtMs: number;
  #signal: AbortSignal | undefined;

  constructor(call: Call, leftMs: number) {
    this.message = call.message;
    this.arguments = call.arguments;
    this.decision = call.decision;
    this.#abortAtMs = performance.now() + leftMs * SIGNAL_SHARE;
  }

  /** Created on first use: it costs a timer. */
  get signal(): AbortSignal {
    this.#signal ??= AbortSignal.timeout(Math.max(0, Math.floor(this.#abortAtMs - performance.now())));
    return this.#signal;
  }
}

function isPromise(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}
