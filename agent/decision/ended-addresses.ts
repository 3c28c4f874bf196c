import { type AddressTable, MAX_PROBES } from './address-table.ts';
import type { ChangedSubjects } from './changed-subjects.ts';
import { isListed } from './decision.ts';
import type { VerdictPool } from './verdict-pool.ts';

/** Addresses times looks at each that one slice takes: about a millisecond. */
const LOOKS = 20_000;

/** Tables with the pool that their values are numbers of, and the time in ticks. */
interface Tables {
  readonly tables: readonly AddressTable[];
  readonly pool: VerdictPool;
  now(): number;
}

/** Ends the verdict in a slot: a listed one stays as a stale one, any other is gone. Returns whether it stays. */
export function endSlot(table: AddressTable, slot: number, pool: VerdictPool, now: number): boolean {
  const stays = isListed(pool.get(table.value(slot)));
  table.shorten(slot, Math.min(table.freshUntil(slot), now), stays ? table.keptUntil(slot) : 0);
  return stays && table.keptUntil(slot) > now;
}

/** Ends the verdicts of all addresses in changed networks, in slices. */
export function* endCovered({ tables, pool, now }: Tables, { networks }: ChangedSubjects): Generator<void> {
  for (const table of tables) {
    const changed = networks[table.words];
    if (changed.lengths === 0) continue;
    yield* inSlices(table, 1 + changed.lengths, (slot) => {
      if (changed.covers(table.word(slot, 0), table.word(slot, 1))) endSlot(table, slot, pool, now());
    });
  }
}

/** Ends all verdicts as fresh, in slices; they stay as stale ones. */
export function* endAllFresh({ tables, now }: Omit<Tables, 'pool'>): Generator<void> {
  for (const table of tables)
    yield* inSlices(table, 2, (slot) =>
      table.shorten(slot, Math.min(table.freshUntil(slot), now()), table.keptUntil(slot)),
    );
}

/**
 * Each address of a table, in slices, between which the table may change. What is put into it meanwhile may be left out, but
 * not what moves: a removal moves an address towards the begin of its search, which is at most `MAX_PROBES` slots long, and
 * a table that grows is begun again.
 */
function* inSlices(table: AddressTable, looks: number, each: (slot: number) => void): Generator<void> {
  const reach = table.after(0) * MAX_PROBES;
  let slot = table.nextOccupied(0);
  while (slot >= 0) {
    for (let left = MAX_PROBES + LOOKS / looks; left > 0 && slot >= 0; left--) {
      each(slot);
      slot = table.nextAfter(slot);
    }
    if (slot < 0) return;
    const { bytes } = table;
    yield;
    slot = table.nextOccupied(table.bytes === bytes ? Math.max(0, slot - reach) : 0);
  }
}
