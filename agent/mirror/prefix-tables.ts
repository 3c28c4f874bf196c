import type { Action } from '../../contract/actions.ts';
import type { Address } from '../decision/address.ts';
import type { EntryTable } from './entry-table.ts';
import type { Finder } from './finder.ts';

const PLACE_BITS = 16;
const PLACES = 1 << PLACE_BITS;
/** Those of a byte. */
const BITS = 8;

/** Where addresses and networks are near each other: by the first bits of IPv4, by a hash of the first 32 or 48 of IPv6. */
export function placeOfIpv4(a: number): number {
  return a >>> (32 - PLACE_BITS);
}

/** The number of places of a network. */
export function placesOfIpv4(prefix: number): number {
  return 2 ** Math.max(0, PLACE_BITS - prefix);
}

export function placeOf32Bits(a: number): number {
  return Math.imul(a, 0x9e3779b1) >>> (32 - PLACE_BITS);
}

export function placeOf48Bits(a: number, b: number): number {
  return placeOf32Bits(a ^ Math.imul(b >>> 16, 0x85ebca6b));
}

/**
 * The tables of some prefix lengths, and which of these have entries near an address, so that most tables need no search: those of
 * lists that name a few networks. It forgets none: what is gone costs a search in vain. A byte for each place, since the
 * search is on the hot path, and a larger array is not in the first caches of the processor.
 */
export class PrefixTables {
  /** The longest prefixes first, with a bit for each, which the ninth shares with the first. */
  #tables: readonly EntryTable[] = [];
  #bits: readonly number[] = [];
  #near = new Uint8Array(0);
  #everywhere = 0;
  /** No entry of any of them stands before this. */
  #least = Number.POSITIVE_INFINITY;

  get bytes(): number {
    return this.#near.byteLength;
  }

  get tables(): readonly EntryTable[] {
    return this.#tables;
  }

  tableOf(prefix: number): EntryTable | undefined {
    for (const table of this.#tables) if (table.prefix === prefix) return table;
    return undefined;
  }

  /** Has this table from now on, for a length without one. */
  use(table: EntryTable): void {
    const at = this.#tables.filter(({ prefix }) => prefix > table.prefix).length;
    this.#bits = this.#bits.toSpliced(at, 0, 1 << (this.#tables.length % BITS));
    this.#tables = this.#tables.toSpliced(at, 0, table);
    if (this.#near.length === 0) this.#near = new Uint8Array(PLACES);
  }

  /** A table has entries with this action from now on. */
  admit(table: EntryTable, action: Action): void {
    table.admit(action);
    this.#least = Math.min(this.#least, table.least);
  }

  /** Entries of this table are near addresses at so many places from this one on; at all of them if none is said. */
  note(table: EntryTable, place = 0, count = PLACES): void {
    const bit = this.#bits[this.#tables.indexOf(table)] as number; // it is used
    if (count === PLACES) this.#everywhere |= bit;
    else for (let at = place; at < place + count; at++) this.#near[at] = (this.#near[at] as number) | bit;
  }

  /** Shows a search the entries of every network, up to the longest prefix, that an address is in, the longest ones first. */
  search(place: number, address: Address, longest: number, search: Finder): void {
    const tables = this.#tables;
    let at = 0;
    while (at < tables.length && (tables[at] as EntryTable).prefix > longest) at++;
    if (at === tables.length) return;
    (tables[at] as EntryTable).search(address, search);
    if (++at === tables.length || !search.needs(this.#least)) return;
    const near = (this.#near[place] as number) | this.#everywhere;
    for (; near !== 0 && at < tables.length; at++) {
      if ((near & (this.#bits[at] as number)) === 0) continue;
      const table = tables[at] as EntryTable;
      if (search.needs(table.least)) table.search(address, search);
    }
  }
}
