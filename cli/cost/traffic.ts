import { IPV4_PREFIXES, IPV6_PREFIXES } from '../../contract/address.ts';
import type { Usage } from './bill.ts';

/** A twelfth of 365 days, as in the cloud providers' calculators. */
export const SECONDS_A_MONTH = (365 * 86_400) / 12;

/** The traffic, where there is no log. */
export interface Assumptions {
  /** Requests per month, all hosts together. */
  readonly requests: number;
  /** Distinct client addresses per day. */
  readonly clients: number;
  /** Visits of a client per day, further apart than the cache lifetime. */
  readonly visits: number;
  readonly visitSeconds: number;
  /** HAProxy hosts that see each visit; each has a cache of its own. */
  readonly hosts: number;
}

/** The relevant settings of agent and table. */
export interface Setup {
  readonly allowTtl: number;
  readonly denyTtl: number;
  readonly deniedShare: number;
  readonly lists: number;
}

/** The number of requests that the cache cannot answer. */
export interface Misses {
  readonly ipv4: number;
  readonly ipv6: number;
}

/** The cache misses of a month: each visit misses once on each host, and again after each expiry. */
export function assumedMisses(assumptions: Assumptions, setup: Setup, ipv6Share: number): Misses {
  const { requests, clients, visits, visitSeconds, hosts } = assumptions;
  const visitsAMonth = clients * visits * (SECONDS_A_MONTH / 86_400);
  const requestsAVisit = visitsAMonth === 0 ? 0 : requests / visitsAMonth;
  const missesAt = (ttl: number) =>
    Math.min(requestsAVisit, hosts * Math.max(1, ttl === 0 ? requestsAVisit : Math.ceil(visitSeconds / ttl)));
  const allowed = (1 - setup.deniedShare) * missesAt(setup.allowTtl);
  const misses = visitsAMonth * (allowed + setup.deniedShare * missesAt(setup.denyTtl));
  return { ipv4: misses * (1 - ipv6Share), ipv6: misses * ipv6Share };
}

/** Each miss is one call that reads every network that could cover the address, in every list. */
export function usageOf({ ipv4, ipv6 }: Misses, lists: number): Usage {
  return { calls: ipv4 + ipv6, keys: lists * (ipv4 * IPV4_PREFIXES.length + ipv6 * IPV6_PREFIXES.length) };
}
