import { AgentError, type AgentErrorCode } from './agent-error.ts';
import { Answer, type AnswerOwner } from './answer.ts';
import type { MessageContext, SetVariable, Signal } from './message.ts';
import { isThenable } from './thenable.ts';
import type { ArgumentValue, Declared } from './values.ts';

/**
 * Why a message is answered by the fallback.
 *
 * @example
 * ```ts
 * import assert from 'node:assert/strict';
 * import { createAgent, type FallbackReason } from 'haverdict-spop';
 *
 * const action = (reason: FallbackReason) => (reason === 'overload' ? 'deny' : 'allow');
 * createAgent({}, { fallback: ({ reason, set }) => set('action', action(reason)) });
 * assert.equal(action('late'), 'allow');
 * ```
 */
export type FallbackReason = Extract<AgentErrorCode, 'failed' | 'late' | 'overload' | 'arguments' | 'too_large'>;

/**
 * A message that is answered without its function, or in place of what that set.
 *
 * @example
 * ```ts
 * import { createAgent, type FallbackContext } from 'haverdict-spop';
 *
 * const refuse = ({ message, reason, set }: FallbackContext) => {
 *   set('action', 'deny');
 *   set('why', `${message}: ${reason}`);
 * };
 * createAgent({}, { fallback: refuse });
 * ```
 */
export interface FallbackContext {
  readonly message: string;
  readonly reason: FallbackReason;
  readonly set: SetVariable;
}

/**
 * Sets, before it returns, what a message is answered with when its function does not. It cannot be async: the message has
 * to be answered now.
 *
 * @example
 * ```ts
 * import { createAgent, type Fallback } from 'haverdict-spop';
 *
 * const failOpen: Fallback = ({ set }) => set('action', 'allow');
 * createAgent({}, { fallback: failOpen });
 * ```
 */
export type Fallback = (context: FallbackContext) => NoPromise;

// biome-ignore lint/suspicious/noConfusingVoidType: a function that returns a promise passes for one that returns void alone
type NoPromise = void | undefined;

/** What the calls of an agent share. */
export interface CallRules {
  readonly fallback: Fallback;
  report(error: AgentError): void;
}

/** A message that the agent has a function for. */
export interface KnownMessage {
  readonly name: string;
  readonly vars: Declared | undefined;
  readonly run: (context: MessageContext) => unknown;
}

/** One message while it is answered: the context that its function gets. */
export class MessageCall implements MessageContext, AnswerOwner {
  readonly message: string;
  readonly args: Readonly<Record<string, ArgumentValue>>;
  readonly #known: KnownMessage;
  readonly #rules: CallRules;
  readonly #answer: Answer;
  #abort: AbortController | undefined;
  #actions: Uint8Array | undefined;

  constructor(known: KnownMessage, args: Readonly<Record<string, ArgumentValue>>, rules: CallRules) {
    this.message = known.name;
    this.args = args;
    this.#known = known;
    this.#rules = rules;
    this.#answer = new Answer(this);
  }

  get vars(): Declared | undefined {
    return this.#known.vars;
  }

  get set(): SetVariable {
    return this.#answer.set;
  }

  /** Made when it is asked for: with a controller for each, an agent would answer half as many messages. */
  get signal(): Signal {
    this.#abort ??= new AbortController();
    return this.#abort.signal;
  }

  /** The encoded actions, once the message is answered; what is set later is not in them. */
  get actions(): Uint8Array | undefined {
    return this.#actions;
  }

  /** Calls the function, and `settled` if it is done after this returns. */
  start(settled: () => void): void {
    try {
      const result = this.#known.run(this);
      if (isThenable(result))
        Promise.resolve(result).then(
          () => this.#settle(settled),
          (error: unknown) => this.#settle(settled, { error }),
        );
      else this.#actions = this.#answer.take();
    } catch (error) {
      this.fallBack('failed', textOf(error), error);
    }
  }

  /** Answers by the fallback, whatever the function does. */
  fallBack(reason: FallbackReason, why: string, cause?: unknown): void {
    const { message } = this;
    this.#report(reason, why, cause);
    const answer = new Answer({ vars: undefined, lost: (name) => this.lost(name) });
    try {
      const result: unknown = this.#rules.fallback({ message, reason, set: answer.set });
      if (isThenable(result)) this.#awaitNothing(result);
      this.#actions = answer.take();
    } catch (error) {
      this.#report('fallback', `fallback: ${textOf(error)}`, error);
      this.#actions = new Uint8Array(0);
    }
    this.#abort?.abort();
  }

  lost(name: string): void {
    this.#report(
      'lost',
      `variable "${name}" was set when it had been answered: await what sets it, or return its promise`,
    );
  }

  #awaitNothing(result: PromiseLike<unknown>): void {
    this.#report('fallback', 'fallback returned a promise, which nothing awaits: it must set before it returns');
    result.then(undefined, (error: unknown) => this.#report('fallback', `fallback: ${textOf(error)}`, error));
  }

  #report(code: AgentErrorCode, text: string, cause?: unknown): void {
    const { message } = this;
    this.#rules.report(new AgentError(code, `message "${message}": ${text}`, message, cause));
  }

  #settle(settled: () => void, failed?: { readonly error: unknown }): void {
    if (this.#actions !== undefined) return; // it was late
    if (failed === undefined) this.#actions = this.#answer.take();
    else this.fallBack('failed', textOf(failed.error), failed.error);
    settled();
  }
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
