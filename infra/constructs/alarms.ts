import { Duration } from 'aws-cdk-lib';
import { Alarm, ComparisonOperator, type IMetric, MathExpression, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';
import type { Metered } from './metrics.ts';
import type { Updates } from './updates.ts';

const RUNBOOK = 'https://github.com/haverdict/haverdict/blob/main/docs/runbook.md';

/** Three of five minutes: neither one bad request nor one bad minute pages anybody. */
const WINDOW = { evaluationPeriods: 5, datapointsToAlarm: 3 };
/** The first mirror takes some minutes. */
const LONG = { evaluationPeriods: 30, datapointsToAlarm: 15 };
/** What is said once, when it happens: the alarm goes on for an hour, so that somebody sees it. */
const ONCE = { evaluationPeriods: 60, datapointsToAlarm: 1 };
const PERIOD = Duration.minutes(1);
const PERCENT = 5;
/** More than twice the deadline of an agent, 40 ms by default: most lookups are too late then. */
const SLOW_MS = 100;
/** From then on agents do not rely on updates for what is allowed. */
const LATE_MS = 60_000;
/** A mirror is made anew each day. */
const OLD_SECONDS = 26 * 3600;

/** Alarms for the operators. Missing data is fine, as there may be no calls. */
export class Alarms extends Construct {
  readonly all: readonly Alarm[];
  readonly #backend: Metered;

  constructor(scope: Construct, id: string, backend: Metered, updates: Updates | undefined, topic: ITopic | undefined) {
    super(scope, id);
    this.#backend = backend;
    const each = { period: PERIOD };
    this.all = [
      this.#alarm('Errors', this.#share(backend.metricFailures(each)), PERCENT, 'the function fails'),
      this.#alarm('Throttles', this.#share(backend.metricThrottles(each)), PERCENT, 'reservedConcurrency is used up'),
      this.#alarm(
        'FailedLookups',
        this.#share(backend.metricFailedLookups(each)),
        PERCENT,
        'the function answers, but not about all subjects',
      ),
      this.#alarm('Slow', backend.metricLatency(each), SLOW_MS, 'most answers come after the deadline of the agents'),
      this.#alarm('ReadMaximum', backend.metricReadMaximumThrottles(each), 1, 'maxReadUnits is used up by lookups'),
      this.#alarm('ReadKeyRange', backend.metricReadKeyRangeThrottles(each), 1, 'too many lookups of the same keys'),
      this.#alarm('IndexReads', backend.metricIndexThrottles(each), 1, 'commands that read lists use up maxReadUnits'),
      this.#alarm(
        'Writes',
        backend.metricWriteThrottles(each),
        1,
        'writes to one list are faster than DynamoDB takes them',
      ),
      ...(updates === undefined
        ? []
        : [
            this.#alarm('UpdatesLate', updates.metricAge(each), LATE_MS, 'changes reach the agents late'),
            this.#alarm(
              'UpdateErrors',
              updates.metricErrors(each),
              1,
              'the writer of updates or the mirror builder fails',
            ),
            this.#alarm(
              'MirrorOld',
              updates.metricMirrorAge(each),
              OLD_SECONDS,
              'agents load an old mirror, or none',
              LONG,
            ),
            this.#alarm('Repairs', updates.metricRepairs(each), 1, 'updates did not say what the table says', ONCE),
            this.#alarm(
              'BadEntries',
              updates.metricBadEntries(each),
              1,
              'an item was written that is no entry, or not as it should be',
              ONCE,
            ),
          ]),
    ];
    if (topic === undefined) return;
    const action = new SnsAction(topic);
    for (const alarm of this.all) {
      alarm.addAlarmAction(action);
      alarm.addOkAction(action);
    }
  }

  /** Per hundred requests. Without requests there is no value. */
  #share(metric: IMetric): IMetric {
    return new MathExpression({
      expression: '100 * FILL(some, 0) / all',
      usingMetrics: { some: metric, all: this.#backend.metricRequests({ period: PERIOD }) },
      period: PERIOD,
    });
  }

  #alarm(id: string, metric: IMetric, threshold: number, meaning: string, window = WINDOW): Alarm {
    return new Alarm(this, id, {
      metric,
      threshold,
      ...window,
      comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      treatMissingData: TreatMissingData.NOT_BREACHING,
      alarmDescription: `haverdict: ${meaning}. What to do: ${RUNBOOK}#aws-${id.toLowerCase()}`,
    });
  }
}
