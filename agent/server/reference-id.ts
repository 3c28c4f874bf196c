import { VARIABLES } from '../../haproxy/variables.ts';
import { encodeActions } from '../../spop/ack.ts';
import type { DynamicActions } from '../../spop/ack-payload.ts';
import { setVariable, type VariableTarget } from './encode-decision.ts';

/** Crockford's base 32 in lower case: no letter looks like a digit. */
const ALPHABET = Buffer.from('0123456789abcdefghjkmnpqrstvwxyz');
const DIGIT_MASK = ALPHABET.length - 1;
/** 60 bits: two processes that count 10⁹ ids each share one with a probability of 2 in 10⁹. */
const DIGITS = 12;

/**
 * The reference ids of denied requests: numbers of twelve digits that count up from a random one, so that no two processes
 * use the same. The text itself is incremented: usually one byte changes.
 */
export class ReferenceIds {
  readonly #digits: Uint8Array;
  /** The current id in ASCII; `advance` overwrites it. */
  readonly bytes: Uint8Array;

  /** The low five bits of each byte of `start` are a digit. */
  constructor(start = crypto.getRandomValues(new Uint8Array(DIGITS))) {
    this.#digits = start.map((byte) => byte & DIGIT_MASK);
    this.bytes = this.#digits.map(asciiOf);
  }

  get text(): string {
    return Buffer.from(this.bytes).toString('latin1');
  }

  advance(): void {
    const digits = this.#digits;
    for (let at = DIGITS - 1; at >= 0; at--) {
      const digit = ((digits[at] as number) + 1) & DIGIT_MASK; // in bounds
      digits[at] = digit;
      this.bytes[at] = asciiOf(digit);
      if (digit !== 0) return;
    }
  }
}

/** Writes the action that sets the current reference id. */
export class DynamicReference implements DynamicActions {
  readonly maxBytes: number;
  readonly #references: ReferenceIds;
  /** The action up to its value. */
  readonly #head: Uint8Array;

  /** Throws a `TypeError` if HAProxy would not accept the name of the variable. */
  constructor(target: VariableTarget, references: ReferenceIds) {
    const action = encodeActions([setVariable(target, VARIABLES.ref, { type: 'string', value: '0'.repeat(DIGITS) })]);
    this.maxBytes = action.length;
    this.#references = references;
    this.#head = action.subarray(0, -DIGITS);
  }

  write(out: Uint8Array, at: number): number {
    const head = this.#head;
    const { bytes } = this.#references;
    for (let index = 0; index < head.length; index++) out[at + index] = head[index] as number; // in bounds
    const textAt = at + head.length;
    for (let index = 0; index < DIGITS; index++) out[textAt + index] = bytes[index] as number; // in bounds
    return textAt + DIGITS;
  }

  /** With the current id, whenever it is written. */
  copy(): DynamicActions {
    const kept = new Uint8Array(this.maxBytes);
    this.write(kept, 0);
    return {
      maxBytes: kept.length,
      write(out, at) {
        out.set(kept, at);
        return at + kept.length;
      },
    };
  }
}

function asciiOf(digit: number): number {
  return ALPHABET[digit] as number; // a digit has five bits
}
