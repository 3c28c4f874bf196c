import { failureOf } from './failure.ts';
import { type Call, type FromRules, monotonicMs, type Outcome } from './messages.ts';
import { returnedBy } from './returned.ts';
import type { Rule, RuleGiven, RuleRequest, RuleValue } from './rules.ts';

/** The signal of a request is aborted at this share of its time, so that what is decided then is still in time. */
const SIGNAL_SHARE = 0.9;

/** Outcomes wait for those of the same turn. */
export class Outbox {
  readonly #tell: (message: FromRules) => void;
  #outcomes: [number, Outcome][] = [];
  #isDue = false;

  constructor(tell: (message: FromRules) => void) {
    this.#tell = tell;
  }

  add(id: number, outcome: Outcome): void {
    this.#outcomes.push([id, outcome]);
  }

  addLate(id: number, outcome: Outcome): void {
    this.add(id, outcome);
    if (this.#isDue) return;
    this.#isDue = true;
    setImmediate(() => this.flush());
  }

  flush(): void {
    this.#isDue = false;
    if (this.#outcomes.length === 0) return;
    this.#tell({ type: 'outcomes', outcomes: this.#outcomes });
    this.#outcomes = [];
  }
}

/** Calls the function of each message, and puts into the outbox what comes of it. */
export function answerAll(calls: readonly Call[], rules: ReadonlyMap<string, Rule>, outbox: Outbox): void {
  for (const call of calls) answer(call, rules.get(call.message), outbox);
  outbox.flush();
}

function answer(call: Call, rule: Rule | undefined, outbox: Outbox): void {
  const leftMs = call.endsAtMs - monotonicMs();
  if (leftMs <= 0) {
    outbox.add(call.id, { type: 'skipped' });
    return;
  }
  try {
    const decided: unknown = rule?.(new Request(call, leftMs));
    if (isPromise(decided)) answerLater(call, decided, outbox);
    else outbox.add(call.id, returnedBy(decided, call.decision));
  } catch (error) {
    outbox.add(call.id, { type: 'failed', ...failureOf(error) });
  }
}

function answerLater({ id, decision }: Call, decided: PromiseLike<unknown>, outbox: Outbox): void {
  decided.then(
    (value) => outbox.addLate(id, returnedBy(value, decision)),
    (error) => outbox.addLate(id, { type: 'failed', ...failureOf(error) }),
  );
}

class Request implements RuleRequest {
  readonly message: string;
  readonly arguments: Readonly<Record<string, RuleValue>>;
  readonly decision: RuleGiven;
  readonly #abortAtMs: number;
  #signal: AbortSignal | undefined;

  constructor(call: Call, leftMs: number) {
    this.message = call.message;
    this.arguments = call.arguments;
    this.decision = call.decision;
    this.#abortAtMs = performance.now() + leftMs * SIGNAL_SHARE;
  }

  /** Made only for those who ask: it costs a timer. */
  get signal(): AbortSignal {
    this.#signal ??= AbortSignal.timeout(Math.max(0, Math.floor(this.#abortAtMs - performance.now())));
    return this.#signal;
  }
}

function isPromise(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}
