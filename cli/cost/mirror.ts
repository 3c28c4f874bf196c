import { SHARDS } from '../../blocklist/table.ts';
import { MAX_SEGMENT_BYTES } from '../../contract/mirror.ts';
import { SCAN_EVERY_MS } from '../../updates/builder.ts';
import { CHECKPOINT_EVERY_MS, OUTDATED } from '../../updates/checkpoint.ts';
import { RECORDS_A_READ } from '../../updates/table.ts';
import { SECONDS_A_MONTH } from './traffic.ts';
import { DAYS_A_MONTH, logADay, NO_WORK, POLL, type UpdatesSetup, type Work } from './updates.ts';

/** What decides what a mirror costs. */
export interface MirrorSetup extends UpdatesSetup {
  /** Entries in the table. */
  readonly entries: number;
}

/** The function of the stack that makes it, with the default of `maxReadUnits`. */
export const BUILDER = { memoryMb: 2048, scanUnitsASecond: 500 } as const;
/** An item as commands write it, and its line in a segment, of a list whose entries have reason and end in common. */
const ENTRY = { itemBytes: 150, lineBytes: 32 } as const;
/** How often an agent loads it: at a start and after an outage, and each day with `updates.file`. */
export const LOADS_A_DAY = 1;

/** With 2 GB of memory, which is a little more than one processor. A read or a write is of up to 400 KB. */
const MS = { look: 10, foldAnEntry: 0.003, packAnEntry: 0.005, read: 10, write: 20, barrier: 6000 } as const;
/** The metric of the mirror's age. */
const LOG_BYTES_A_MINUTE = 270;
const MANIFEST = { bytes: 400, bytesASegment: 60 } as const;
const [READ_UNIT, WRITE_UNIT] = [4096, 1024];
/** Before a scan and after it the canaries are written, each with its copy in the index and its record, and waited for. */
const CANARIES_OF_A_SCAN = { writeUnits: 2 * SHARDS * 3, readUnits: 30 } as const;

/** A rule calls the builder each minute, which looks at the end of the log and at the newest mirror. */
export function minutes(setup: MirrorSetup): Work {
  const calls = SECONDS_A_MONTH / 60;
  const readUnits = calls * (1 + sizeOf(setup).manifestReads);
  return { ...NO_WORK, calls, functionMs: calls * MS.look, readUnits, logBytes: calls * LOG_BYTES_A_MINUTE };
}

/** Each hour the builder folds the log over the mirror, and appends what the lists have; it keeps its lease. */
export function checkpoints(setup: MirrorSetup): Work {
  const count = (SECONDS_A_MONTH * 1000) / CHECKPOINT_EVERY_MS;
  return { ...times(folded(setup, 0.5), count), writeUnits: count * 2 };
}

/** Each day the builder scans the table and compares with the log; it makes a new mirror then, and after many changes. */
export function mirrors(setup: MirrorSetup): Work {
  const { entries } = setup;
  const { segments, bytes, manifestBytes } = sizeOf(setup);
  const count = mirrorsADay(setup) * DAYS_A_MONTH;
  const scans = (SECONDS_A_MONTH * 1000) / SCAN_EVERY_MS;
  const scanUnits = (entries * ENTRY.itemBytes) / READ_UNIT;
  const scanMs = (scanUnits * 1000) / BUILDER.scanUnitsASecond + MS.barrier;
  const old = times(folded(setup, 1), count);
  return {
    ...old,
    functionMs: old.functionMs + count * (entries * MS.packAnEntry + segments * MS.write) + scans * scanMs,
    readUnits: old.readUnits + scans * (scanUnits + CANARIES_OF_A_SCAN.readUnits),
    writeUnits:
      count * ((bytes + manifestBytes) / WRITE_UNIT + segments / 2 + 1) + scans * CANARIES_OF_A_SCAN.writeUnits,
  };
}

/** Each agent loads the mirror from the function, and then what the log has since. */
export function loads(setup: MirrorSetup): Work {
  const { segments, bytes, manifestReads } = sizeOf(setup);
  const { records, bytes: logBytes } = logADay(setup);
  // a page ends at a checkpoint; what was read past it is read again
  const pages = (12 / mirrorsADay(setup)) * Math.ceil((records + 24) / 24 / RECORDS_A_READ);
  const pageUnits = (Math.min(RECORDS_A_READ, records / 2) * (logBytes / records)) / READ_UNIT / 2;
  const calls = 1 + segments + pages;
  const one = {
    ...NO_WORK,
    calls,
    functionMs: calls * MS.read,
    readUnits: 2 + manifestReads + bytes / READ_UNIT / 2 + segments / 4 + pages * (pageUnits + 0.25),
    egressBytes: bytes + calls * POLL.egressBytes,
  };
  return times(one, setup.agents * LOADS_A_DAY * DAYS_A_MONTH);
}

/** Reads of the mirror and of the log since it was made; that is such a share of the time between two mirrors ago. */
function folded(setup: MirrorSetup, share: number): Work {
  const { segments, bytes } = sizeOf(setup);
  const log = logSince(setup, share);
  return {
    ...NO_WORK,
    functionMs: setup.entries * MS.foldAnEntry + (segments + log.reads) * MS.read,
    readUnits: bytes / READ_UNIT / 2 + segments / 4 + log.units,
  };
}

function logSince(setup: MirrorSetup, share: number) {
  const { records, bytes } = logADay(setup);
  const days = share / mirrorsADay(setup);
  const reads = Math.max(1, (days * records) / RECORDS_A_READ);
  return { reads, units: (days * bytes) / READ_UNIT + reads / 2 };
}

function mirrorsADay({ entries, writes }: MirrorSetup): number {
  return 1 + Math.floor(writes / DAYS_A_MONTH / Math.max(OUTDATED.least, OUTDATED.share * entries));
}

function sizeOf({ entries }: MirrorSetup) {
  const segments = Math.ceil((entries * ENTRY.lineBytes) / (MAX_SEGMENT_BYTES / 2));
  const manifestBytes = MANIFEST.bytes + segments * MANIFEST.bytesASegment;
  return {
    segments,
    bytes: entries * packedBytes(entries),
    manifestBytes,
    manifestReads: Math.ceil(manifestBytes / READ_UNIT),
  };
}

/** An IPv4 address at any place: the more there are, the less is between two. */
function packedBytes(entries: number): number {
  return 8.4 - 0.6 * Math.log10(Math.max(1, entries));
}

function times(work: Work, count: number): Work {
  const { calls, functionMs, readUnits, writeUnits, logBytes, egressBytes } = work;
  return {
    ...{ calls: calls * count, functionMs: functionMs * count, readUnits: readUnits * count },
    ...{ writeUnits: writeUnits * count, logBytes: logBytes * count, egressBytes: egressBytes * count },
  };
}
