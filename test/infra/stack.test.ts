import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';
import { parse } from 'yaml';
import { ConfigFile } from '../../config/schema.ts';
import { HaverdictStack } from '../../infra/stack.ts';
import { settingsOf, templateOf, testApp } from './synthesized.ts';

const EVERYTHING = {
  agentPrincipal: 'arn:aws:iam::123456789012:root',
  alarmTopicArn: 'arn:aws:sns:us-east-1:123456789012:oncall',
  budgetUsd: 50,
  budgetEmail: 'ops@example.org',
  replicas: ['eu-west-1'],
};

describe('the stack', () => {
  it('keeps its logical ids: another id is another resource, and another table is an empty one', () => {
    assert.deepEqual(idsOf(EVERYTHING), {
      BackendAccessAgentPolicy5B1112B7: 'AWS::IAM::ManagedPolicy',
      BackendAccessAgentRoleF993F786: 'AWS::IAM::Role',
      BackendAccessOperatorPolicyCEABACF0: 'AWS::IAM::ManagedPolicy',
      BackendAccessReaderPolicyDEDF8CA5: 'AWS::IAM::ManagedPolicy',
      BackendAlarmsBadEntriesF54A70C9: 'AWS::CloudWatch::Alarm',
      BackendAlarmsErrorsFF7BFA57: 'AWS::CloudWatch::Alarm',
      BackendAlarmsFailedLookups8D1B43FF: 'AWS::CloudWatch::Alarm',
      BackendAlarmsIndexReadsD2D32A69: 'AWS::CloudWatch::Alarm',
      BackendAlarmsMirrorOld83527C76: 'AWS::CloudWatch::Alarm',
      BackendAlarmsReadKeyRange4FC9DDAF: 'AWS::CloudWatch::Alarm',
      BackendAlarmsReadMaximum431447ED: 'AWS::CloudWatch::Alarm',
      BackendAlarmsRepairsAC61433B: 'AWS::CloudWatch::Alarm',
      BackendAlarmsSlow5B31BA18: 'AWS::CloudWatch::Alarm',
      BackendAlarmsThrottles31E0B736: 'AWS::CloudWatch::Alarm',
      BackendAlarmsUpdateErrors5E7C474C: 'AWS::CloudWatch::Alarm',
      BackendAlarmsUpdatesLateEE836038: 'AWS::CloudWatch::Alarm',
      BackendAlarmsWrites176FEDBF: 'AWS::CloudWatch::Alarm',
      BackendBudgetFD212999: 'AWS::Budgets::Budget',
      BackendCheckHandler12AFFFCD: 'AWS::Lambda::Function',
      BackendCheckHandlerCurrentVersion9A22242A: 'AWS::Lambda::Version',
      BackendCheckHandlerFunctionUrl79EF92AE: 'AWS::Lambda::Url',
      BackendCheckLiveE12E7110: 'AWS::Lambda::Alias',
      BackendCheckLiveFunctionUrl1A345F28: 'AWS::Lambda::Url',
      BackendCheckLogs8D31B6FC: 'AWS::Logs::LogGroup',
      BackendCheckRole8C91C418: 'AWS::IAM::Role',
      BackendCheckRoleDefaultPolicyCD7F445D: 'AWS::IAM::Policy',
      BackendDashboardDE4FB3C3: 'AWS::CloudWatch::Dashboard',
      BackendTable11108670: 'AWS::DynamoDB::GlobalTable',
      BackendUpdatesBuilderHandlerCF16503E: 'AWS::Lambda::Function',
      BackendUpdatesBuilderHandlerEventInvokeConfigD8CACDD2: 'AWS::Lambda::EventInvokeConfig',
      BackendUpdatesBuilderHandlerMinute25B4B80D: 'AWS::Lambda::Permission',
      BackendUpdatesBuilderLogsA3F8EF6D: 'AWS::Logs::LogGroup',
      BackendUpdatesBuilderRole87C3CFA8: 'AWS::IAM::Role',
      BackendUpdatesBuilderRoleDefaultPolicyF7E1B524: 'AWS::IAM::Policy',
      BackendUpdatesMinute9E79ACF5: 'AWS::Events::Rule',
      BackendUpdatesSource406BAE44: 'AWS::Lambda::EventSourceMapping',
      BackendUpdatesTable01721D8F: 'AWS::DynamoDB::GlobalTable',
      BackendUpdatesWriterHandlerFD5CBE9B: 'AWS::Lambda::Function',
      BackendUpdatesWriterLogs0D753536: 'AWS::Logs::LogGroup',
      BackendUpdatesWriterRole3CD068B3: 'AWS::IAM::Role',
      BackendUpdatesWriterRoleDefaultPolicy3145E807: 'AWS::IAM::Policy',
    });
  });

  it('changes no id and no type with the name, the region or the account', () => {
    const moved = { stackName: 'Other', region: 'eu-north-1', account: '123456789012' };
    assert.deepEqual(idsOf(moved), idsOf({}));
  });

  for (const updates of [true, false])
    it(`prints the config of the agent, as YAML that it takes, ${updates ? 'with' : 'without'} updates`, () => {
      const { Outputs } = templateOf({ updates }).toJSON();
      const parts = Outputs.AgentConfig.Value['Fn::Join'][1] as unknown[];
      assert.deepEqual(parts[1], Outputs.FunctionUrl.Value);
      const url = 'https://abc.lambda-url.us-east-1.on.aws/';
      const config = parse(parts.map((part) => (typeof part === 'string' ? part : url)).join(''));
      const limits = { maxCallsPerSecond: 100, maxConcurrent: 10 };
      const backend = { url, auth: 'iam', region: 'us-east-1', ...limits };
      assert.deepEqual(config, { backend, ...(updates && { updates: { mode: 'mirror' } }) });
      assert.equal(ConfigFile.safeParse(config).error, undefined);
    });

  it('prints what each agent may ask, which follows from the copies of the function and how many agents there are', () => {
    const outputs = (context: object) => templateOf({ ...context }).toJSON().Outputs;
    const endOf = ({ AgentConfig }: { AgentConfig: { Value: Record<string, [string, unknown[]]> } }) =>
      AgentConfig.Value['Fn::Join']?.[1].at(-1);
    const two = outputs({ reservedConcurrency: 25, agents: 2 });
    assert.equal(two.MaxCallsPerSecond.Value, '125');
    assert.equal(
      endOf(two),
      '", auth: iam, region: us-east-1, maxCallsPerSecond: 125, maxConcurrent: 12 }\nupdates: { mode: mirror }',
    );
    const none = outputs({ reservedConcurrency: 'none', agents: 2 });
    assert.equal(none.MaxCallsPerSecond, undefined);
    assert.equal(endOf(none), '", auth: iam, region: us-east-1 }\nupdates: { mode: mirror }');
  });

  it('names its region itself, since that of the credentials would give each of us another template', () => {
    assert.equal(templateOf().toJSON().Outputs.Region.Value, 'us-east-1');
    assert.equal(templateOf({ region: 'eu-north-1' }).toJSON().Outputs.Region.Value, 'eu-north-1');
  });

  it('hands tags on', () => {
    const { Resources } = templateOf({ tags: { team: 'edge', cost: 'a=b' } }).toJSON();
    const [lambda] = Object.values<{ Type: string; Properties: { Tags: unknown } }>(Resources).filter(
      ({ Type }) => Type === 'AWS::Lambda::Function',
    );
    assert.deepEqual(lambda?.Properties.Tags, [
      { Key: 'cost', Value: 'a=b' },
      { Key: 'team', Value: 'edge' },
    ]);
  });

  it('passes the rules of CloudFormation and of cdk-nag without exceptions', () => {
    const app = testApp({ validates: true });
    new HaverdictStack(app, settingsOf(EVERYTHING));
    Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
    const { directory } = app.synth(); // throws on findings
    const report = readFileSync(join(directory, 'validation-report.json'), 'utf8');
    assert.deepEqual(
      JSON.parse(report).pluginReports.flatMap(({ violations }: { violations: unknown[] }) => violations),
      [],
    );
    assert.doesNotMatch(readFileSync(join(directory, 'Haverdict.metadata.json'), 'utf8'), /acknowledged-rules/);
  });
});

/** The type of each resource by its id. The id of a version ends with a hash of what the function is. */
function idsOf(context: Readonly<Record<string, unknown>>): Record<string, string> {
  const resources = Object.entries<{ Type: string }>(templateOf(context).toJSON().Resources);
  return Object.fromEntries(resources.map(([id, { Type }]) => [id.replace(/(CurrentVersion.{8}).{32}$/, '$1'), Type]));
}
