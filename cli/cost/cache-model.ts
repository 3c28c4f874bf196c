import { LRUCache } from 'lru-cache';
import type { LoggedRequest } from './haproxy-log.ts';
import type { Misses, Setup } from './traffic.ts';

/** The hits and misses of the agent's cache for the requests of a log. */
export interface Replayed {
  readonly requests: number;
  readonly misses: Misses;
  readonly firstMs: number;
  readonly lastMs: number;
}

/** A model of the agent's cache: an address stays until it expires or is evicted. */
export class CacheModel {
  readonly #setup: Setup;
  readonly #freshUntilMs: LRUCache<string, number>;
  readonly #misses = { ipv4: 0, ipv6: 0 };
  #requests = 0;
  #firstMs = Number.POSITIVE_INFINITY;
  #lastMs = Number.NEGATIVE_INFINITY;

  constructor(setup: Setup, maxEntries: number) {
    this.#setup = setup;
    this.#freshUntilMs = new LRUCache({ max: maxEntries });
  }

  /** Counts one request. Lines are slightly out of order, since HAProxy logs a request when it ends. */
  replay({ address, ipv6, atMs }: LoggedRequest): void {
    this.#requests++;
    this.#firstMs = Math.min(this.#firstMs, atMs);
    this.#lastMs = Math.max(this.#lastMs, atMs);
    const freshUntilMs = this.#freshUntilMs.get(address);
    if (freshUntilMs !== undefined && atMs < freshUntilMs) return;
    this.#misses[ipv6 ? 'ipv6' : 'ipv4']++;
    const { allowTtl, denyTtl, deniedShare } = this.#setup;
    const ttl = isDenied(address, deniedShare) ? denyTtl : allowTtl;
    if (ttl > 0) this.#freshUntilMs.set(address, atMs + ttl * 1000);
  }

  result(): Replayed {
    return { requests: this.#requests, misses: { ...this.#misses }, firstMs: this.#firstMs, lastMs: this.#lastMs };
  }
}

/** Picks this share of all addresses, always the same ones (FNV-1a): the log does not show who is denied. */
export function isDenied(address: string, share: number): boolean {
  let hash = 0x811c9dc5;
  for (let index = 0; index < address.length; index++) hash = Math.imul(hash ^ address.charCodeAt(index), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x45d9f3b); // the last character hardly affects FNV's high bits
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32 < share;
}
