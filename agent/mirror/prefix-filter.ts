import type { AddressKey } from './address-key.ts';
import type { EntryTable } from './entry-table.ts';

/** As many as the first 16 bits have values. */
const PLACES = 1 << 16;

/**
 * Which prefix lengths have entries near an address, so that most tables need no search: those of lists that name a few
 * networks. It forgets none: what is gone costs a search in vain.
 */
export class PrefixFilter {
  /** A bit for each length, by the first 16 bits of IPv4, and by a hash of the first 32 of IPv6. */
  readonly #lengths = new Uint32Array(PLACES);

  get bytes(): number {
    return this.#lengths.byteLength;
  }

  add({ isIpv4, prefix, a }: AddressKey): void {
    const from = placeOf(isIpv4, a);
    const to = isIpv4 && prefix < 16 ? from + 2 ** (16 - prefix) : from + 1;
    for (let place = from; place < to; place++) this.#lengths[place] = (this.#lengths[place] as number) | bitOf(prefix);
  }

  /** What `mayHave` takes for an address. */
  near(isIpv4: boolean, a: number): number {
    return this.#lengths[placeOf(isIpv4, a)] as number; // there is one for each place
  }
}

/** Whether a table can have entries that cover an address near which these lengths are. */
export function mayHave({ isIpv4, prefix }: EntryTable, near: number): boolean {
  return (near & bitOf(prefix)) !== 0 || (!isIpv4 && prefix < 32);
}

function placeOf(isIpv4: boolean, a: number): number {
  return isIpv4 ? a >>> 16 : Math.imul(a, 0x9e3779b1) >>> 16;
}

/** Two lengths of IPv6 can have the same bit. */
function bitOf(prefix: number): number {
  return 1 << (prefix & 31);
}
