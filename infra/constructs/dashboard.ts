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
import type { Updates } from './updates.ts';

interface DashboardParts {
  readonly backend: Metered;
  readonly updates: Updates | undefined;
  readonly alarms: readonly IAlarm[];
}

/** One screen: health, load, latency, and the distance to the limits. */
export class BackendDashboard extends Construct {
  constructor(scope: Construct, id: string, { backend, updates, alarms }: DashboardParts, settings: BackendSettings) {
    super(scope, id);
    const { reservedConcurrency, maxReadUnits, table } = settings;
    new Dashboard(this, 'Dashboard', {
      widgets: [
        alarms.length === 0
          ? []
          : [new AlarmStatusWidget({ title: 'Alarms', alarms: [...alarms], width: 24, height: 2 })],
        [
          graph('Requests', [
            backend.metricRequests(),
            backend.metricRefusals(),
            backend.metricFailures(),
            backend.metricFailedLookups(),
          ]),
          graph('Answers in ms', [
            backend.metricLatency(),
            backend.metricLatency({ statistic: Stats.MAXIMUM, label: 'slowest' }),
            backend.metricDuration({ statistic: Stats.AVERAGE, label: 'average without start and queueing' }),
          ]),
        ],
        [
          graph(
            'Copies of the function',
            [backend.metricConcurrency()],
            [backend.metricThrottles()],
            reservedConcurrency === 'none' ? undefined : reservedConcurrency,
          ),
          graph(
            'Reads of the table, and what it refuses',
            [backend.metricReadUnits()],
            [
              backend.metricReadMaximumThrottles(),
              backend.metricReadKeyRangeThrottles(),
              backend.metricIndexThrottles(),
              backend.metricWriteThrottles(),
            ],
            table === undefined ? maxReadUnits : undefined,
          ),
        ],
        updates === undefined
          ? []
          : [
              graph('Age of changes in ms when the writer of updates gets them', [updates.metricAge()]),
              graph('Calls of the writer', [updates.metricCalls(), updates.metricErrors(), updates.metricBadEntries()]),
            ],
      ],
    });
  }
}

function graph(title: string, left: IMetric[], right: IMetric[] = [], ceiling?: number): GraphWidget {
  return new GraphWidget({
    title,
    width: 12,
    left,
    leftYAxis: { min: 0 },
    ...(right.length > 0 && { right }),
    ...(ceiling !== undefined && { leftAnnotations: [{ value: ceiling, label: 'ceiling' }] }),
  });
}
