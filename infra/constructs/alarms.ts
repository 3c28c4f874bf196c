import { Alarm, ComparisonOperator, type IMetric, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';
import type { Metered } from './metrics.ts';
import type { Updates } from './updates.ts';

/** A cold start takes about 300 ms and the agent waits 2 s by default. */
const SLOW_MS = 1000;
/** From then on agents do not count on updates for entries that allow. */
const LATE_MS = 60_000;

/** Alarms for the operators. Missing data is fine, as there may be no calls. */
export class Alarms extends Construct {
  readonly all: readonly Alarm[];

  constructor(scope: Construct, id: string, backend: Metered, updates: Updates | undefined, topic: ITopic | undefined) {
    super(scope, id);
    this.all = [
      this.#alarm(
        'Errors',
        backend.metricFailures(),
        1,
        1,
        'the function fails; agents decide by their policy. See its log.',
      ),
      this.#alarm(
        'Throttles',
        backend.metricThrottles(),
        1,
        1,
        'reservedConcurrency is used up; raise it, or see who asks.',
      ),
      this.#alarm('Slow', backend.metricDuration(), SLOW_MS, 3, 'one lookup in 100 takes more than a second.'),
      this.#alarm(
        'TableThrottles',
        backend.metricReadThrottles(),
        1,
        1,
        'maxReadUnits is used up; raise it, or see who asks.',
      ),
      ...(updates === undefined ? [] : this.#ofUpdates(updates)),
    ];
    if (topic === undefined) return;
    const action = new SnsAction(topic);
    for (const alarm of this.all) {
      alarm.addAlarmAction(action);
      alarm.addOkAction(action);
    }
  }

  #ofUpdates(updates: Updates): Alarm[] {
    return [
      this.#alarm(
        'UpdatesLate',
        updates.metricAge(),
        LATE_MS,
        1,
        'changes reach agents late. See the log of the writer.',
      ),
      this.#alarm('UpdateErrors', updates.metricErrors(), 1, 1, 'the writer of updates fails. See its log.'),
    ];
  }

  #alarm(id: string, metric: IMetric, threshold: number, evaluationPeriods: number, description: string): Alarm {
    return new Alarm(this, id, {
      metric,
      threshold,
      evaluationPeriods,
      comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      treatMissingData: TreatMissingData.NOT_BREACHING,
      alarmDescription: `haverdict: ${description}`,
    });
  }
}
