import type { Action } from '../../contract/actions.ts';
import type { Address } from '../decision/address.ts';
import type { Words } from './entry-chunk.ts';
import type { EntryTable } from './entry-table.ts';
import type { Finder } from './finder.ts';

const PLACE_BITS = 20;
const PLACES = 1 << PLACE_BITS;
const WORDS = PLACES >>> 5;

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
 * The tables of some prefix lengths, of which most need no search: a bit for each place says whether any of them has entries near
 * it, and a bit for each hash of a network whether one has it. Neither forgets: what is gone costs a search in vain.
 */
export class PrefixTables {
  /** The longest prefixes first. */
  #tables: readonly EntryTable[] = [];
  #near = new Int32Array(0);
  #named = new Int32Array(0);
  /** Whether entries are near addresses at all places. */
  #isEverywhere = false;
  /** No entry of any of them stands before this. */
  #least = Number.POSITIVE_INFINITY;

  get bytes(): number {
    return this.#near.byteLength + this.#named.byteLength;
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
    this.#tables = this.#tables.toSpliced(at, 0, table);
    if (this.#near.length > 0) return;
    this.#near = new Int32Array(WORDS);
    this.#named = new Int32Array(WORDS);
  }

  /** A table has entries with this action from now on. */
  admit(table: EntryTable, action: Action): void {
    table.admit(action);
    this.#least = Math.min(this.#least, table.least);
  }

  /** A table has this network, which is near addresses at so many places from this one on; at all of them if none is said. */
  note(table: EntryTable, { a, b }: Words, place = 0, count = PLACES): void {
    setBit(this.#named, nameOf(table, a, b));
    if (count === PLACES) this.#isEverywhere = true;
    else for (let at = place; at < place + count; at++) setBit(this.#near, at);
  }

  /** Shows a search the entries of every network, up to the longest prefix, that an address is in, the longest ones first. */
  search(place: number, address: Address, longest: number, search: Finder): void {
    const tables = this.#tables;
    let at = 0;
    while (at < tables.length && (tables[at] as EntryTable).prefix > longest) at++;
    if (at === tables.length) return;
    (tables[at] as EntryTable).search(address, search);
    if (++at === tables.length || !search.needs(this.#least)) return;
    if (this.#isEverywhere || hasBit(this.#near, place)) this.#searchFrom(at, address, search);
  }

  #searchFrom(first: number, address: Address, search: Finder): void {
    const tables = this.#tables;
    for (let at = first; at < tables.length; at++) {
      const table = tables[at] as EntryTable;
      if (search.needs(table.least) && hasBit(this.#named, nameOf(table, address.a, address.b)))
        table.search(address, search);
    }
  }
}

/** A hash of the network that an address is in. All lengths but that of an address have its bits in the first two words. */
function nameOf({ prefix, maskA, maskB }: EntryTable, a: number, b: number): number {
  return placeOf32Bits((a & maskA) ^ Math.imul(b & maskB, 0x85ebca6b) ^ Math.imul(prefix, 0xc2b2ae35));
}

function hasBit(bits: Int32Array, at: number): boolean {
  return ((bits[at >>> 5] as number) & (1 << at)) !== 0; // places are in bounds
}

function setBit(bits: Int32Array, at: number): void {
  bits[at >>> 5] = (bits[at >>> 5] as number) | (1 << at);
}
