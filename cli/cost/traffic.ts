import { IPV4_PREFIXES, IPV6_PREFIXES } from '../../contract/address.ts';
import { MAX_SUBJECTS } from '../../contract/check.ts';
import { expectedLookups } from './expected-lookups.ts';

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

/** The relevant settings of agent and function. */
export interface Setup {
  readonly allowTtl: number;
  readonly denyTtl: number;
  /** The function's limit of either. */
  readonly functionTtl: number;
  /** How long before its end a verdict in use is looked up again. */
  readonly refreshSeconds: number;
  readonly deniedShare: number;
  readonly lists: number;
  /** Lookups within this time share a call. */
  readonly batchMs: number;
}

/** The lookups of a month: the requests that the cache cannot answer, and the verdicts that it refreshes. */
export interface Lookups {
  readonly ipv4: number;
  readonly ipv6: number;
  /** The networks that a lookup has in common with the one before it, on average: a call reads each once. */
  readonly sharedNetworks: number;
}

/** What a month uses of the function and of the table. */
export interface Usage {
  /** Calls of the function. */
  readonly calls: number;
  /** Keys that all calls read, found or not. */
  readonly keys: number;
}

/** The lookups of a month if each visit spreads its requests evenly; addresses of one call share no network. */
export function assumedLookups(assumptions: Assumptions, setup: Setup, ipv6Share: number): Lookups {
  const { requests, clients, visits, visitSeconds, hosts } = assumptions;
  const visitsAMonth = clients * visits * (SECONDS_A_MONTH / 86_400);
  const requestsAVisit = visitsAMonth === 0 || hosts === 0 ? 0 : requests / visitsAMonth / hosts;
  const lookupsAt = (ttl: number) => hosts * expectedLookups(requestsAVisit, visitSeconds, renewedAfter(ttl, setup));
  const { allowTtl, denyTtl, deniedShare } = setup;
  const lookups = visitsAMonth * ((1 - deniedShare) * lookupsAt(allowTtl) + deniedShare * lookupsAt(denyTtl));
  return { ipv4: lookups * (1 - ipv6Share), ipv6: lookups * ipv6Share, sharedNetworks: 0 };
}

/** The seconds after which the next request causes a lookup: a verdict is refreshed unless it lives too briefly for that. */
export function renewedAfter(ttl: number, { functionTtl, refreshSeconds }: Setup): number {
  const lifetime = Math.min(ttl, functionTtl);
  return lifetime >= 2 * refreshSeconds ? lifetime - refreshSeconds : lifetime;
}

/** Each lookup reads every network that could cover the address, in every list; those of one call share it. */
export function usageOf({ ipv4, ipv6, sharedNetworks }: Lookups, { lists, batchMs }: Setup, hosts: number): Usage {
  const lookups = ipv4 + ipv6;
  const aMillisecond = hosts === 0 ? 0 : lookups / (SECONDS_A_MONTH * 1000) / hosts;
  const calls = lookups / Math.min(MAX_SUBJECTS, 1 + aMillisecond * batchMs);
  const networks = ipv4 * IPV4_PREFIXES.length + ipv6 * IPV6_PREFIXES.length - (lookups - calls) * sharedNetworks;
  return { calls, keys: lists * networks };
}
