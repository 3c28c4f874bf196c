import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { only, templateOf } from '../synthesized.ts';

const TOPIC = 'arn:aws:sns:us-east-1:123456789012:oncall';

/** What an alarm watches: a metric, or an expression of some. */
interface AlarmMetric {
  readonly Expression?: string;
  readonly MetricStat?: { readonly Metric: { readonly MetricName: string }; readonly Stat: string };
}

describe('the alarms', () => {
  it('watch failures, throttles, the slowest answers, throttled reads, and updates that are late or fail', () => {
    const alarms = alarmsOf({}).map(({ Metrics, Threshold, EvaluationPeriods, TreatMissingData }) => {
      const [{ Expression, MetricStat }] = Metrics as [AlarmMetric];
      const metric = MetricStat === undefined ? [Expression] : [MetricStat.Metric.MetricName, MetricStat.Stat];
      return [...metric, Threshold, EvaluationPeriods, TreatMissingData].join(' ');
    });
    assert.deepEqual(alarms.sort(), [
      'Duration p99 1000 3 notBreaching',
      'IteratorAge Maximum 60000 1 notBreaching',
      'ReadThrottleEvents Sum 1 1 notBreaching',
      'Throttles Sum 1 1 notBreaching',
      'Url5xxCount Sum 1 1 notBreaching',
      'writer + trial 1 1 notBreaching',
    ]);
  });

  it('tell a topic when they begin and when they end, if there is one', () => {
    for (const alarm of alarmsOf({})) assert.equal(alarm.AlarmActions, undefined);
    for (const alarm of alarmsOf({ alarmTopicArn: TOPIC })) {
      assert.deepEqual(alarm.AlarmActions, [TOPIC]);
      assert.deepEqual(alarm.OKActions, [TOPIC]);
    }
  });
});

describe('the dashboard', () => {
  it('shows the ceilings that are set, and none where there is none', () => {
    const body = (context: Record<string, unknown>) =>
      JSON.stringify(only(templateOf(context), 'AWS::CloudWatch::Dashboard').Properties.DashboardBody).replaceAll(
        '\\',
        '',
      );
    assert.match(body({ reservedConcurrency: 37, maxReadUnits: 4321 }), /"value":37.*"value":4321/);
    assert.equal(body({ reservedConcurrency: 'none' }).match(/"label":"ceiling"/g)?.length, 1);
  });
});

describe('the budget', () => {
  it('is there only if asked for, and tells the person named', () => {
    templateOf().resourceCountIs('AWS::Budgets::Budget', 0);
    const { Properties } = only(
      templateOf({ budgetUsd: '50', budgetEmail: 'ops@example.org' }),
      'AWS::Budgets::Budget',
    );
    assert.deepEqual(Properties.Budget, {
      BudgetType: 'COST',
      TimeUnit: 'MONTHLY',
      BudgetLimit: { Amount: 50, Unit: 'USD' },
      CostFilters: { Service: ['AWS Lambda', 'Amazon DynamoDB'] },
    });
    const told = (Properties.NotificationsWithSubscribers as { Subscribers: unknown }[]).map(
      ({ Subscribers }) => Subscribers,
    ); // see the construct
    assert.deepEqual(told, Array(2).fill([{ Address: 'ops@example.org', SubscriptionType: 'EMAIL' }]));
  });
});

function alarmsOf(context: Record<string, unknown>): Record<string, unknown>[] {
  const alarms = Object.values(templateOf(context).findResources('AWS::CloudWatch::Alarm'));
  return alarms.map(({ Properties }) => Properties);
}
