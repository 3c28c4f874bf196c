/** An alarm of the template, as far as it is evaluated here. */
export interface AlarmProperties {
  readonly Metrics?: readonly MetricQuery[];
  readonly MetricName?: string;
  readonly Threshold: number;
  readonly EvaluationPeriods: number;
  readonly DatapointsToAlarm: number;
  readonly ComparisonOperator: string;
  readonly TreatMissingData: string;
}

interface MetricQuery {
  readonly Id: string;
  readonly Expression?: string;
  readonly ReturnData?: boolean;
  readonly MetricStat?: { readonly Metric: Metric; readonly Period: number; readonly Stat: string };
}

interface Metric {
  readonly MetricName: string;
  readonly Dimensions: readonly { readonly Name: string }[];
}

/** What CloudWatch has of one minute: the value of each metric that has data. */
export type Minute = Readonly<Record<string, number>>;

/** The metrics that an alarm watches; those of the index end in `@GlobalSecondaryIndexName`. */
export function metricsOf({ Metrics = [] }: AlarmProperties): string[] {
  return Metrics.flatMap(({ MetricStat }) => (MetricStat === undefined ? [] : nameOf(MetricStat.Metric)));
}

/** Is the alarm raised after these minutes? As CloudWatch's documentation says: M of N, and missing data as told. */
export function isRaised(alarm: AlarmProperties, minutes: readonly Minute[]): boolean {
  if (alarm.TreatMissingData !== 'notBreaching' || alarm.ComparisonOperator !== 'GreaterThanOrEqualToThreshold')
    throw new Error('this alarm is not evaluated here');
  const values = minutes.slice(-alarm.EvaluationPeriods).map((minute) => valueIn(alarm, minute));
  return values.filter((value) => value !== undefined && value >= alarm.Threshold).length >= alarm.DatapointsToAlarm;
}

function valueIn({ Metrics = [] }: AlarmProperties, minute: Minute): number | undefined {
  const values = new Map<string, number | undefined>();
  for (const { Id, MetricStat } of Metrics)
    if (MetricStat !== undefined) {
      if (MetricStat.Period !== 60) throw new Error(`${Id} has a period of ${MetricStat.Period} s`);
      values.set(Id, minute[nameOf(MetricStat.Metric)]);
    }
  const shown = Metrics.find(({ ReturnData }) => ReturnData !== false);
  if (shown?.Expression === undefined) return values.get(shown?.Id ?? '');
  const filled = shown.Expression.replace(/FILL\((\w+), 0\)/g, (_, id) => String(values.get(id) ?? 0));
  const numbers = filled.replace(/\b[a-z]\w*\b/gi, (id) => String(values.get(id)));
  if (numbers.includes('undefined')) return undefined; // an expression has no value where a metric has none
  if (!/^[\d\s.+*/()-]+$/.test(numbers)) throw new Error(`${shown.Expression} is not evaluated here`);
  return Function(`return ${numbers}`)();
}

function nameOf({ MetricName, Dimensions }: Metric): string {
  return Dimensions.some(({ Name }) => Name === 'GlobalSecondaryIndexName') ? `${MetricName}@index` : MetricName;
}
