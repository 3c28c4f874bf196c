import { VARIABLES } from '../../haproxy/vocabulary.ts';
import { encodeActions } from '../../spop/ack.ts';
import { type Outlet, type Suffix, setVariable } from './answer.ts';

/** Crockford's base 32 in small letters: no letter that looks like a digit. */
const ALPHABET = Buffer.from('0123456789abcdefghjkmnpqrstvwxyz');
const DIGIT_MASK = ALPHABET.length - 1;
/** 60 bits: two runs that count 10⁹ each from anywhere have one in common with a chance of 2 in 10⁹. */
const DIGITS = 12;

/**
 * The reference ids of denied requests: numbers of twelve digits that count up from a random one, so that no run of any
 * process begins where another was. They are written as they are counted: most times one byte changes.
 */
export class References {
  readonly #digits: Uint8Array;
  /** The one at hand, in ASCII; the next one takes its place. */
  readonly bytes: Uint8Array;

  /** The low five bits of each byte of `start` are a digit. */
  constructor(start = crypto.getRandomValues(new Uint8Array(DIGITS))) {
    this.#digits = start.map((byte) => byte & DIGIT_MASK);
    this.bytes = this.#digits.map(asciiOf);
  }

  get text(): string {
    return Buffer.from(this.bytes).toString('latin1');
  }

  /** Goes on to the next one. */
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

/** Tells the reference id at hand. */
export class ReferenceSuffix implements Suffix {
  readonly maxBytes: number;
  readonly #references: References;
  /** The action up to its text. */
  readonly #head: Uint8Array;

  /** Throws a `TypeError` where the name of the variable would be none for HAProxy. */
  constructor(outlet: Outlet, references: References) {
    const action = encodeActions([setVariable(outlet, VARIABLES.ref, { type: 'string', value: '0'.repeat(DIGITS) })]);
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

  /** For an answer that is written when others have gone on to the next one. */
  keep(): Suffix {
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
