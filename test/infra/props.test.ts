import './consumer/from-sources.ts';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { CfnParameter, Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { Stats } from 'aws-cdk-lib/aws-cloudwatch';
import { TableV2 } from 'aws-cdk-lib/aws-dynamodb';
import { Vpc } from 'aws-cdk-lib/aws-ec2';
import { Key } from 'aws-cdk-lib/aws-kms';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { METRICS } from '../../functions/metric-line.ts';
import { HaverdictBackend, type HaverdictBackendProps } from '../../infra/backend.ts';
import { SettingsError } from '../../infra/settings-error.ts';
import { tableBelow } from './reference-page.ts';
import { testApp } from './synthesized.ts';

const stackIn = (region: string) => new Stack(testApp(), 'Theirs', { env: { account: '111122223333', region } });
const stack = stackIn('eu-west-1');
const table = TableV2.fromTableName(stack, 'Table', 'theirs');
const elsewhere = TableV2.fromTableArn(stack, 'Elsewhere', 'arn:aws:dynamodb:eu-north-1:111122223333:table/theirs');
const foreign = TableV2.fromTableArn(stack, 'Foreign', 'arn:aws:dynamodb:eu-west-1:444455556666:table/theirs');
const encryptionKey = Key.fromKeyArn(stack, 'Key', 'arn:aws:kms:eu-west-1:111122223333:key/1');

/** What is wrong, and what it says. Programs in JavaScript can be wrong in their types too. */
const WRONG: readonly [props: Record<string, unknown>, message: string][] = [
  [{ memorySize: 64 }, 'memorySize must be a whole number from 128 to 10240, not 64'],
  [{ memorySize: 512.5 }, 'memorySize must be a whole number from 128 to 10240, not 512.5'],
  [{ ttl: Duration.days(2) }, 'ttl must be a Duration of whole seconds, of 86400 at most'],
  [{ ttl: Duration.millis(1500) }, 'ttl must be a Duration of whole seconds, of 86400 at most'],
  [{ ttl: 60 }, 'ttl must be a Duration of whole seconds, of 86400 at most, not 60'],
  [{ logRetention: 2 }, 'logRetention must be one of RetentionDays, not 2'],
  [{ removalPolicy: 'keep' }, 'removalPolicy must be a RemovalPolicy, not "keep"'],
  [{ reservedConcurrency: 0 }, 'reservedConcurrency must be a whole number from 1 to 10000, or none, not 0'],
  [{ alarmTopic: 'arn' }, 'alarmTopic must be a topic, such as Topic.fromTopicArn(this, "Topic", "ARN"), not "arn"'],
  [{ table: 'theirs' }, 'table must be a table, such as TableV2.fromTableName(this, "Table", "NAME"), not "theirs"'],
  [{ encryptionKey: 'arn' }, 'encryptionKey must be a key, such as Key.fromKeyArn(this, "Key", "ARN"), not "arn"'],
  [{ principals: ['arn'] }, 'principals must be a list of principals, such as [new AccountPrincipal("123456789012")]'],
  [{ replicas: ['Ireland'] }, 'replicas must be regions such as eu-west-1'],
  [{ budget: { usd: 5 } }, 'budget must be a budget, such as { usd: 50, email: "ops@example.org" }'],
  [{ agents: 101 }, 'agents must be at most 100 with reservedConcurrency 10, one call a second for each, not 101'],
  [
    { provisionedConcurrency: 10 },
    'provisionedConcurrency must be below reservedConcurrency, which is 10: none is left for the unqualifiedUrl, not 10',
  ],
  [
    { provisionedConcurrency: 11, unqualifiedUrl: false },
    'provisionedConcurrency must be at most reservedConcurrency, which is 10, not 11',
  ],
  [{ table, tableName: 'other' }, 'tableName must be left out with `table`, which is as it is, not "other"'],
  [{ table, maxReadUnits: 5 }, 'maxReadUnits must be left out with `table`, which is as it is, not 5'],
  [{ table, replicas: [] }, 'replicas must be left out with `table`, which is as it is'],
  [{ table: elsewhere }, 'table must be one of region eu-west-1, such as its replica there, not of eu-north-1'],
  [{ table: foreign }, 'table must be one of account 111122223333, not of 444455556666'],
  [{ encryptionKey, replicas: ['eu-north-1'] }, 'encryptionKey must be left out with `replicas`: it is of one region'],
  [{ securityGroups: [] }, 'securityGroups must be left out without `vpc`'],
  [
    { alarmTopic: Topic.fromTopicArn(stack, 'Topic', 'arn:aws:sns:eu-west-1:111122223333:a'), alarms: false },
    'alarmTopic must be left out without `alarms`',
  ],
];

/** The props of 0.1.0 that have other names now: in JavaScript they would do nothing, and say nothing. */
const FORMER = ['keepTable', 'ttlSeconds', 'logRetentionDays', 'agentPrincipal', 'alarmTopicArn', 'budgetUsd'];

describe('the props', () => {
  for (const [nth, [props, message]] of WRONG.entries())
    it(`are refused: ${message}`, () => {
      const id = `Wrong${nth}`;
      assert.throws(() => new HaverdictBackend(stack, id, props), new SettingsError(`Theirs/${id}: ${message}`));
    });

  for (const name of FORMER)
    it(`are refused if they are unknown, like ${name}`, () => {
      const props = { [name]: 1 };
      assert.throws(() => new HaverdictBackend(stack, name, props), {
        message: new RegExp(`unknown setting ${name}: use table, tableName, removalPolicy, `),
      });
    });

  it('take tokens wherever CloudFormation could know the value', () => {
    const there = stackIn('eu-west-1');
    const number = new CfnParameter(there, 'N', { type: 'Number' }).valueAsNumber;
    const text = new CfnParameter(there, 'S').valueAsString;
    const numbers = ['maxReadUnits', 'reservedConcurrency', 'provisionedConcurrency', 'memorySize', 'agents'] as const;
    for (const name of numbers) new HaverdictBackend(there, `With${name}`, { [name]: number });
    const { agentLimits } = new HaverdictBackend(there, 'Rest', {
      ...{ tableName: text, ttl: Duration.seconds(number), logRetention: number },
      ...{ budget: { usd: number, email: text }, reservedConcurrency: number },
    });
    assert.equal(agentLimits, undefined);
    assert.doesNotMatch(JSON.stringify(Template.fromStack(there).toJSON()), /\$\{Token|-1\.888/);
  });

  it('take a table of either construct, by name, by ARN, or a replica of it', () => {
    const tables = [table, TableV2.fromTableArn(stack, 'Here', 'arn:aws:dynamodb:eu-west-1:111122223333:table/other')];
    for (const [nth, one] of tables.entries())
      assert.equal(new HaverdictBackend(stack, `Over${nth}`, { table: one }).table, one);
  });

  it('leave out alarms and dashboard', () => {
    const there = stackIn('eu-west-1');
    const { alarms } = new HaverdictBackend(there, 'Bare', { alarms: false, dashboard: false });
    assert.deepEqual(alarms, []);
    const template = Template.fromStack(there);
    template.resourceCountIs('AWS::CloudWatch::Alarm', 0);
    template.resourceCountIs('AWS::CloudWatch::Dashboard', 0);
  });

  it('have a dashboard without alarms, and alarms without a dashboard', () => {
    for (const props of [{ alarms: false }, { dashboard: false }] satisfies HaverdictBackendProps[]) {
      const there = stackIn('eu-west-1');
      new HaverdictBackend(there, 'One', props);
      Template.fromStack(there).resourceCountIs('AWS::CloudWatch::Dashboard', props.dashboard === false ? 0 : 1);
    }
  });

  it('protect the table unless it is to go', () => {
    const protectedBy = (removalPolicy: RemovalPolicy) => {
      const there = stackIn('eu-west-1');
      new HaverdictBackend(there, 'One', { removalPolicy });
      const [found] = Object.values(Template.fromStack(there).findResources('AWS::DynamoDB::GlobalTable'));
      return [found?.DeletionPolicy, found?.Properties.Replicas[0].DeletionProtectionEnabled];
    };
    assert.deepEqual(protectedBy(RemovalPolicy.RETAIN), ['Retain', true]);
    assert.deepEqual(protectedBy(RemovalPolicy.DESTROY), ['Delete', false]);
  });

  it('put the function into a network', () => {
    const there = stackIn('eu-west-1');
    const privateSubnetIds = ['subnet-a', 'subnet-b'];
    const vpc = Vpc.fromVpcAttributes(there, 'Vpc', {
      vpcId: 'vpc-a',
      availabilityZones: ['a', 'b'],
      privateSubnetIds,
    });
    new HaverdictBackend(there, 'One', { vpc, vpcSubnets: { availabilityZones: ['b'] } });
    const [found] = Object.values(Template.fromStack(there).findResources('AWS::Lambda::Function'));
    assert.deepEqual(found?.Properties.VpcConfig.SubnetIds, ['subnet-b']);
  });
});

describe('the metrics', () => {
  const backend = new HaverdictBackend(stack, 'Metered', { table });
  const names = methodsOf(backend).filter((name) => name.startsWith('metric'));

  it('take the options of CloudWatch, each', () => {
    assert.ok(names.length >= 10);
    for (const name of names) {
      const period = Duration.minutes(1);
      const metric = call(backend, name, { period, label: 'mine', color: '#ff0000', statistic: Stats.MINIMUM });
      const { metricStat, mathExpression, renderingProperties } = metric.toMetricConfig();
      assert.equal(metricStat?.period.toSeconds() ?? mathExpression?.period, 60, name);
      assert.equal(metricStat?.statistic ?? 'Minimum', 'Minimum', name);
      assert.deepEqual([renderingProperties?.label, renderingProperties?.color], ['mine', '#ff0000'], name);
    }
  });

  it('have those of the function by the names that it logs', () => {
    for (const name of names) {
      const { namespace, metricName } = call(backend, name, {}).toMetricConfig().metricStat ?? {};
      if (namespace === 'haverdict')
        assert.ok(metricName !== undefined && metricName in METRICS, `${name}: ${metricName}`);
    }
  });
});

describe('the documentation that an editor shows', () => {
  it('is there for every prop, with its default, and every member', () => {
    const props = members('infra/backend-props.ts', 'HaverdictBackendProps');
    assert.deepEqual(
      props.filter(({ doc }) => !/@default [\w-]/.test(doc)).map(({ name }) => name),
      [],
    );
    const rest = [
      ...members('infra/backend.ts', 'HaverdictBackend'),
      ...members('infra/constructs/metrics.ts', 'Metered'),
    ];
    assert.deepEqual(
      rest
        .filter(({ name, doc }) => doc === '' && !['constructor', 'handler', 'table'].includes(name))
        .map(({ name }) => name),
      [],
    );
    assert.ok(props.length > 15 && rest.length > 20);
  });

  it('is what docs/reference/infra.md names', () => {
    const files = { 'infra/backend-props.ts': 'HaverdictBackendProps', 'infra/backend.ts': 'HaverdictBackend' };
    const known = Object.entries({ ...files, 'infra/constructs/metrics.ts': 'Metered' }).flatMap(([file, type]) =>
      members(file, type).map(({ name }) => name),
    );
    const named = tableBelow('| For |').flatMap((row) =>
      [...row.matchAll(/`(\w+)(\(\))?`/g)].map(([, name = '']) => name),
    );
    assert.ok(named.length > 10);
    assert.deepEqual(
      named.filter((name) => !known.includes(name)),
      [],
    );
  });
});

interface AnyMetric {
  toMetricConfig(): {
    readonly metricStat?: { namespace: string; metricName: string; period: Duration; statistic: string };
    readonly mathExpression?: { readonly period: number };
    readonly renderingProperties?: Record<string, unknown>;
  };
}

function call(backend: HaverdictBackend, name: string, options: object): AnyMetric {
  return (
    (backend as unknown as Record<string, (options: object) => AnyMetric>)[name]?.call(backend, options) ??
    assert.fail(name)
  );
}

function methodsOf(backend: HaverdictBackend): string[] {
  const own = Object.getPrototypeOf(backend);
  return [own, Object.getPrototypeOf(own)].flatMap((prototype) => Object.getOwnPropertyNames(prototype));
}

/** The public members of a class or interface in a source file, each with the comment before it. */
function members(file: string, type: string): { readonly name: string; readonly doc: string }[] {
  const source = readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8');
  const [body = ''] = new RegExp(`(class|interface) ${type}\\b[\\s\\S]*?\\n}\\n`).exec(source) ?? [];
  const found = body.matchAll(
    /( {2}\/\*\*(?:(?!\*\/)[\s\S])*\*\/\n)?^ {2}(?:abstract )?(?:readonly )?([a-z]\w*)\??[:(]/gm,
  );
  return [...found].map(([, doc = '', name = '']) => ({ name, doc }));
}
