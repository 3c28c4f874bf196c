import type { Address } from './address.ts';
import type { NetworkShares } from './network-cache-shares.ts';

/** How many entries are compared to evict one. */
const CANDIDATES = 8;
/** How many entries are searched for one of a network over its share: at least every 32nd is of that network. */
const NETWORK_CANDIDATES = 256;
/** Why an entry can be evicted; the sum is its score. */
const UNUSED = 1;
const OVER_SHARE = 2;
const EXPIRED = 4;

/** The address table as eviction sees it. A slot is the position of an entry. */
export interface EvictableTable {
  readonly size: number;
  /** The first occupied slot from this position on; -1 if there is none up to the end. */
  nextOccupied(position: number): number;
  /** The position behind this slot. */
  after(slot: number): number;
  word(slot: number, index: number): number;
  freshUntil(slot: number): number;
  keptUntil(slot: number): number;
  isUsed(slot: number): boolean;
  unuse(slot: number): void;
}

/** Chooses what a full table evicts: a clock hand goes round the table, and an entry that was used gets a second chance. */
export class Eviction {
  readonly #table: EvictableTable;
  readonly #shares: NetworkShares;
  #hand = 0;

  constructor(table: EvictableTable, shares: NetworkShares) {
    this.#table = table;
    this.#shares = shares;
  }

  /** The slot to evict for a new address: one of its own network, if that is over its share. */
  victimFor(newcomer: Address, now: number): number {
    const ofNetwork = this.#victimOfNetwork(newcomer, now);
    return ofNetwork >= 0 ? ofNetwork : this.nextVictim(now);
  }

  /** The slot with the highest score among the next few. */
  nextVictim(now: number): number {
    return this.#highestScore(Math.min(CANDIDATES, this.#table.size), now);
  }

  /** The slot with the highest score among `count` from this slot on. */
  victimFrom(slot: number, count: number, now: number): number {
    this.#hand = slot;
    return this.#highestScore(count, now);
  }

  #highestScore(count: number, now: number): number {
    const table = this.#table;
    const start = this.#hand;
    let best = -1;
    let bestScore = -1;
    let allUsed = true;
    for (let left = count; left > 0 && bestScore < EXPIRED; left--) {
      const slot = this.#advance();
      const score = this.#score(slot, now);
      if ((score & UNUSED) !== 0) allUsed = false;
      if (score < bestScore || (score === bestScore && table.freshUntil(slot) >= table.freshUntil(best))) continue;
      best = slot;
      bestScore = score;
    }
    if (allUsed && bestScore < EXPIRED) {
      this.#hand = start;
      for (let left = count; left > 0; left--) table.unuse(this.#advance());
    }
    return best;
  }

  /**
   * An expired slot, or one of the new address's network if that is over its share; -1 if it is not, or none is among the
   * next. The hand moves on in any case, so that empty slots are spread over the table.
   */
  #victimOfNetwork({ a, b }: Address, now: number): number {
    const table = this.#table;
    const network = this.#shares.networkOverShare(a, b);
    if (network === undefined) return -1;
    let first = -1;
    let unused = -1;
    const count = Math.min(NETWORK_CANDIDATES, table.size);
    for (let seen = 0; seen < count && (seen < CANDIDATES || unused < 0); seen++) {
      const slot = this.#advance();
      if (table.keptUntil(slot) <= now) return slot;
      if (unused >= 0 || !network.isSame(a, b, table.word(slot, 0), table.word(slot, 1))) continue;
      if (!table.isUsed(slot)) unused = slot;
      table.unuse(slot);
      if (first < 0) first = slot;
    }
    return unused >= 0 ? unused : first;
  }

  #score(slot: number, now: number): number {
    const table = this.#table;
    if (table.keptUntil(slot) <= now) return EXPIRED;
    const isOverShare = this.#shares.networkOverShare(table.word(slot, 0), table.word(slot, 1)) !== undefined;
    return (isOverShare ? OVER_SHARE : 0) + (table.isUsed(slot) ? 0 : UNUSED);
  }

  /** The next occupied slot, round the end; there is one. */
  #advance(): number {
    const ahead = this.#table.nextOccupied(this.#hand);
    const slot = ahead >= 0 ? ahead : this.#table.nextOccupied(0);
    this.#hand = this.#table.after(slot);
    return slot;
  }
}
