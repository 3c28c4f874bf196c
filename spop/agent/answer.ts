import { appendAction, Scope } from '../ack.ts';
import { shown } from '../options.ts';
import { PayloadWriter } from '../payload-writer.ts';
import type { TypedData } from '../typed-data.ts';
import { type Declared, toData, toDeclaredData } from './values.ts';

/** Whose variables they are. */
export interface AnswerOwner {
  readonly vars: Declared | undefined;
  /** A variable was set behind the last moment. */
  lost(name: string): void;
}

/** The variables that are set for one message, encoded as they are set. */
export class Answer {
  readonly #owner: AnswerOwner;
  readonly #out = new PayloadWriter();
  #isTaken = false;

  constructor(owner: AnswerOwner) {
    this.#owner = owner;
  }

  /** Throws a `TypeError` for what HAProxy would drop silently, and for what is not as declared. */
  readonly set = (name: string, value: unknown, scope: Scope = 'txn'): void => {
    if (this.#isTaken) {
      this.#owner.lost(name);
      return;
    }
    if (!Object.hasOwn(Scope, scope))
      throw new TypeError(`variable "${name}": scope ${shown(scope)} must be one of ${Object.keys(Scope).join(', ')}`);
    appendAction(this.#out, { type: 'set-var', scope, name, value: this.#dataOf(name, value) });
  };

  /** What was set, encoded: the answer. */
  take(): Uint8Array {
    this.#isTaken = true;
    return this.#out.finish();
  }

  #dataOf(name: string, value: unknown): TypedData {
    const { vars } = this.#owner;
    if (vars === undefined) return toData(name, value);
    const type = Object.hasOwn(vars, name) ? vars[name] : undefined;
    if (type !== undefined) return toDeclaredData(name, type, value);
    throw new TypeError(`variable "${name}" is not declared: vars of message() has ${Object.keys(vars).join(', ')}`);
  }
}
