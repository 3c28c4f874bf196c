import { AlarmStatusWidget, Dashboard, GraphWidget, type IAlarm, type IMetric } from 'aws-cdk-lib/aws-cloudwatch';
import { Construct } from 'constructs';
import type { BackendSettings } from '../settings.ts';
import type { Metrics } from './metrics.ts';

/** One screen: health, load, latency, and the distance to the limits. */
export class BackendDashboard extends Construct {
  constructor(scope: Construct, id: string, metrics: Metrics, alarms: readonly IAlarm[], settings: BackendSettings) {
    super(scope, id);
    const { reservedConcurrency, maxReadUnits } = settings;
    new Dashboard(this, 'Dashboard', {
      widgets: [
        [new AlarmStatusWidget({ title: 'Alarms', alarms: [...alarms], width: 24, height: 2 })],
        [
          graph('Requests', [metrics.requests, metrics.refusals, metrics.failures]),
          graph('Duration in ms', [metrics.medianDuration, metrics.p99Duration]),
        ],
        [
          graph(
            'Copies of the function',
            [metrics.concurrency],
            reservedConcurrency === 'none' ? undefined : reservedConcurrency,
            metrics.throttles,
          ),
          graph('Reads of the table', [metrics.readUnitsPerSecond], maxReadUnits, metrics.tableThrottles),
        ],
      ],
    });
  }
}

function graph(title: string, left: IMetric[], ceiling?: number, throttles?: IMetric): GraphWidget {
  return new GraphWidget({
    title,
    width: 12,
    left,
    leftYAxis: { min: 0 },
    ...(throttles !== undefined && { right: [throttles] }),
    ...(ceiling !== undefined && { leftAnnotations: [{ value: ceiling, label: 'ceiling' }] }),
  });
}
