import type { Prices } from './prices.ts';

/** The usage of a month. */
export interface Usage {
  /** Calls of the function. */
  readonly calls: number;
  /** Keys that all calls read, found or not. */
  readonly keys: number;
}

/** The resources of one call. */
export interface CallSize {
  readonly memoryMb: number;
  readonly durationMs: number;
  readonly logBytes: number;
  readonly egressBytes: number;
  /** Metrics that the function writes; CloudWatch bills each by the month. */
  readonly metrics: number;
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
const BYTES_A_GB = 1e9;
const MB_A_GB = 1024;

/** The AWS bill of a month, line by line. */
export function billFor({ calls, keys }: Usage, size: CallSize, prices: Prices): readonly Item[] {
  const gbSeconds = calls * (size.durationMs / 1000) * (size.memoryMb / MB_A_GB);
  const readUnits = keys * READ_UNITS_A_KEY;
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
    { name: 'CloudWatch logs', amount: logGb, unit: 'GB', usd: logGb * prices.logsGb },
    { name: 'CloudWatch metrics', amount: size.metrics, unit: 'metrics', usd: size.metrics * prices.metricMonth },
    { name: 'Data out', amount: egressGb, unit: 'GB', usd: egressGb * prices.egressGb },
  ];
}

export function total(items: readonly Item[]): number {
  return items.reduce((sum, { usd }) => sum + usd, 0);
}
