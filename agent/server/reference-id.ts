import type { DynamicActions } from '../../spop/ack-payload.ts';

/** Crockford's base 32 in lower case: no letter looks like a digit. */
const ALPHABET = Buffer.from('0123456789abcdefghjkmnpqrstvwxyz');
const DIGIT_MASK = ALPHABET.length - 1;
/** 60 bits: two processes that count 10⁹ ids each share one with a probability of 2 in 10⁹. */
export const REFERENCE_DIGITS = 12;

/**
 * The reference ids of denied requests: numbers of twelve digits that count up from a random one, so that no two processes
 * use the same. The text itself is incremented: usually one byte changes.
 */
export class ReferenceIds {
  readonly #digits: Uint8Array;
  /** The current id in ASCII. */
  readonly #text: Uint8Array;

  /** The low five bits of each byte of `start` are a digit. */
  constructor(start = crypto.getRandomValues(new Uint8Array(REFERENCE_DIGITS))) {
    this.#digits = start.map((byte) => byte & DIGIT_MASK);
    this.#text = this.#digits.map(asciiOf);
  }

  get text(): string {
    return Buffer.from(this.#text).toString('latin1');
  }

  advance(): void {
    const digits = this.#digits;
    for (let at = REFERENCE_DIGITS - 1; at >= 0; at--) {
      const digit = ((digits[at] as number) + 1) & DIGIT_MASK; // in bounds
      digits[at] = digit;
      this.#text[at] = asciiOf(digit);
      if (digit !== 0) return;
    }
  }

  /** Writes the current id at `at`, and returns the position after it. */
  write(out: Uint8Array, at: number): number {
    for (let index = 0; index < REFERENCE_DIGITS; index++) out[at + index] = this.#text[index] as number; // in bounds
    return at + REFERENCE_DIGITS;
  }
}

/** Writes the action that sets the current reference id, where there is no room for the details that have it. */
export class DynamicReference implements DynamicActions {
  readonly maxBytes: number;
  readonly #references: ReferenceIds;
  /** The action up to its value. */
  readonly #head: Uint8Array;

  /** `action` sets a reference id, its last bytes. */
  constructor(action: Uint8Array, references: ReferenceIds) {
    this.maxBytes = action.length;
    this.#references = references;
    this.#head = action.subarray(0, -REFERENCE_DIGITS);
  }

  write(out: Uint8Array, at: number): number {
    out.set(this.#head, at);
    return this.#references.write(out, at + this.#head.length);
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
