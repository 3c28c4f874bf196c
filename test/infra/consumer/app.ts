import { type App, CfnOutput, CfnParameter, Duration, RemovalPolicy, Stack, type StackProps, Tags } from 'aws-cdk-lib';
import { Alarm, ComparisonOperator, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import { LambdaDeploymentConfig, LambdaDeploymentGroup } from 'aws-cdk-lib/aws-codedeploy';
import { TableV2 } from 'aws-cdk-lib/aws-dynamodb';
import { Vpc } from 'aws-cdk-lib/aws-ec2';
import {
  AccountPrincipal,
  ArnPrincipal,
  ManagedPolicy,
  PermissionsBoundary,
  PolicyStatement,
  Role,
} from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import { RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Topic } from 'aws-cdk-lib/aws-sns';
import type { Construct } from 'constructs';
import { HaverdictBackend } from 'haverdict/infra';

const ACCOUNT = '111122223333';
const TABLE_NAME = 'edge-blocklist';

/** A table that two functions in two regions read, and a third one for a secret list. */
export function edgeApp(app: App): void {
  const frankfurt = new Frankfurt(app, 'Frankfurt', { env: { account: ACCOUNT, region: 'eu-central-1' } });
  const ireland = new Ireland(app, 'Ireland', { env: { account: ACCOUNT, region: 'eu-west-1' } });
  ireland.node.addDependency(frankfurt);
  new Vault(app, 'Vault', { env: { account: ACCOUNT, region: 'eu-west-1' } });
  Tags.of(app).add('team', 'edge');
}

/** Two instances in one stack, of which the second has the table of the first. What only CloudFormation knows is a token. */
class Frankfurt extends Stack {
  constructor(scope: Construct, id: string, props: StackProps) {
    super(scope, id, props);
    const copies = new CfnParameter(this, 'Copies', { type: 'Number', default: 5 });
    const memory = new CfnParameter(this, 'Memory', { type: 'Number', default: 256 });
    const seconds = new CfnParameter(this, 'Seconds', { type: 'Number', default: 60 });
    const name = new CfnParameter(this, 'Name', { default: TABLE_NAME });
    const boundary = new ManagedPolicy(this, 'Boundary', {
      statements: [new PolicyStatement({ actions: ['dynamodb:*', 'lambda:*', 'logs:*'], resources: ['*'] })],
    });
    PermissionsBoundary.of(this).apply(boundary);
    const haproxy = new Role(this, 'Haproxy', { assumedBy: new AccountPrincipal(ACCOUNT) });
    const operator = new Role(this, 'Operator', { assumedBy: new AccountPrincipal(ACCOUNT) });
    const auditor = new Role(this, 'Auditor', { assumedBy: new AccountPrincipal(ACCOUNT) });

    const shop = new HaverdictBackend(this, 'Shop', {
      tableName: name.valueAsString,
      replicas: ['eu-west-1'],
      removalPolicy: RemovalPolicy.DESTROY,
      ttl: Duration.seconds(seconds.valueAsNumber),
      reservedConcurrency: copies.valueAsNumber,
      memorySize: memory.valueAsNumber,
      principals: [new AccountPrincipal('444455556666')],
      dashboard: false,
    });
    const api = new HaverdictBackend(this, 'Api', {
      table: shop.table,
      reservedConcurrency: 20,
      agents: 4,
      logRetention: RetentionDays.ONE_WEEK,
      alarms: false,
      unqualifiedUrl: false,
    });
    const foreign = new ArnPrincipal('arn:aws:iam::444455556666:role/haproxy');
    for (const backend of [shop, api]) for (const agent of [haproxy, foreign]) backend.grantInvoke(agent);
    shop.grantOperate(operator);
    shop.grantRead(auditor);
    const latency = shop.metricLatency({ statistic: Stats.p(95), period: Duration.minutes(1) });
    new Alarm(this, 'Late', {
      metric: latency,
      threshold: 200,
      evaluationPeriods: 5,
      comparisonOperator: ComparisonOperator.GREATER_THAN_THRESHOLD,
    });
    const outputs = { ShopUrl: shop.url.url, ApiUrl: api.url.url, TableName: shop.table.tableName };
    const roles = { HaproxyArn: haproxy.roleArn, OperatorArn: operator.roleArn, AuditorArn: auditor.roleArn };
    for (const [id, value] of Object.entries({ ...outputs, ...roles })) new CfnOutput(this, id, { value });
  }
}

/** The function beside the replica. New code gets a tenth of the calls for five minutes, and all of them if no alarm goes off. */
class Ireland extends Stack {
  constructor(scope: Construct, id: string, props: StackProps) {
    super(scope, id, props);
    const { alias, alarms } = new HaverdictBackend(this, 'Shop', {
      table: TableV2.fromTableName(this, 'Table', TABLE_NAME),
      provisionedConcurrency: 2,
      alarmTopic: Topic.fromTopicArn(this, 'OnCall', `arn:aws:sns:eu-west-1:${ACCOUNT}:on-call`),
    });
    new LambdaDeploymentGroup(this, 'Canary', {
      alias,
      alarms: [...alarms],
      deploymentConfig: LambdaDeploymentConfig.CANARY_10PERCENT_5MINUTES,
    });
  }
}

/** Everything in it encrypted with a key of the customer's, and the function in the customer's network. */
class Vault extends Stack {
  constructor(scope: Construct, id: string, props: StackProps) {
    super(scope, id, props);
    const encryptionKey = new Key(this, 'Key', { enableKeyRotation: true });
    const vpc = Vpc.fromVpcAttributes(this, 'Network', {
      vpcId: 'vpc-0123456789abcdef0',
      availabilityZones: ['eu-west-1a', 'eu-west-1b'],
      privateSubnetIds: ['subnet-0123456789abcdef0', 'subnet-0123456789abcdef1'],
    });
    const backend = new HaverdictBackend(this, 'Blocklist', { encryptionKey, vpc, unqualifiedUrl: false });
    backend.grantOperate(new Role(this, 'Operator', { assumedBy: new AccountPrincipal(ACCOUNT) }));
  }
}
