import { LRUCache } from 'lru-cache';
import type { LoggedRequest } from './haproxy-log.ts';
import type { Misses, Setup } from './traffic.ts';

/** What the agent's cache would have done for the requests of a log. */
export interface Replayed {
  readonly requests: number;
  readonly misses: Misses;
  readonly firstMs: number;
  readonly lastMs: number;
}

/** The agent's cache in numbers: an address is known until its lifetime is over or others have pushed it out. */
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

  /** HAProxy logs a request when it ends, so that lines come a little out of order. */
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

/** The log does not say who will be denied: the same addresses every time, as many as the share says (FNV-1a). */
export function isDenied(address: string, share: number): boolean {
  let hash = 0x811c9dc5;
  for (let index = 0; index < address.length; index++) hash = Math.imul(hash ^ address.charCodeAt(index), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x45d9f3b); // FNV's high bits hardly see the last character
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32 < share;
}
