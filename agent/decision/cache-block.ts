import type { Decision } from './decision.ts';

/** Part of a cache as plain data. Times are ticks from the moment of the snapshot on; of failures nothing is in it. */
export interface CacheBlock {
  /** Further verdicts; the rows of this block and of later ones name them by their place among all. */
  readonly verdicts: readonly Decision[];
  /** Rows of an address, the end of its freshness, the end of its being kept, and the place of its verdict. */
  readonly ipv4: Int32Array;
  readonly ipv6: Int32Array;
  readonly others: readonly (readonly [subject: string, freshUntil: number, keptUntil: number, verdict: number])[];
}

export const IPV4_ROW = 4;
export const IPV6_ROW = 7;
/** Subjects of one block: few enough to be made between two reads of a socket. */
export const BLOCK_ROWS = 4096;
/** Other subjects of one block, which are texts of any length. */
export const BLOCK_OTHERS = 256;

/** The places of verdicts, and those that no block had before. */
export class VerdictIndex {
  readonly #places = new Map<Decision, number>();
  #added: Decision[] = [];

  placeOf(verdict: Decision): number {
    const known = this.#places.get(verdict);
    if (known !== undefined) return known;
    this.#added.push(verdict);
    this.#places.set(verdict, this.#places.size);
    return this.#places.size - 1;
  }

  takeAdded(): Decision[] {
    const added = this.#added;
    this.#added = [];
    return added;
  }
}
