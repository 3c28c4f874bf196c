import type { Address } from './address.ts';
import type { NetworkShares } from './network-shares.ts';

/** How many are compared when one of them has to go. */
const RIVALS = 8;
/** Among how many one of the same network is looked for: of a network with its share at least every 32nd is one. */
const OWN_RIVALS = 256;
/** How well one can be spared, added up. */
const UNUSED = 1;
const SPENT = 2;
const OVER = 4;

/** What the round sees of a table of addresses; a slot is where one stands. */
export interface Slots {
  readonly size: number;
  /** The first in use from this place on; -1 if there is none up to the end. */
  nextUsed(place: number): number;
  /** The place behind this slot. */
  after(slot: number): number;
  word(slot: number, index: number): number;
  freshUntil(slot: number): number;
  keptUntil(slot: number): number;
  isUsed(slot: number): boolean;
  unuse(slot: number): void;
}

/** Who goes when a table is full, in a round through all of it. */
export class Rivals {
  readonly #table: Slots;
  readonly #shares: NetworkShares;
  /** Where the round has come to. */
  #hand = 0;

  constructor(table: Slots, shares: NetworkShares) {
    this.#table = table;
    this.#shares = shares;
  }

  /** The slot of the one to go for a newcomer; of its own network, if that has its share. */
  forNewcomer(newcomer: Address, now: number): number {
    const own = this.#own(newcomer, now);
    return own >= 0 ? own : this.next(now);
  }

  /** The one of the next few that can best be spared. */
  next(now: number): number {
    return this.#mostSpareable(Math.min(RIVALS, this.#table.size), now);
  }

  /** The one of so many from this slot on. */
  from(slot: number, count: number, now: number): number {
    this.#hand = slot;
    return this.#mostSpareable(count, now);
  }

  #mostSpareable(count: number, now: number): number {
    const table = this.#table;
    const start = this.#hand;
    let best = -1;
    let spareable = -1;
    let allUsed = true;
    for (let left = count; left > 0 && spareable < OVER; left--) {
      const slot = this.#advance();
      const its = this.#spareable(slot, now);
      if ((its & UNUSED) !== 0) allUsed = false;
      if (its < spareable || (its === spareable && table.freshUntil(slot) >= table.freshUntil(best))) continue;
      best = slot;
      spareable = its;
    }
    if (allUsed && spareable < OVER) {
      this.#hand = start;
      for (let left = count; left > 0; left--) table.unuse(this.#advance());
    }
    return best;
  }

  /**
   * One past its time or of the newcomer's network, if that has its share; -1 if it has not, or none is among the next. The
   * round goes on by some, as ever: else it would leave empty slots behind it and full ones before it.
   */
  #own({ a, b }: Address, now: number): number {
    const table = this.#table;
    const network = this.#shares.spentBy(a, b);
    if (network === undefined) return -1;
    let first = -1;
    let unused = -1;
    const count = Math.min(OWN_RIVALS, table.size);
    for (let seen = 0; seen < count && (seen < RIVALS || unused < 0); seen++) {
      const slot = this.#advance();
      if (table.keptUntil(slot) <= now) return slot;
      if (unused >= 0 || !network.isSame(a, b, table.word(slot, 0), table.word(slot, 1))) continue;
      if (!table.isUsed(slot)) unused = slot;
      table.unuse(slot);
      if (first < 0) first = slot;
    }
    return unused >= 0 ? unused : first;
  }

  #spareable(slot: number, now: number): number {
    const table = this.#table;
    if (table.keptUntil(slot) <= now) return OVER;
    const isSpent = this.#shares.spentBy(table.word(slot, 0), table.word(slot, 1)) !== undefined;
    return (isSpent ? SPENT : 0) + (table.isUsed(slot) ? 0 : UNUSED);
  }

  /** The next slot in use, round the end; there is one. */
  #advance(): number {
    const ahead = this.#table.nextUsed(this.#hand);
    const slot = ahead >= 0 ? ahead : this.#table.nextUsed(0);
    this.#hand = this.#table.after(slot);
    return slot;
  }
}
