import { Address } from './address.ts';
import type { AddressTable } from './address-table.ts';
import {
  BLOCK_OTHERS,
  BLOCK_ROWS,
  type CacheBlock,
  IPV4_ROW,
  IPV6_ROW,
  type VerdictIndex,
} from './cache-snapshot-block.ts';
import type { Decision } from './decision.ts';
import type { TextVerdicts } from './text-verdicts.ts';
import type { Kept } from './ticks.ts';
import type { VerdictPool } from './verdict-pool.ts';

const NO_ROWS = new Int32Array(0);

/** The verdicts in a table that are still kept, in blocks; the table may change between two of them. */
export function* tableBlocks(
  table: AddressTable,
  { pool, index, now }: { pool: VerdictPool; index: VerdictIndex; now: number },
): Generator<CacheBlock> {
  const { words } = table;
  const width = words === 1 ? IPV4_ROW : IPV6_ROW;
  let slot = table.nextOccupied(0);
  while (slot >= 0) {
    const rows = new Int32Array(BLOCK_ROWS * width);
    let at = 0;
    for (; slot >= 0 && at < rows.length; slot = table.nextAfter(slot)) {
      const verdict = pool.get(table.value(slot));
      const keptUntil = table.keptUntil(slot);
      if (typeof verdict === 'string' || keptUntil <= now) continue;
      table.copyAddress(slot, rows, at);
      rows[at + words] = table.freshUntil(slot) - now;
      rows[at + words + 1] = keptUntil - now;
      rows[at + words + 2] = index.indexOf(verdict);
      at += width;
    }
    const filled = rows.subarray(0, at);
    const block = { verdicts: index.takeAdded(), others: [] };
    yield words === 1 ? { ...block, ipv4: filled, ipv6: NO_ROWS } : { ...block, ipv4: NO_ROWS, ipv6: filled };
  }
}

/** The verdicts on other subjects that are still kept, the oldest first, so that a restore keeps their order. */
export function* otherBlocks(
  others: TextVerdicts,
  { index, now }: { index: VerdictIndex; now: number },
): Generator<CacheBlock> {
  const subjects = others.texts();
  for (let at = 0; at < subjects.length; at += BLOCK_OTHERS) {
    const rows: CacheBlock['others'][number][] = [];
    for (const subject of subjects.slice(at, at + BLOCK_OTHERS)) {
      const kept = others.peek(subject);
      if (kept === undefined || typeof kept.verdict === 'string' || kept.keptUntil <= now) continue;
      rows.push([subject, kept.freshUntil - now, kept.keptUntil - now, index.indexOf(kept.verdict)]);
    }
    yield { verdicts: index.takeAdded(), ipv4: NO_ROWS, ipv6: NO_ROWS, others: rows };
  }
}

export interface RestoreTimes {
  readonly now: number;
  /** The age of the snapshot. */
  readonly elapsedTicks: number;
  /** The longest time for which a decision may be fresh from now on. */
  longestFresh(decision: Decision): number;
  /** How much longer it may be kept. */
  readonly staleTicks: number;
}

/** Restores blocks into a cache: resolves the verdict and the times of each row. */
export class Restoration {
  readonly #pool: VerdictPool;
  readonly #times: RestoreTimes;
  readonly #verdicts: { readonly verdict: Decision; readonly value: number }[] = [];
  #restored = 0;

  constructor(pool: VerdictPool, times: RestoreTimes) {
    this.#pool = pool;
    this.#times = times;
  }

  add(verdicts: readonly Decision[]): void {
    for (const verdict of verdicts) this.#verdicts.push({ verdict, value: this.#pool.take(verdict) });
  }

  /** The verdict of a row with its times from now on; undefined if it is not kept any more. */
  keptOf(freshFor: number, keptFor: number, index: number): (Kept & { readonly value: number }) | undefined {
    const { now, elapsedTicks, longestFresh, staleTicks } = this.#times;
    const found = this.#verdicts[index];
    if (found === undefined) return undefined;
    const longest = longestFresh(found.verdict);
    const keptUntil = now + Math.min(keptFor - elapsedTicks, longest + staleTicks);
    if (keptUntil <= now) return undefined;
    this.#restored++;
    const freshUntil = now + Math.min(freshFor - elapsedTicks, longest);
    return { ...found, freshUntil, keptUntil, refreshable: keptUntil > freshUntil };
  }

  /** Puts rows into their table. */
  fill(table: AddressTable, rows: Int32Array): void {
    const { words } = table;
    const address = new Address();
    for (let at = 0; at + words + 3 <= rows.length; at += words + 3) {
      const kept = this.keptOf(...tripleAt(rows, at + words));
      if (kept === undefined) continue;
      readRow(rows, at, words, address);
      this.#pool.retain(kept.value);
      const gone = table.put(address, kept, this.#times.now);
      if (gone !== 0) this.#pool.release(gone);
    }
  }

  /** Releases what the rows did not use; returns the number of restored subjects. */
  end(): number {
    for (const { value } of this.#verdicts) this.#pool.release(value);
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
