import { LRUCache } from 'lru-cache';
import { IPV4_PREFIXES, IPV6_PREFIXES, parseAddress } from '../../contract/address.ts';
import type { LoggedRequest } from '../access-log/haproxy-log.ts';
import { renewedAfter, type Setup } from './traffic.ts';

/** What the agent's cache does with the requests of a log. */
export interface Replayed {
  readonly requests: number;
  /** Misses and refreshes. */
  readonly ipv4: number;
  readonly ipv6: number;
  /** The networks that lookups have in common with the one before each. */
  readonly sharedNetworks: number;
  readonly firstMs: number;
  readonly lastMs: number;
}

/** A model of the agent's cache: an address stays until it is refreshed, expires or is evicted. */
export class CacheModel {
  readonly #deniedShare: number;
  readonly #allowedMs: number;
  readonly #deniedMs: number;
  /** When the next request of an address causes a lookup. */
  readonly #renewedAtMs: LRUCache<string, number>;
  readonly #lookups = { ipv4: 0, ipv6: 0, sharedNetworks: 0 };
  #previous: Uint8Array = new Uint8Array();
  #requests = 0;
  #firstMs = Number.POSITIVE_INFINITY;
  #lastMs = Number.NEGATIVE_INFINITY;

  constructor(setup: Setup, maxEntries: number) {
    this.#deniedShare = setup.deniedShare;
    this.#allowedMs = renewedAfter(setup.allowTtl, setup) * 1000;
    this.#deniedMs = renewedAfter(setup.denyTtl, setup) * 1000;
    this.#renewedAtMs = new LRUCache({ max: maxEntries });
  }

  /** Counts one request. Lines are slightly out of order, since HAProxy logs a request when it ends. */
  replay({ address, ipv6, atMs }: LoggedRequest): void {
    this.#requests++;
    this.#firstMs = Math.min(this.#firstMs, atMs);
    this.#lastMs = Math.max(this.#lastMs, atMs);
    const renewedAtMs = this.#renewedAtMs.get(address);
    if (renewedAtMs !== undefined && atMs < renewedAtMs) return;
    this.#countLookup(address, ipv6);
    const keptMs = isDenied(address, this.#deniedShare) ? this.#deniedMs : this.#allowedMs;
    if (keptMs > 0) this.#renewedAtMs.set(address, atMs + keptMs);
  }

  result(): Replayed {
    return { requests: this.#requests, ...this.#lookups, firstMs: this.#firstMs, lastMs: this.#lastMs };
  }

  #countLookup(address: string, ipv6: boolean): void {
    this.#lookups[ipv6 ? 'ipv6' : 'ipv4']++;
    const bytes = parseAddress(address) ?? new Uint8Array();
    this.#lookups.sharedNetworks += sharedNetworks(bytes, this.#previous);
    this.#previous = bytes;
  }
}

/** How many networks that are looked up cover both addresses. */
function sharedNetworks(one: Uint8Array, other: Uint8Array): number {
  if (one.length !== other.length) return 0;
  const differs = one.findIndex((byte, index) => byte !== other[index]);
  const bits =
    differs < 0 ? one.length * 8 : differs * 8 + Math.clz32((one[differs] ?? 0) ^ (other[differs] ?? 0)) - 24;
  return (one.length === 4 ? IPV4_PREFIXES : IPV6_PREFIXES).filter((prefix) => prefix <= bits).length;
}

/** Picks this share of all addresses, always the same ones (FNV-1a): the log does not show who is denied. */
export function isDenied(address: string, share: number): boolean {
  let hash = 0x811c9dc5;
  for (let index = 0; index < address.length; index++) hash = Math.imul(hash ^ address.charCodeAt(index), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x45d9f3b); // the last character hardly affects FNV's high bits
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32 < share;
}
