import { Token } from 'aws-cdk-lib';
import { CALLS_PER_COPY, leastPollWaitMs, pollWaitMs } from '../updates/poll-wait.ts';

/** The reserved concurrency of the function; with `none` only the limit of the account applies. */
export type Copies = number | 'none';

/**
 * The limits per agent, so that all agents together do not exceed the capacity of the function.
 *
 * @example
 * ```ts
 * import assert from 'node:assert/strict';
 * import { App, Stack } from 'aws-cdk-lib';
 * import { type AgentLimits, HaverdictBackend } from 'haverdict/infra';
 *
 * const { agentLimits } = new HaverdictBackend(new Stack(new App(), 'Edge'), 'Haverdict', { reservedConcurrency: 10, agents: 2 });
 * const expected: AgentLimits = { maxCallsPerSecond: 50, maxConcurrent: 5 };
 * assert.deepEqual(agentLimits, expected);
 * ```
 */
export interface AgentLimits {
  readonly maxCallsPerSecond: number;
  readonly maxConcurrent: number;
}

/** For 10 calls: each reads one or two addresses in one list, which takes 12.5 (IPv4) or 25 (IPv6) units. */
const READ_UNITS_PER_COPY = 200;
const READ_UNITS_UNRESERVED = 2000;
/** The default quota of a table in most accounts. */
export const MOST_READ_UNITS = 40_000;
export const MIN_POLL_MS = 200;
export const MAX_POLL_MS = 15_000;
/** The maximum of the agent's setting. */
const MOST_CONCURRENT = 1000;

/** What the number of agents would have to be instead, if it is too many: each needs one call a second. */
export function tooManyAgents(copies: Copies, agents: number): string | undefined {
  // Settings that are invalid alone are reported anyway.
  if (!isKnown(copies) || !isKnown(agents) || copies < 1 || agents <= copies * CALLS_PER_COPY) return undefined;
  return `at most ${copies * CALLS_PER_COPY} with reservedConcurrency ${copies}, one call a second for each`;
}

/** The default of `updatePoll`. Where only CloudFormation knows the capacity, there may be enough. */
export function updatePollMs(copies: Copies, agents: number): number {
  return pollWaitMs(isKnown(copies) ? copies : Number.POSITIVE_INFINITY, isKnown(agents) ? agents : 1);
}

/** What the wait would have to be instead, if it is too short. */
export function pollsTooOften(copies: Copies, agents: number, pollMs: number): string | undefined {
  if (!isKnown(copies) || !isKnown(agents) || pollMs >= leastPollWaitMs(copies, agents)) return undefined;
  return `at least ${leastPollWaitMs(copies, agents)} with agents ${agents} and reservedConcurrency ${copies}, so that it takes half of the calls at most`;
}

/**
 * What the provisioned concurrency would have to be instead, if it is too much. Lambda lets nothing but the alias run if all
 * of the reserved concurrency is provisioned there.
 */
export function tooManyProvisioned(copies: Copies, provisioned: number, unqualifiedUrl: boolean): string | undefined {
  if (!isKnown(copies) || !isKnown(provisioned) || provisioned < Math.max(1, copies)) return undefined;
  if (unqualifiedUrl) return `below reservedConcurrency, which is ${copies}: none is left for the unqualifiedUrl`;
  return provisioned === copies ? undefined : `at most reservedConcurrency, which is ${copies}`;
}

/**
 * The limits of one agent; undefined without reserved concurrency, and where only CloudFormation knows it. Lambda limits
 * concurrency as well as rate.
 */
export function agentLimits(copies: Copies, agents: number): AgentLimits | undefined {
  if (!isKnown(copies) || !isKnown(agents)) return undefined;
  return {
    maxCallsPerSecond: Math.floor((copies * CALLS_PER_COPY) / agents),
    maxConcurrent: Math.min(MOST_CONCURRENT, Math.max(1, Math.floor(copies / agents))),
  };
}

/** The default of `maxReadUnits`. */
export function readUnits(copies: Copies): number {
  return isKnown(copies) ? Math.min(MOST_READ_UNITS, copies * READ_UNITS_PER_COPY) : READ_UNITS_UNRESERVED;
}

function isKnown(copies: Copies): copies is number {
  return copies !== 'none' && !Token.isUnresolved(copies);
}
