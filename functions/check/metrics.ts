import type { CheckFacts } from '../../blocklist/service.ts';

/** The metrics that CloudWatch keeps. Each is billed by the month, so it is only what an alarm watches. */
export const METRICS = { Failures: 'Count' } as const;

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
  const values: Record<keyof typeof METRICS, number> = { Failures: facts.failures };
  const metrics = Object.entries(METRICS).map(([Name, Unit]) => ({ Name, Unit }));
  return {
    _aws: {
      Timestamp: epochMs,
      CloudWatchMetrics: [{ Namespace: NAMESPACE, Dimensions: [[DIMENSION]], Metrics: metrics }],
    },
    [DIMENSION]: functionName,
    ...values,
    lookups: facts.lookups,
    matches: facts.matches,
    keys: facts.keys,
    throttles: facts.throttles,
    tableMs: facts.tableMs,
    badEntries: facts.badEntries,
    requestId,
  };
}
