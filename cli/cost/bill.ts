import { BUILDER, checkpoints, loads, type MirrorSetup, minutes, mirrors } from './mirror.ts';
import type { Prices } from './prices.ts';
import type { Usage } from './traffic.ts';
import { changes, polls, proof, type Work } from './updates.ts';

/** The resources of one call. */
export interface CallSize {
  readonly memoryMb: number;
  readonly durationMs: number;
  readonly logBytes: number;
  readonly egressBytes: number;
}

/** What is billed whatever the traffic is. */
export interface Fixed {
  /** Entries that commands write in a month, unchanged ones included. */
  readonly writes: number;
  /** Metrics that the function writes. */
  readonly metrics: number;
  /** Metrics that alarms watch: one for each metric of an expression. */
  readonly alarmMetrics: number;
  readonly dashboards: number;
}

/** One line of the bill. */
export interface Item {
  readonly name: string;
  readonly amount: number;
  readonly unit: string;
  readonly usd: number;
}

/** An eventually consistent read of up to 4 KB is half a unit, even if the item does not exist. */
const READ_UNITS_A_KEY = 0.5;
/** An entry of up to 1 KB is a unit in the table and one in its index. */
const WRITE_UNITS_AN_ENTRY = 2;
const BYTES_A_GB = 1e9;
const MB_A_GB = 1024;

/** The AWS bill of a month, line by line. */
export function billFor({ calls, keys }: Usage, size: CallSize, fixed: Fixed, prices: Prices): readonly Item[] {
  const gbSeconds = calls * (size.durationMs / 1000) * (size.memoryMb / MB_A_GB);
  const readUnits = keys * READ_UNITS_A_KEY;
  const writeUnits = fixed.writes * WRITE_UNITS_AN_ENTRY;
  const logGb = (calls * size.logBytes) / BYTES_A_GB;
  const egressGb = (calls * size.egressBytes) / BYTES_A_GB;
  return [
    { name: 'Lambda calls', amount: calls, unit: 'calls', usd: (calls / 1e6) * prices.lambdaMillionRequests },
    { name: 'Lambda time', amount: gbSeconds, unit: 'GB-seconds', usd: gbSeconds * prices.lambdaGbSecond },
    {
      name: 'DynamoDB reads',
      amount: readUnits,
      unit: 'read units',
      usd: (readUnits / 1e6) * prices.dynamodbMillionReadUnits,
    },
    {
      name: 'DynamoDB writes',
      amount: writeUnits,
      unit: 'write units',
      usd: (writeUnits / 1e6) * prices.dynamodbMillionWriteUnits,
    },
    { name: 'CloudWatch logs', amount: logGb, unit: 'GB', usd: logGb * prices.logsGb },
    monthly('CloudWatch metrics', fixed.metrics, 'metrics', prices.metricMonth),
    monthly('CloudWatch alarms', fixed.alarmMetrics, 'metrics', prices.alarmMetricMonth),
    monthly('CloudWatch dashboard', fixed.dashboards, 'dashboards', prices.dashboardMonth),
    { name: 'Data out', amount: egressGb, unit: 'GB', usd: egressGb * prices.egressGb },
  ];
}

/** What is added to it by updates, whose stack makes a mirror in any case; agents load it or do not. */
export function updatesBill(setup: MirrorSetup, isLoaded: boolean, memoryMb: number, prices: Prices): readonly Item[] {
  const [polling, proving, changing, minute] = [polls(setup), proof(setup), changes(setup), minutes(setup)];
  const [checking, making, loading] = [checkpoints(setup), mirrors(setup), loads(setup)];
  const ofFunction = (work: Work) => usdOf(work, memoryMb, prices);
  const ofBuilder = (work: Work) => usdOf(work, BUILDER.memoryMb, prices);
  return [
    { name: 'Updates: polls', amount: polling.calls, unit: 'polls', usd: ofFunction(polling) },
    { name: 'Updates: proof', amount: proving.writeUnits, unit: 'write units', usd: ofFunction(proving) },
    { name: 'Updates: changes', amount: setup.writes, unit: 'entries', usd: ofFunction(changing) },
    { name: 'Mirror: each minute', amount: minute.calls, unit: 'calls', usd: ofBuilder(minute) },
    { name: 'Mirror: checkpoints', amount: checking.readUnits, unit: 'read units', usd: ofBuilder(checking) },
    { name: 'Mirror: scan, segments', amount: making.readUnits, unit: 'read units', usd: ofBuilder(making) },
    ...(isLoaded
      ? [{ name: 'Mirror: loads', amount: loading.egressBytes / BYTES_A_GB, unit: 'GB', usd: ofFunction(loading) }]
      : []),
  ];
}

/** What a part of the updates costs. */
export function usdOf(
  { calls, functionMs, readUnits, writeUnits, logBytes, egressBytes }: Work,
  memoryMb: number,
  prices: Prices,
): number {
  return (
    (calls / 1e6) * prices.lambdaMillionRequests +
    (functionMs / 1000) * (memoryMb / MB_A_GB) * prices.lambdaGbSecond +
    (readUnits / 1e6) * prices.dynamodbMillionReadUnits +
    (writeUnits / 1e6) * prices.dynamodbMillionWriteUnits +
    (logBytes / BYTES_A_GB) * prices.logsGb +
    (egressBytes / BYTES_A_GB) * prices.egressGb
  );
}

function monthly(name: string, amount: number, unit: string, price: number): Item {
  return { name, amount, unit, usd: amount * price };
}

export function total(items: readonly Item[]): number {
  return items.reduce((sum, { usd }) => sum + usd, 0);
}
