import { appendAction, Scope } from '../ack.ts';
import { PayloadWriter } from '../payload-writer.ts';
import { type Declared, toData, toDeclaredData } from './values.ts';

/** The variables that are set for one message, encoded as they are set. */
export class Answer {
  readonly #declared: Declared | undefined;
  #out = new PayloadWriter();

  constructor(declared: Declared | undefined) {
    this.#declared = declared;
  }

  /** Throws a `TypeError` for what HAProxy would drop silently, and for what is not as declared. */
  readonly set = (name: string, value: unknown, scope: Scope = 'txn'): void => {
    if (!Object.hasOwn(Scope, scope))
      throw new TypeError(`scope "${scope}" must be one of ${Object.keys(Scope).join(', ')}`);
    try {
      appendAction(this.#out, { type: 'set-var', scope, name, value: this.#dataOf(name, value) });
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
      throw new TypeError(`variable "${name}": ${error.message}`, { cause: error });
    }
  };

  /** Forgets what was set. */
  clear(): void {
    this.#out = new PayloadWriter();
  }

  bytes(): Uint8Array {
    return this.#out.finish();
  }

  #dataOf(name: string, value: unknown) {
    if (this.#declared === undefined) return toData(value);
    const type = Object.hasOwn(this.#declared, name) ? this.#declared[name] : undefined;
    if (type === undefined) throw new TypeError(`is not one of the declared ${Object.keys(this.#declared).join(', ')}`);
    return toDeclaredData(type, value);
  }
}
