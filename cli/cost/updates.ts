import { SHARDS } from '../../blocklist/table.ts';
import { CANDIDATES, OLD_PROOF_MS, TRIAL } from '../../updates/canary.ts';
import { pollWaitMs } from '../../updates/poll-wait.ts';
import { SECONDS_A_MONTH } from './traffic.ts';

/** What decides what updates cost. */
export interface UpdatesSetup {
  /** Agents that poll. */
  readonly agents: number;
  readonly pollMs: number;
  /** Entries written in a month. */
  readonly writes: number;
}

/** What a part of the updates uses in a month. */
export interface Work {
  readonly calls: number;
  readonly functionMs: number;
  readonly readUnits: number;
  readonly writeUnits: number;
  readonly egressBytes: number;
}

/** A poll reads the end of the log, and is answered with a page without changes. */
export const POLL = { ms: 5, readUnits: 0.5, egressBytes: 440 } as const;
/** A call of the writer reads the end of the log consistently. */
const WRITER = { ms: 15, readUnits: 1 } as const;
/** A canary is an item of the table, with a copy in its index. */
const WRITE_UNITS_A_CANARY = 2;
/** How many entries that are written share a record, which is packed. Imports and `sync` write that many in a moment. */
export const CHANGES = { aRecord: 100, writeUnitsARecord: 3, readUnitsAKey: 1, egressBytesAnEntry: 200 } as const;
/** The default of the stack's `reservedConcurrency`. */
const COPIES = 10;

/** How long agents wait between two polls, as the stack has it by default. */
export function usualPollMs(agents: number): number {
  return pollWaitMs(COPIES, agents);
}

export function polls({ agents, pollMs }: UpdatesSetup): Work {
  const calls = (agents * SECONDS_A_MONTH * 1000) / pollMs;
  return {
    calls,
    functionMs: calls * POLL.ms,
    readUnits: calls * POLL.readUnits,
    writeUnits: 0,
    egressBytes: calls * POLL.egressBytes,
  };
}

/** The canaries that are written while agents poll, one for each shard, their records, and the trial, which a rule calls each minute. */
export function proof(setup: UpdatesSetup): Work {
  const beats = (SHARDS * SECONDS_A_MONTH) / renewedAfterSeconds(setup);
  const minutes = SECONDS_A_MONTH / 60;
  const rounds = (TRIAL.rounds * SECONDS_A_MONTH * 1000) / TRIAL.everyMs;
  const records = beats + rounds * SHARDS;
  return {
    calls: records + minutes,
    functionMs: records * WRITER.ms + minutes * POLL.ms,
    readUnits: records * WRITER.readUnits + minutes,
    writeUnits: records + (beats + rounds * CANDIDATES) * WRITE_UNITS_A_CANARY,
    egressBytes: 0,
  };
}

/** The records of entries that were written; every agent gets them with a poll that it makes anyway. */
export function changes({ agents, writes }: UpdatesSetup): Work {
  const records = writes / CHANGES.aRecord;
  return {
    calls: records,
    functionMs: records * WRITER.ms,
    readUnits: records * WRITER.readUnits + writes * CHANGES.readUnitsAKey,
    writeUnits: records * CHANGES.writeUnitsARecord,
    egressBytes: writes * agents * CHANGES.egressBytesAnEntry,
  };
}

/** DynamoDB rounds the time of an event down to the second; then the next poll has to come. */
function renewedAfterSeconds({ agents, pollMs }: UpdatesSetup): number {
  return agents === 0 ? Number.POSITIVE_INFINITY : (OLD_PROOF_MS - 500 + pollMs / agents / 2) / 1000;
}
