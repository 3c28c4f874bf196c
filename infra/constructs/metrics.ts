import { Duration } from 'aws-cdk-lib';
import { MathExpression, Metric, type MetricOptions, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import type { ITable } from 'aws-cdk-lib/aws-dynamodb';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';

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

  /** How long the URL took to answer, 99th percentile. */
  metricLatency(options?: MetricOptions): Metric {
    return this.#lambda('UrlRequestLatency', { statistic: Stats.p(99), label: 'latency p99', ...options });
  }

  /** Invocations that the limit of concurrency refused. */
  metricThrottles(options?: MetricOptions): Metric {
    return this.#lambda('Throttles', { statistic: Stats.SUM, label: 'throttled', ...options });
  }

  /** How long the function ran, 99th percentile. */
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

  /** Reads that DynamoDB refused, because of `maxReadUnits` or a hot partition. */
  metricReadThrottles(options?: MetricOptions): Metric {
    const defaults = { statistic: Stats.SUM, label: 'reads throttled', period: PERIOD };
    return this.table.metric('ReadThrottleEvents', { ...defaults, ...options });
  }

  /** Subjects that agents asked about. */
  metricLookups(options?: MetricOptions): Metric {
    return this.#own('Lookups', { label: 'looked up', ...options });
  }

  /** Subjects that have an entry. */
  metricMatches(options?: MetricOptions): Metric {
    return this.#own('Matches', { label: 'with an entry', ...options });
  }

  /** Subjects that could not be looked up. */
  metricFailedLookups(options?: MetricOptions): Metric {
    return this.#own('Failures', { label: 'not read', ...options });
  }

  #lambda(metricName: string, options: MetricOptions): Metric {
    return this.handler.metric(metricName, { period: PERIOD, ...options });
  }

  /** The function logs these in the embedded metric format: functions/check/metrics.ts. */
  #own(metricName: string, options: MetricOptions): Metric {
    return new Metric({
      namespace: 'haverdict',
      metricName,
      dimensionsMap: { FunctionName: this.handler.functionName },
      statistic: Stats.SUM,
      period: PERIOD,
      ...options,
    }).attachTo(this.handler);
  }
}
