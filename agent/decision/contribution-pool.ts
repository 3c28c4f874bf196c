import { bytesOfPooled } from './cache-bytes.ts';
import type { Contribution } from './decision.ts';

interface Pooled {
  readonly contribution: Contribution;
  readonly key: string;
  readonly bytes: number;
  uses: number;
}

/**
 * Contributions by number, each kept once however many addresses share it: a list of a million addresses blocked for
 * three reasons is three objects. Numbers begin at 1; one that nobody uses any more is given out again.
 */
export class ContributionPool {
  readonly #pooled: (Pooled | undefined)[] = [undefined];
  readonly #numbers = new Map<string, number>();
  readonly #free: number[] = [];
  #bytes = 0;

  get size(): number {
    return this.#numbers.size;
  }

  /** The memory that all of them take; an estimate from above. */
  get bytes(): number {
    return this.#bytes;
  }

  get(number: number): Contribution {
    return (this.#pooled[number] as Pooled).contribution; // numbers come from take
  }

  /** The number of a contribution equal to this one, with one more user. */
  take(contribution: Contribution): number {
    const key = JSON.stringify(contribution);
    const known = this.#numbers.get(key);
    const number = known ?? this.#free.pop() ?? this.#pooled.length;
    if (known === undefined) {
      const bytes = bytesOfPooled(key, contribution);
      this.#bytes += bytes;
      this.#pooled[number] = { contribution, key, bytes, uses: 0 };
      this.#numbers.set(key, number);
    }
    (this.#pooled[number] as Pooled).uses++; // just found or made
    return number;
  }

  /** One user more. */
  retain(number: number): void {
    (this.#pooled[number] as Pooled).uses++; // numbers come from take
  }

  /** One user less. */
  release(number: number): void {
    const pooled = this.#pooled[number] as Pooled; // numbers come from take
    pooled.uses--;
    if (pooled.uses > 0) return;
    this.#pooled[number] = undefined;
    this.#numbers.delete(pooled.key);
    this.#bytes -= pooled.bytes;
    this.#free.push(number);
  }
}

/** Says "the address itself" in place of its text, so that all addresses with an entry like this share one object. */
export function withoutAddress(contribution: Contribution, subject: string): Contribution {
  if (typeof contribution === 'string' || contribution.entry !== subject) return contribution;
  const { entry: _entry, ...rest } = contribution;
  return { ...rest, ofAddress: true };
}
