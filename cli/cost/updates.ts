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
  readonly logBytes: number;
  readonly egressBytes: number;
}

export const NO_WORK: Work = { calls: 0, functionMs: 0, readUnits: 0, writeUnits: 0, logBytes: 0, egressBytes: 0 };
export const DAYS_A_MONTH = SECONDS_A_MONTH / 86_400;

/** A poll reads the end of the log, and is answered with a page without changes. */
export const POLL = { ms: 5, readUnits: 0.5, egressBytes: 455 } as const;
/** A call of the writer reads the end of the log consistently. */
const WRITER = { ms: 15, readUnits: 1 } as const;
/** A canary is an item of the table, with a copy in its index. */
const WRITE_UNITS_A_CANARY = 2;
/** Of the log, until the canaries of a round are in it. */
const READS_A_ROUND = 6;
/** A record without changes. */
const RECORD_BYTES = 245;
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
    ...NO_WORK,
    calls,
    functionMs: calls * POLL.ms,
    readUnits: calls * POLL.readUnits,
    egressBytes: calls * POLL.egressBytes,
  };
}

/** The canaries that are written while agents poll, one for each shard, and their records; all are tried now and then. */
export function proof(setup: UpdatesSetup): Work {
  const { beats, rounds, records } = proofRecords(setup);
  return {
    ...NO_WORK,
    calls: records,
    functionMs: records * WRITER.ms,
    readUnits: records * WRITER.readUnits + rounds * READS_A_ROUND,
    writeUnits: records + (beats + rounds * CANDIDATES) * WRITE_UNITS_A_CANARY,
  };
}

/** The records of entries that were written; every agent gets them with a poll that it makes anyway. */
export function changes({ agents, writes }: UpdatesSetup): Work {
  const records = writes / CHANGES.aRecord;
  return {
    ...NO_WORK,
    calls: records,
    functionMs: records * WRITER.ms,
    readUnits: records * WRITER.readUnits + writes * CHANGES.readUnitsAKey,
    writeUnits: records * CHANGES.writeUnitsARecord,
    egressBytes: writes * agents * CHANGES.egressBytesAnEntry,
  };
}

/** How much the log grows in a day. */
export function logADay(setup: UpdatesSetup): { readonly records: number; readonly bytes: number } {
  const [proving, changing] = [proofRecords(setup).records, setup.writes / CHANGES.aRecord];
  const bytes = proving * RECORD_BYTES + changing * CHANGES.writeUnitsARecord * 1024;
  return { records: (proving + changing) / DAYS_A_MONTH, bytes: bytes / DAYS_A_MONTH };
}

function proofRecords(setup: UpdatesSetup) {
  const beats = (SHARDS * SECONDS_A_MONTH) / renewedAfterSeconds(setup);
  const rounds = (TRIAL.rounds * SECONDS_A_MONTH * 1000) / TRIAL.everyMs;
  return { beats, rounds, records: beats + rounds * SHARDS };
}

/** DynamoDB rounds the time of an event down to the second; then the next poll has to come. */
function renewedAfterSeconds({ agents, pollMs }: UpdatesSetup): number {
  return agents === 0 ? Number.POSITIVE_INFINITY : (OLD_PROOF_MS - 500 + pollMs / agents / 2) / 1000;
}
