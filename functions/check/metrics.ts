import type { CheckFacts } from '../../blocklist/service.ts';

/** The metrics CloudWatch keeps. Each is billed by the month, so the other facts are only fields of the line. */
export const METRICS = {
  Lookups: 'Count',
  Matches: 'Count',
  Failures: 'Count',
  Throttles: 'Count',
  TableLatency: 'Milliseconds',
} as const;

const NAMESPACE = 'haverdict';
const DIMENSION = 'FunctionName';

/** The call that a line is about. */
export interface Call {
  readonly functionName: string;
  readonly requestId: string;
  readonly epochMs: number;
}

/** A line in CloudWatch's embedded metric format. The dimension has one value, so that traffic cannot create metrics. */
export function metricLine(facts: CheckFacts, { functionName, requestId, epochMs }: Call): object {
  const metrics = Object.entries(METRICS).map(([Name, Unit]) => ({ Name, Unit }));
  const values: Record<keyof typeof METRICS, number> = {
    Lookups: facts.lookups,
    Matches: facts.matches,
    Failures: facts.failures,
    Throttles: facts.throttles,
    TableLatency: facts.tableMs,
  };
  return {
    _aws: {
      Timestamp: epochMs,
      CloudWatchMetrics: [{ Namespace: NAMESPACE, Dimensions: [[DIMENSION]], Metrics: metrics }],
    },
    [DIMENSION]: functionName,
    ...values,
    requestId,
    keys: facts.keys,
    badEntries: facts.badEntries,
  };
}
