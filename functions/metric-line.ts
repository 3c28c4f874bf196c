/** The metrics that CloudWatch keeps. Each is billed for the hours in which it is sent, so it is only what an alarm watches. */
export const METRICS = { Failures: 'Count', BadEntries: 'Count', MirrorAge: 'Seconds', Repairs: 'Count' } as const;

const NAMESPACE = 'haverdict';
const DIMENSION = 'FunctionName';

/** The function that a line is of, and when it was written. */
export interface LineOf {
  readonly functionName: string;
  readonly epochMs: number;
}

/** A line in CloudWatch's embedded metric format. The dimension has one value, so that traffic cannot create metrics. */
export function metricLine(name: keyof typeof METRICS, value: number, { functionName, epochMs }: LineOf): object {
  const metrics = [{ Name: name, Unit: METRICS[name] }];
  return {
    _aws: {
      Timestamp: epochMs,
      CloudWatchMetrics: [{ Namespace: NAMESPACE, Dimensions: [[DIMENSION]], Metrics: metrics }],
    },
    [DIMENSION]: functionName,
    [name]: value,
  };
}
