import { bytesOfPooled } from './cache-memory.ts';
import type { SubjectVerdict } from './decision.ts';
import type { LookupSubject } from './lookup-subject.ts';

/** A fresh verdict in the cache. */
export interface CacheHit {
  readonly verdict: SubjectVerdict;
  /** It is about to expire and should be looked up again. True once for each verdict. */
  readonly isRefreshDue: boolean;
}

interface Pooled extends CacheHit {
  readonly key: string;
  readonly bytes: number;
  uses: number;
}

/**
 * Verdicts by number, each stored once however many addresses share it: a list of a million addresses blocked for three
 * reasons is three objects. Numbers begin at 1 and are reused; uses are counted.
 */
export class VerdictPool {
  readonly #pooled: (Pooled | undefined)[] = [undefined];
  readonly #numbers = new Map<string, number>();
  readonly #free: number[] = [];
  #bytes = 0;

  get size(): number {
    return this.#numbers.size;
  }

  /** An upper bound of the memory that all of them take. */
  get bytes(): number {
    return this.#bytes;
  }

  get(number: number): SubjectVerdict {
    return this.hit(number).verdict;
  }

  /** The same as a hit that is not to be refreshed: no object is made for it. */
  hit(number: number): CacheHit {
    return this.#pooled[number] as Pooled; // numbers come from take
  }

  /** The number of a verdict equal to this one, with one use more. */
  take(verdict: SubjectVerdict): number {
    const key = JSON.stringify(verdict);
    const known = this.#numbers.get(key);
    const number = known ?? this.#free.pop() ?? this.#pooled.length;
    if (known === undefined) {
      const bytes = bytesOfPooled(key, verdict);
      this.#bytes += bytes;
      this.#pooled[number] = { verdict, isRefreshDue: false, key, bytes, uses: 0 };
      this.#numbers.set(key, number);
    }
    (this.#pooled[number] as Pooled).uses++; // just found or made
    return number;
  }

  /** One use more. */
  retain(number: number): void {
    (this.#pooled[number] as Pooled).uses++; // numbers come from take
  }

  /** One use less. */
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

/** Replaces an entry that is the address itself by `ofAddress`, so that all addresses with such an entry share one object. */
export function withoutAddress(verdict: SubjectVerdict, subject: LookupSubject): SubjectVerdict {
  if (typeof verdict === 'string' || verdict.entry === undefined) return verdict;
  if (verdict.entry !== subject.text) return verdict;
  const { entry: _entry, ...rest } = verdict;
  return { ...rest, ofAddress: true };
}
