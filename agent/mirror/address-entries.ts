import type { Address } from '../decision/address.ts';
import { AddressHash } from '../decision/address-hash.ts';
import type { AddressKey } from './address-key.ts';
import { EntryTable } from './entry-table.ts';
import type { Finder } from './finder.ts';
import { mayHave, PrefixFilter } from './prefix-filter.ts';

/** More than the bits of an IPv4 address. */
const IPV6 = 256;
/** What is near an address if nothing is left out. */
const EVERYTHING = -1;

/** The entries of addresses and networks: a table for each family and length. */
export class AddressEntries {
  readonly #hash = new AddressHash();
  readonly #tables = new Map<number, EntryTable>();
  /** Those with entries, the longest prefixes first. */
  #ipv4: readonly EntryTable[] = [];
  #ipv6: readonly EntryTable[] = [];
  readonly #filters = { 4: new PrefixFilter(), 6: new PrefixFilter() } as const;

  get bytes(): number {
    let bytes = 0;
    for (const part of [...this.#tables.values(), ...Object.values(this.#filters)]) bytes += part.bytes;
    return bytes;
  }

  get tables(): Iterable<EntryTable> {
    return this.#tables.values();
  }

  /** Shows a search the entries of every network that an address is in. */
  search(address: Address, search: Finder): void {
    const isIpv4 = address.words === 1;
    const tables = isIpv4 ? this.#ipv4 : this.#ipv6;
    const near = tables.length > 1 ? this.#filters[isIpv4 ? 4 : 6].near(isIpv4, address.a) : EVERYTHING;
    for (let at = 0; at < tables.length; at++) {
      const table = tables[at] as EntryTable;
      if (!mayHave(table, near) || (!isIpv4 && table.prefix > address.ipv6Prefix)) continue;
      table.search(address, search);
      if (search.isOver) return;
    }
  }

  /** The table of an address or network, if there is one. */
  tableOf({ isIpv4, prefix }: AddressKey): EntryTable | undefined {
    return this.#tables.get(isIpv4 ? prefix : IPV6 + prefix);
  }

  /** Its entries are in the sum of this round, if it is a new one. */
  add(at: AddressKey, value: number, expiry: number, round: number): EntryTable {
    let table = this.tableOf(at);
    if (table === undefined) {
      table = new EntryTable(at.isIpv4, at.prefix, this.#hash, round);
      this.#tables.set(at.isIpv4 ? at.prefix : IPV6 + at.prefix, table);
    }
    table.add(at, value, expiry);
    this.#filters[at.isIpv4 ? 4 : 6].add(at);
    if (table.size === 1) this.#sort();
    return table;
  }

  remove(table: EntryTable, slot: number): void {
    table.remove(slot);
    if (table.size === 0) this.#sort();
  }

  #sort(): void {
    const used = [...this.#tables.values()].filter(({ size }) => size > 0).sort((a, b) => b.prefix - a.prefix);
    this.#ipv4 = used.filter(({ isIpv4 }) => isIpv4);
    this.#ipv6 = used.filter(({ isIpv4 }) => !isIpv4);
  }
}
