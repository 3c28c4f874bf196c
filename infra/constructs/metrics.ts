import { Duration } from 'aws-cdk-lib';
import { MathExpression, Metric, type MetricOptions, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import type { ITable } from 'aws-cdk-lib/aws-dynamodb';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import { TABLE } from '../../blocklist/table.ts';

const PERIOD = Duration.minutes(5);

/** The metrics of a function behind a URL, and of its table. Periods are of 5 minutes unless the options say otherwise. */
export abstract class Metered extends Construct {
  abstract readonly handler: IFunction;
  abstract readonly table: ITable;

  /** Requests to the URL. */
  metricRequests(options?: MetricOptions): Metric {
    return this.#lambda('UrlRequestCount', { statistic: Stats.SUM, label: 'requests', ...options });
  }

  /** Requests that were refused: by IAM, by the limit of concurrency, or by the function. */
  metricRefusals(options?: MetricOptions): Metric {
    return this.#lambda('Url4xxCount', { statistic: Stats.SUM, label: 'refused (4xx)', ...options });
  }

  /** Requests that failed. Lambda's own metric `Errors` does not count answers with 503. */
  metricFailures(options?: MetricOptions): Metric {
    return this.#lambda('Url5xxCount', { statistic: Stats.SUM, label: 'failed (5xx)', ...options });
  }

  /** How long the URL took to answer, with start and queueing, on average: AWS documents no percentiles of it. */
  metricLatency(options?: MetricOptions): Metric {
    return this.#lambda('UrlRequestLatency', { statistic: Stats.AVERAGE, label: 'average', ...options });
  }

  /** Invocations that the limit of concurrency refused. */
  metricThrottles(options?: MetricOptions): Metric {
    return this.#lambda('Throttles', { statistic: Stats.SUM, label: 'throttled', ...options });
  }

  /** How long the function ran, without its start, 99th percentile. */
  metricDuration(options?: MetricOptions): Metric {
    return this.#lambda('Duration', { statistic: Stats.p(99), label: 'p99', ...options });
  }

  /** Copies of the function that ran at a time, the maximum. */
  metricConcurrency(options?: MetricOptions): Metric {
    return this.#lambda('ConcurrentExecutions', { statistic: Stats.MAXIMUM, label: 'copies', ...options });
  }

  /** Read units a second that the table served. */
  metricReadUnits(options?: MetricOptions): MathExpression {
    const units = this.table.metricConsumedReadCapacityUnits({ period: PERIOD, ...options, label: 'read units' });
    return new MathExpression({
      expression: 'units / PERIOD(units)',
      usingMetrics: { units },
      label: options?.label ?? 'read units a second',
      period: options?.period ?? PERIOD,
      ...(options?.color !== undefined && { color: options.color }),
    });
  }

  /** Reads of the table that DynamoDB refused because of `maxReadUnits`. */
  metricReadMaximumThrottles(options?: MetricOptions): Metric {
    return this.#throttles('ReadMaxOnDemand', { label: 'above maxReadUnits', ...options });
  }

  /** Reads of the table that DynamoDB refused because too many were of the same keys. */
  metricReadKeyRangeThrottles(options?: MetricOptions): Metric {
    return this.#throttles('ReadKeyRange', { label: 'of the same keys', ...options });
  }

  /** Reads of lists, by commands, that DynamoDB refused because of `maxReadUnits`. */
  metricIndexThrottles(options?: MetricOptions): Metric {
    return this.#throttles('ReadMaxOnDemand', { label: 'of lists', ...options, dimensionsMap: this.#index });
  }

  /** Writes that DynamoDB refused because too many were of the same keys, or of one list. */
  metricWriteThrottles(options?: MetricOptions): MathExpression {
    const { label = 'writes', color, ...rest } = options ?? {};
    return new MathExpression({
      expression: 'FILL(entries, 0) + FILL(lists, 0)',
      usingMetrics: {
        entries: this.#throttles('WriteKeyRange', rest),
        lists: this.#throttles('WriteKeyRange', { ...rest, dimensionsMap: this.#index }),
      },
      label,
      period: options?.period ?? PERIOD,
      ...(color !== undefined && { color }),
    });
  }

  /** Subjects that could not be looked up. */
  metricFailedLookups(options?: MetricOptions): Metric {
    return customMetric(this.handler, 'Failures', { label: 'not looked up', ...options });
  }

  get #index(): Record<string, string> {
    return { TableName: this.table.tableName, GlobalSecondaryIndexName: TABLE.listIndex.name };
  }

  /** Throttled events of one cause. */
  #throttles(cause: string, options: MetricOptions): Metric {
    const metricName = `${cause}ThroughputThrottleEvents`;
    return this.table.metric(metricName, { statistic: Stats.SUM, period: PERIOD, ...options });
  }

  #lambda(metricName: string, options: MetricOptions): Metric {
    return this.handler.metric(metricName, { period: PERIOD, ...options });
  }
}

/** A metric that a function logs in the embedded metric format: functions/metric-line.ts. */
export function customMetric(handler: IFunction, metricName: string, options: MetricOptions): Metric {
  return new Metric({
    namespace: 'haverdict',
    metricName,
    dimensionsMap: { FunctionName: handler.functionName },
    statistic: Stats.SUM,
    period: PERIOD,
    ...options,
  }).attachTo(handler);
}
