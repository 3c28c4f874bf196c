/** The reserved concurrency of the function; with `none` only the limit of the account applies. */
export type Copies = number | 'none';

/** The limits per agent, so that all agents together do not exceed the capacity of the function. */
export interface AgentLimits {
  readonly maxCallsPerSecond: number;
  readonly maxConcurrent: number;
}

/** Lambda's limit of requests per second for one execution environment. */
const CALLS_PER_COPY = 10;
/** For 10 calls: each reads one or two addresses in one list, which takes 12.5 (IPv4) or 25 (IPv6) units. */
const READ_UNITS_PER_COPY = 200;
const READ_UNITS_UNRESERVED = 2000;
/** The default quota of a table in most accounts. */
export const MOST_READ_UNITS = 40_000;
/** The maximum of the agent's setting. */
const MOST_CONCURRENT = 1000;

/** The calls per second of all agents together; undefined without reserved concurrency. */
export function callsPerSecond(copies: Copies): number | undefined {
  return copies === 'none' ? undefined : copies * CALLS_PER_COPY;
}

/** The limits of one agent; undefined without reserved concurrency. Lambda limits concurrency as well as rate. */
export function agentLimits(copies: Copies, agents: number): AgentLimits | undefined {
  if (copies === 'none') return undefined;
  return {
    maxCallsPerSecond: Math.floor((copies * CALLS_PER_COPY) / agents),
    maxConcurrent: Math.min(MOST_CONCURRENT, Math.max(1, Math.floor(copies / agents))),
  };
}

/** The default of `maxReadUnits`. */
export function readUnits(copies: Copies): number {
  return copies === 'none' ? READ_UNITS_UNRESERVED : Math.min(MOST_READ_UNITS, copies * READ_UNITS_PER_COPY);
}
