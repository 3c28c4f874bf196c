import { CfnOutput, Duration, RemovalPolicy, Stack, Tags } from 'aws-cdk-lib';
import { AccountPrincipal, ArnPrincipal, type IPrincipal } from 'aws-cdk-lib/aws-iam';
import { Topic } from 'aws-cdk-lib/aws-sns';
import type { Construct } from 'constructs';
import { HaverdictBackend } from './backend.ts';
import type { HaverdictBackendProps } from './backend-props.ts';
import type { DeploymentSettings } from './deployment/settings.ts';

/** A stack with one backend, with outputs for the agent and the operators. */
export class HaverdictStack extends Stack {
  constructor(scope: Construct, settings: DeploymentSettings) {
    const { region, account, stackName, tags } = settings;
    super(scope, stackName, { env: { region, ...(account !== undefined && { account }) } });
    for (const [name, value] of Object.entries(tags)) Tags.of(this).add(name, value);
    const backend = new HaverdictBackend(this, 'Backend', this.#propsOf(settings));
    const { agentLimits: limits } = backend;
    const agentBackend = { url: JSON.stringify(backend.url.url), auth: 'iam', region, ...limits };
    for (const arn of settings.agentRoles) backend.grantInvoke(principalOf(arn));
    this.#print({
      FunctionName: backend.handler.functionName,
      FunctionUrl: backend.url.url,
      FunctionArn: backend.alias.functionArn,
      UnqualifiedUrl: backend.unqualifiedUrl?.url,
      TableName: backend.table.tableName,
      TableArn: backend.table.tableArn,
      Region: this.region,
      AgentPolicyArn: backend.agentPolicy.managedPolicyArn,
      AgentRoleArn: backend.agentRole?.roleArn,
      OperatorPolicyArn: backend.operatorPolicy.managedPolicyArn,
      ReaderPolicyArn: backend.readerPolicy.managedPolicyArn,
      AgentConfig: agentConfig(agentBackend, settings),
      MaxCallsPerSecond: limits && String(limits.maxCallsPerSecond),
    });
  }

  /** The settings as the objects that a construct takes. */
  #propsOf(settings: DeploymentSettings): HaverdictBackendProps {
    const { tableName, replicas, reservedConcurrency, agents, unqualifiedUrl, maxReadUnits } = settings;
    const { updates, updatePollMs } = settings;
    const { agentPrincipal, alarmTopicArn, budgetUsd, budgetEmail, provisionedConcurrency } = settings;
    return {
      ...{ tableName, replicas, reservedConcurrency, agents, unqualifiedUrl },
      ...(maxReadUnits !== undefined && { maxReadUnits }),
      ...(provisionedConcurrency !== undefined && { provisionedConcurrency }),
      removalPolicy: settings.keepTable ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
      ttl: Duration.seconds(settings.ttlSeconds),
      updates,
      ...(updates && updatePollMs !== undefined && { updatePoll: Duration.millis(updatePollMs) }),
      logRetention: settings.logRetentionDays,
      ...(agentPrincipal !== undefined && { principals: [new ArnPrincipal(agentPrincipal)] }),
      ...(alarmTopicArn !== undefined && { alarmTopic: Topic.fromTopicArn(this, 'AlarmTopic', alarmTopicArn) }),
      ...(budgetUsd !== undefined && budgetEmail !== undefined && { budget: { usd: budgetUsd, email: budgetEmail } }),
    };
  }

  #print(outputs: Readonly<Record<string, string | undefined>>): void {
    for (const [name, value] of Object.entries(outputs)) {
      if (value !== undefined) new CfnOutput(this, name, { value });
    }
  }
}

/** What the agent's config file has of this stack, as YAML. */
function agentConfig(backend: object, { updates }: DeploymentSettings): string {
  const settings = Object.entries(backend).map(([name, value]) => `${name}: ${value}`);
  return [`backend: { ${settings.join(', ')} }`, ...(updates ? ['updates: { mode: mirror }'] : [])].join('\n');
}

/** A whole account leaves it to its own policies which of its roles may. */
function principalOf(arn: string): IPrincipal {
  const [, account] = /:(\d{12}):root$/.exec(arn) ?? [];
  return account === undefined ? new ArnPrincipal(arn) : new AccountPrincipal(account);
}
