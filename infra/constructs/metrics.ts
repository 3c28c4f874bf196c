import { Duration } from 'aws-cdk-lib';
import { type IMetric, MathExpression, Metric, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import type { TableV2 } from 'aws-cdk-lib/aws-dynamodb';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';

const PERIOD = Duration.minutes(5);

/** The metrics for alarms and dashboard. */
export interface Metrics {
  readonly requests: IMetric;
  /** Refused by IAM, by the limit of concurrency, or by the function. */
  readonly refusals: IMetric;
  /** Lambda's own metric Errors does not count answers with 503. */
  readonly failures: IMetric;
  readonly throttles: IMetric;
  readonly medianDuration: IMetric;
  readonly p99Duration: IMetric;
  readonly concurrency: IMetric;
  readonly readUnitsPerSecond: IMetric;
  readonly tableThrottles: IMetric;
}

export function metricsOf(handler: IFunction, table: TableV2): Metrics {
  const url = (metricName: string, label: string) =>
    new Metric({
      namespace: 'AWS/Lambda',
      metricName,
      label,
      dimensionsMap: { FunctionName: handler.functionName },
      statistic: Stats.SUM,
      period: PERIOD,
    });
  return {
    requests: url('UrlRequestCount', 'requests'),
    refusals: url('Url4xxCount', 'refused (4xx)'),
    failures: url('Url5xxCount', 'failed (5xx)'),
    throttles: handler.metricThrottles({ label: 'throttled', period: PERIOD }),
    medianDuration: handler.metricDuration({ label: 'median', statistic: Stats.p(50), period: PERIOD }),
    p99Duration: handler.metricDuration({ label: 'p99', statistic: Stats.p(99), period: PERIOD }),
    concurrency: handler.metric('ConcurrentExecutions', { label: 'copies', statistic: Stats.MAXIMUM, period: PERIOD }),
    readUnitsPerSecond: new MathExpression({
      expression: 'units / PERIOD(units)',
      label: 'read units a second',
      usingMetrics: { units: table.metricConsumedReadCapacityUnits({ period: PERIOD }) },
      period: PERIOD,
    }),
    tableThrottles: table.metric('ReadThrottleEvents', {
      label: 'reads throttled',
      statistic: Stats.SUM,
      period: PERIOD,
    }),
  };
}
