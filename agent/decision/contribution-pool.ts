import type { Contribution } from './decision.ts';

interface Pooled {
  readonly contribution: Contribution;
  readonly key: string;
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

  get size(): number {
    return this.#numbers.size;
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
      this.#pooled[number] = { contribution, key, uses: 0 };
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
    this.#free.push(number);
  }
}
