import type { ListState } from '../../contract/updates.ts';
import { type Hash, ListDigest } from '../../updates/digest.ts';
import type { AddressKey } from './address-key.ts';

/** Whether an entry comes or goes. */
export type Sign = 1 | -1;

type Place = Pick<AddressKey, 'isIpv4' | 'prefix' | 'a' | 'b' | 'c' | 'd'>;

/** The sums of the hashes of all lists, kept as entries come and go; and the same once more while they are computed anew. */
export class Sums {
  readonly #kept: readonly ListDigest[];
  #anew: readonly ListDigest[] = [];
  #round = 0;

  constructor(lists: number) {
    this.#kept = digests(lists);
  }

  /** The number of the sums that are computed anew, or were last. */
  get round(): number {
    return this.#round;
  }

  stateOf(list: number): ListState {
    return (this.#kept[list] as ListDigest).state; // there is one for each list
  }

  /** Begins to compute them anew. */
  begin(): number {
    this.#anew = digests(this.#kept.length);
    return ++this.#round;
  }

  /** The lists of which another sum was computed than is kept. */
  differing(): number[] {
    return this.#kept.flatMap(({ state }, list) => {
      const anew = this.#anew[list]?.state;
      return state.count === anew?.count && state.digest === anew.digest ? [] : [list];
    });
  }

  /** Adds to the sums that are kept; and to those that are computed anew, if what is changed is in them already. */
  address(sign: Sign, list: number, place: Place, expiry: number, hash: Hash, isInBoth: boolean): void {
    addAddress(this.#kept[list] as ListDigest, sign, place, expiry, hash);
    if (isInBoth) this.addressAnew(sign, list, place, expiry, hash);
  }

  addressAnew(sign: Sign, list: number, place: Place, expiry: number, hash: Hash): void {
    const digest = this.#anew[list];
    if (digest !== undefined) addAddress(digest, sign, place, expiry, hash);
  }

  text(sign: Sign, list: number, key: string, subject: string, expiry: number, hash: Hash, isInBoth: boolean): void {
    (this.#kept[list] as ListDigest).entry(sign, key, subject, expiry >>> 0, hash);
    if (isInBoth) this.textAnew(sign, list, key, subject, expiry, hash);
  }

  textAnew(sign: Sign, list: number, key: string, subject: string, expiry: number, hash: Hash): void {
    this.#anew[list]?.entry(sign, key, subject, expiry >>> 0, hash);
  }
}

function digests(count: number): ListDigest[] {
  return Array.from({ length: count }, () => new ListDigest());
}

function addAddress(digest: ListDigest, sign: Sign, place: Place, expiry: number, hash: Hash): void {
  if (place.isIpv4) digest.ipv4(sign, place.a, place.prefix, expiry, hash);
  else digest.ipv6(sign, place, place.prefix, expiry, hash);
}
