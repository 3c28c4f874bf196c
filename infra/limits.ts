/** How many copies of the function may run; `none` where nothing is reserved, so that only the account bounds them. */
export type Copies = number | 'none';

/** What agents are told, so that all of them together ask no more than the function serves. */
export interface AgentLimits {
  readonly maxCallsPerSecond: number;
  readonly maxConcurrent: number;
}

/** Lambda lets a copy serve no more, however fast it is. */
const CALLS_PER_COPY = 10;
/** For 10 calls: each reads an address or two in one list, which takes 12.5 (IPv4) or 25 (IPv6) units. */
const READ_UNITS_PER_COPY = 200;
const READ_UNITS_UNRESERVED = 2000;
/** What a table may have in most accounts. */
export const MOST_READ_UNITS = 40_000;
/** What the agent's setting takes. */
const MOST_CONCURRENT = 1000;

/** How many calls a second all agents together may make; undefined where nothing is reserved. */
export function callsPerSecond(copies: Copies): number | undefined {
  return copies === 'none' ? undefined : copies * CALLS_PER_COPY;
}

/** The share of each agent; undefined where nothing is reserved. Lambda refuses by calls at a time too, not only by rate. */
export function agentLimits(copies: Copies, agents: number): AgentLimits | undefined {
  if (copies === 'none') return undefined;
  return {
    maxCallsPerSecond: Math.floor((copies * CALLS_PER_COPY) / agents),
    maxConcurrent: Math.min(MOST_CONCURRENT, Math.max(1, Math.floor(copies / agents))),
  };
}

/** What the table serves where `maxReadUnits` does not say it. */
export function readUnits(copies: Copies): number {
  return copies === 'none' ? READ_UNITS_UNRESERVED : Math.min(MOST_READ_UNITS, copies * READ_UNITS_PER_COPY);
}
