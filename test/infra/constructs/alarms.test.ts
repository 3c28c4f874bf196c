import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { costCommand, STACK } from '../../../cli/commands/cost.ts';
import { METRICS } from '../../../functions/metric-line.ts';
import { only, templateOf } from '../synthesized.ts';
import { type AlarmProperties, isRaised, type Minute, metricsOf } from './evaluated-alarm.ts';

const TOPIC = 'arn:aws:sns:us-east-1:123456789012:oncall';

describe('the alarms', () => {
  const alarms = new Map(
    Object.entries(templateOf().findResources('AWS::CloudWatch::Alarm')).map(([id, { Properties }]) => [
      id.slice('BackendAlarms'.length, -8),
      Properties as AlarmProperties & { AlarmDescription: string },
    ]),
  );
  const raisedBy = (minutes: readonly Minute[]) =>
    [...alarms].filter(([, alarm]) => isRaised(alarm, minutes)).map(([name]) => name);

  const calm: Minute = { UrlRequestCount: 600, Url5xxCount: 0, Throttles: 0, Failures: 0, UrlRequestLatency: 30 };
  const minutes = (bad: Minute, count: number) =>
    Array.from({ length: 5 }, (_, index) => (index % 2 === 0 && index / 2 < count ? bad : calm));
  const RAISED: readonly (readonly [string, Minute])[] = [
    ['Errors', { ...calm, Url5xxCount: 30 }],
    ['Throttles', { ...calm, Throttles: 30 }],
    ['FailedLookups', { ...calm, Failures: 30 }],
    ['Slow', { ...calm, UrlRequestLatency: 100 }],
    ['ReadMaximum', { ...calm, ReadMaxOnDemandThroughputThrottleEvents: 1 }],
    ['ReadKeyRange', { ...calm, ReadKeyRangeThroughputThrottleEvents: 1 }],
    ['IndexReads', { ...calm, 'ReadMaxOnDemandThroughputThrottleEvents@index': 1 }],
    ['UpdatesLate', { ...calm, IteratorAge: 60_000 }],
    ['UpdateErrors', { ...calm, Errors: 1 }],
    ['Writes', { ...calm, WriteKeyRangeThroughputThrottleEvents: 1 }],
    ['Writes', { ...calm, 'WriteKeyRangeThroughputThrottleEvents@index': 1 }],
  ];

  it('are these', () => {
    assert.deepEqual(
      [...alarms.keys()].sort(),
      [...new Set([...RAISED.map(([name]) => name), 'MirrorOld', 'BadEntries', 'Repairs'])].sort(),
    );
  });

  for (const [name, bad] of RAISED)
    it(`raise ${name} alone by three bad minutes of five, and not by two: ${JSON.stringify(bad)}`, () => {
      assert.deepEqual(raisedBy(minutes(bad, 3)), [name]);
      assert.deepEqual(raisedBy(minutes(bad, 2)), []);
    });

  for (const name of ['BadEntries', 'Repairs'])
    it(`raise ${name} by one minute, for an hour: it is said once`, () => {
      const after = (calmMinutes: number) => [
        ...Array(59 - calmMinutes).fill(calm),
        { ...calm, [name]: 1 },
        ...Array(calmMinutes).fill(calm),
      ];
      assert.deepEqual([raisedBy(after(0)), raisedBy(after(59))], [[name], [name]]);
      assert.deepEqual(raisedBy([...after(59), calm]), []);
    });

  it('raise MirrorOld by a quarter of an hour, so that a first mirror can be made', () => {
    const old = { ...calm, MirrorAge: 26 * 3600 };
    assert.deepEqual(raisedBy(Array(15).fill(old)), ['MirrorOld']);
    assert.deepEqual(raisedBy(Array(14).fill(old)), []);
    assert.deepEqual(raisedBy(Array(30).fill({ ...calm, MirrorAge: 26 * 3600 - 1 })), []);
  });

  it('are not raised by one failure among many requests, nor by one of few, nor without requests', () => {
    for (const one of [{ Url5xxCount: 1 }, { Throttles: 1 }, { Failures: 1 }]) {
      assert.deepEqual(raisedBy(Array(5).fill({ ...calm, ...one })), []);
      assert.deepEqual(raisedBy([...minutes(calm, 0).slice(1), { UrlRequestCount: 1, ...one }]), []);
      assert.deepEqual(raisedBy(Array(5).fill(one)), []);
    }
    assert.deepEqual(raisedBy(Array(5).fill({})), []);
  });

  it('say what they mean, and where it is written what to do', () => {
    const runbook = readFileSync(new URL('../../../docs/runbook.md', import.meta.url), 'utf8');
    const headings = [...runbook.matchAll(/^## AWS (.+)$/gm)].map(([, name]) => name);
    assert.deepEqual(headings.sort(), [...alarms.keys()].sort());
    for (const [name, { AlarmDescription }] of alarms)
      assert.ok(AlarmDescription.endsWith(`/docs/runbook.md#aws-${name.toLowerCase()}`), AlarmDescription);
  });

  it('cost what `haverdict cost` says, with the dashboard and the metric of the function', () => {
    const dashboards = costCommand().options.find(({ long }) => long === '--dashboards')?.defaultValue;
    assert.equal(dashboards, Object.keys(templateOf().findResources('AWS::CloudWatch::Dashboard')).length);
    for (const [updates, { metrics, alarmMetrics }] of [
      [true, STACK.with],
      [false, STACK.without],
    ] as const) {
      assert.equal(alarmMetrics, alarmsOf({ updates }).flatMap(metricsOf).length);
      const sentEachMinute = Object.keys(METRICS).filter(
        (name) => (updates && name === 'MirrorAge') || name === 'Failures',
      );
      assert.equal(metrics, sentEachMinute.length); // the others are seldom sent, and billed only then
    }
  });

  it('watch of the metrics of functions those that there are, and there is no other', () => {
    const ours = [...alarms.values()].flatMap(metricsOf).filter((name) => name in METRICS);
    assert.deepEqual(ours.sort(), Object.keys(METRICS).sort());
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
  it('shows the age of changes, what fails and what was typed wrongly where there are updates', () => {
    const metrics = (updates: boolean) =>
      JSON.stringify(only(templateOf({ updates }), 'AWS::CloudWatch::Dashboard').Properties.DashboardBody);
    for (const name of ['IteratorAge', 'BadEntries'])
      assert.deepEqual(
        [true, false].map((updates) => metrics(updates).includes(name)),
        [true, false],
        name,
      );
  });

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
    const { Properties } = only(templateOf({ budgetUsd: 50, budgetEmail: 'ops@example.org' }), 'AWS::Budgets::Budget');
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

function alarmsOf(context: Record<string, unknown>): (AlarmProperties & Record<string, unknown>)[] {
  const alarms = Object.values(templateOf(context).findResources('AWS::CloudWatch::Alarm'));
  return alarms.map(({ Properties }) => Properties);
}
