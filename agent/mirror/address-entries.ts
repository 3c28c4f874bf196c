import type { Action } from '../../contract/actions.ts';
import type { Address } from '../decision/address.ts';
import { AddressHash } from '../decision/address-hash.ts';
import type { AddressKey } from './address-key.ts';
import { EntryTable } from './entry-table.ts';
import type { Finder } from './finder.ts';
import { PrefixTables, placeOf32Bits, placeOf48Bits, placeOfIpv4, placesOfIpv4 } from './prefix-tables.ts';

/** The entries of addresses and networks: a table for each family and length. */
export class AddressEntries {
  readonly #hash = new AddressHash();
  readonly #ipv4 = new PrefixTables();
  /** Those of 48 bits and more, which are near each other by more bits than the shorter ones. */
  readonly #longIpv6 = new PrefixTables();
  readonly #shortIpv6 = new PrefixTables();

  get bytes(): number {
    return [...this.#parts, ...this.tables].reduce((sum, { bytes }) => sum + bytes, 0);
  }

  get tables(): readonly EntryTable[] {
    return this.#parts.flatMap(({ tables }) => tables);
  }

  /** Shows a search the entries of every network that an address is in. */
  search(address: Address, search: Finder): void {
    const { a, b, ipv6Prefix } = address;
    if (address.words === 1) this.#ipv4.search(placeOfIpv4(a), address, 32, search);
    else {
      this.#longIpv6.search(placeOf48Bits(a, b), address, ipv6Prefix, search);
      this.#shortIpv6.search(placeOf32Bits(a), address, ipv6Prefix, search);
    }
  }

  /** The table of an address or network, if there is one. */
  tableOf(at: AddressKey): EntryTable | undefined {
    return this.#partOf(at).tableOf(at.prefix);
  }

  /** Its entries are in the sum of this round, if it is a new one. */
  add(at: AddressKey, value: number, expiry: number, round: number): EntryTable {
    const { isIpv4, prefix, a, b } = at;
    const part = this.#partOf(at);
    let table = part.tableOf(prefix);
    if (table === undefined) {
      table = new EntryTable(isIpv4, prefix, this.#hash, round);
      part.use(table);
    }
    table.add(at, value, expiry);
    if (table.isOfAddresses) return table;
    if (isIpv4) part.note(table, at, placeOfIpv4(a), placesOfIpv4(prefix));
    else if (prefix >= 48) part.note(table, at, placeOf48Bits(a, b), 1);
    else if (prefix >= 32) part.note(table, at, placeOf32Bits(a), 1);
    else part.note(table, at);
    return table;
  }

  /** A table has entries with this action from now on. */
  admit(table: EntryTable, action: Action): void {
    this.#partOf(table).admit(table, action);
  }

  get #parts(): readonly PrefixTables[] {
    return [this.#ipv4, this.#longIpv6, this.#shortIpv6];
  }

  #partOf({ isIpv4, prefix }: Pick<AddressKey, 'isIpv4' | 'prefix'>): PrefixTables {
    if (isIpv4) return this.#ipv4;
    return prefix >= 48 ? this.#longIpv6 : this.#shortIpv6;
  }
}
