const NAMESPACE = 'haverdict';
const DIMENSION = 'FunctionName';

/** What CloudWatch makes metrics of, in a line in its embedded metric format. The dimension has one value, so that traffic cannot create metrics. */
export function embeddedMetrics<Name extends string>(
  units: Readonly<Record<Name, string>>,
  values: Readonly<Record<Name, number>>,
  { functionName, epochMs }: { readonly functionName: string; readonly epochMs: number },
): object {
  const Metrics = Object.entries(units).map(([Name, Unit]) => ({ Name, Unit }));
  return {
    _aws: { Timestamp: epochMs, CloudWatchMetrics: [{ Namespace: NAMESPACE, Dimensions: [[DIMENSION]], Metrics }] },
    [DIMENSION]: functionName,
    ...values,
  };
}
