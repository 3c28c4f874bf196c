import type { CheckFacts } from '../../blocklist/service.ts';

/** The metric that CloudWatch keeps, since an alarm watches it; it is billed by the month. */
const METRIC = { Name: 'Failures', Unit: 'Count' } as const;

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
  return {
    _aws: {
      Timestamp: epochMs,
      CloudWatchMetrics: [{ Namespace: NAMESPACE, Dimensions: [[DIMENSION]], Metrics: [METRIC] }],
    },
    [DIMENSION]: functionName,
    [METRIC.Name]: facts.failures,
    lookups: facts.lookups,
    matches: facts.matches,
    keys: facts.keys,
    throttles: facts.throttles,
    tableMs: facts.tableMs,
    badEntries: facts.badEntries,
    requestId,
  };
}
