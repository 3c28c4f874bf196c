import type { LRUCache } from 'lru-cache';
import type { Address } from './address.ts';
import type { AddressTable } from './address-table.ts';
import {
  BLOCK_OTHERS,
  BLOCK_ROWS,
  type CacheBlock,
  type ContributionIndex,
  IPV4_ROW,
  IPV6_ROW,
} from './cache-block.ts';
import type { ContributionPool } from './contribution-pool.ts';
import type { Contribution, Decision } from './decision.ts';

/** A contribution and until when it is fresh and kept, in ticks. */
export interface Kept {
  readonly contribution: Contribution;
  readonly freshUntil: number;
  readonly keptUntil: number;
  refreshable: boolean;
}

const NO_ROWS = new Int32Array(0);

/** The verdicts in a table that are still kept, in blocks; the table may change between two of them. */
export function* tableBlocks(
  table: AddressTable,
  { pool, index, now }: { pool: ContributionPool; index: ContributionIndex; now: number },
): Generator<CacheBlock> {
  const { words } = table;
  const width = words === 1 ? IPV4_ROW : IPV6_ROW;
  let slot = table.nextUsed(0);
  while (slot >= 0) {
    const rows = new Int32Array(BLOCK_ROWS * width);
    let at = 0;
    for (; slot >= 0 && at < rows.length; slot = table.nextAfter(slot)) {
      const contribution = pool.get(table.value(slot));
      const keptUntil = table.keptUntil(slot);
      if (typeof contribution === 'string' || keptUntil <= now) continue;
      table.copyAddress(slot, rows, at);
      rows[at + words] = table.freshUntil(slot) - now;
      rows[at + words + 1] = keptUntil - now;
      rows[at + words + 2] = index.placeOf(contribution);
      at += width;
    }
    const filled = rows.subarray(0, at);
    const block = { contributions: index.takeAdded(), others: [] };
    yield words === 1 ? { ...block, ipv4: filled, ipv6: NO_ROWS } : { ...block, ipv4: NO_ROWS, ipv6: filled };
  }
}

/** The verdicts on other subjects that are still kept, the oldest first so that they are in this order again. */
export function* otherBlocks(
  others: LRUCache<string, Kept>,
  { index, now }: { index: ContributionIndex; now: number },
): Generator<CacheBlock> {
  const subjects = [...others.rkeys()];
  for (let at = 0; at < subjects.length; at += BLOCK_OTHERS) {
    const rows: CacheBlock['others'][number][] = [];
    for (const subject of subjects.slice(at, at + BLOCK_OTHERS)) {
      const kept = others.peek(subject);
      if (kept === undefined || typeof kept.contribution === 'string' || kept.keptUntil <= now) continue;
      rows.push([subject, kept.freshUntil - now, kept.keptUntil - now, index.placeOf(kept.contribution)]);
    }
    yield { contributions: index.takeAdded(), ipv4: NO_ROWS, ipv6: NO_ROWS, others: rows };
  }
}

export interface RestoreTimes {
  readonly now: number;
  /** How old the snapshot is. */
  readonly elapsedTicks: number;
  /** For how long a decision may be fresh from now on. */
  longestFresh(decision: Decision): number;
  /** For how long more it may be kept. */
  readonly staleTicks: number;
}

/** Blocks on their way into a cache: which contribution each row means, and until when it holds. */
export class Restoration {
  readonly #pool: ContributionPool;
  readonly #times: RestoreTimes;
  readonly #contributions: { readonly contribution: Decision; readonly value: number }[] = [];
  #restored = 0;

  constructor(pool: ContributionPool, times: RestoreTimes) {
    this.#pool = pool;
    this.#times = times;
  }

  add(contributions: readonly Decision[]): void {
    for (const contribution of contributions)
      this.#contributions.push({ contribution, value: this.#pool.take(contribution) });
  }

  /** What a row means now; undefined where that is nothing any more. */
  keptOf(freshFor: number, keptFor: number, place: number): (Kept & { readonly value: number }) | undefined {
    const { now, elapsedTicks, longestFresh, staleTicks } = this.#times;
    const meant = this.#contributions[place];
    if (meant === undefined) return undefined;
    const longest = longestFresh(meant.contribution);
    const keptUntil = now + Math.min(keptFor - elapsedTicks, longest + staleTicks);
    if (keptUntil <= now) return undefined;
    this.#restored++;
    const freshUntil = now + Math.min(freshFor - elapsedTicks, longest);
    return { ...meant, freshUntil, keptUntil, refreshable: keptUntil > freshUntil };
  }

  /** Puts rows into their table; `address` is used for each of them. */
  fill(table: AddressTable, rows: Int32Array, address: Address): void {
    const { words } = table;
    for (let at = 0; at + words + 3 <= rows.length; at += words + 3) {
      const kept = this.keptOf(...tripleAt(rows, at + words));
      if (kept === undefined) continue;
      readRow(rows, at, words, address);
      this.#pool.retain(kept.value);
      const gone = table.put(address, kept, this.#times.now);
      if (gone !== 0) this.#pool.release(gone);
    }
  }

  /** How many subjects that were. */
  end(): number {
    for (const { value } of this.#contributions) this.#pool.release(value);
    return this.#restored;
  }
}

function tripleAt(rows: Int32Array, at: number): [number, number, number] {
  return [rows[at], rows[at + 1], rows[at + 2]] as [number, number, number]; // within a row
}

function readRow(rows: Int32Array, at: number, words: 1 | 4, address: Address): void {
  address.words = words;
  address.a = rows[at] as number; // within a row, as the others
  if (words === 1) return;
  [address.b, address.c, address.d] = tripleAt(rows, at + 1);
}
