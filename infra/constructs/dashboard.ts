import {
  AlarmStatusWidget,
  Dashboard,
  GraphWidget,
  type IAlarm,
  type IMetric,
  Stats,
} from 'aws-cdk-lib/aws-cloudwatch';
import { Construct } from 'constructs';
import type { BackendSettings } from '../checked-props.ts';
import type { Metered } from './metrics.ts';

/** One screen: health, load, latency, and the distance to the limits. */
export class BackendDashboard extends Construct {
  constructor(scope: Construct, id: string, backend: Metered, alarms: readonly IAlarm[], settings: BackendSettings) {
    super(scope, id);
    const { reservedConcurrency, maxReadUnits, table } = settings;
    new Dashboard(this, 'Dashboard', {
      widgets: [
        alarms.length === 0
          ? []
          : [new AlarmStatusWidget({ title: 'Alarms', alarms: [...alarms], width: 24, height: 2 })],
        [
          graph('Requests', [backend.metricRequests(), backend.metricRefusals(), backend.metricFailures()]),
          graph('Duration in ms', [
            backend.metricDuration({ statistic: Stats.p(50), label: 'median' }),
            backend.metricDuration(),
          ]),
        ],
        [
          graph(
            'Copies of the function',
            [backend.metricConcurrency()],
            reservedConcurrency === 'none' ? undefined : reservedConcurrency,
            backend.metricThrottles(),
          ),
          graph(
            'Reads of the table',
            [backend.metricReadUnits()],
            table === undefined ? maxReadUnits : undefined,
            backend.metricReadThrottles(),
          ),
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
