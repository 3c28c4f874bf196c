import { CfnOutput, Stack, Tags } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { HaverdictBackend } from './backend.ts';
import type { AppSettings } from './settings.ts';

/** A stack with one backend, with outputs for the agent and the operators. */
export class HaverdictStack extends Stack {
  constructor(scope: Construct, { region, account, stackName, tags, ...settings }: AppSettings) {
    super(scope, stackName, { env: { region, ...(account !== undefined && { account }) } });
    for (const [name, value] of Object.entries(tags)) Tags.of(this).add(name, value);
    const backend = new HaverdictBackend(this, 'Backend', settings);
    const { agentLimits: limits } = backend;
    const agentConfig = { url: JSON.stringify(backend.url.url), auth: 'iam', ...limits };
    this.#print({
      FunctionUrl: backend.url.url,
      TableName: backend.table.tableName,
      TableArn: backend.table.tableArn,
      Region: this.region,
      AgentPolicyArn: backend.agentPolicy.managedPolicyArn,
      AgentRoleArn: backend.agentRole?.roleArn,
      OperatorPolicyArn: backend.operatorPolicy.managedPolicyArn,
      AgentConfig: `backend: { ${Object.entries(agentConfig)
        .map(([name, value]) => `${name}: ${value}`)
        .join(', ')} }`,
      MaxCallsPerSecond: limits && String(limits.maxCallsPerSecond),
    });
  }

  #print(outputs: Readonly<Record<string, string | undefined>>): void {
    for (const [name, value] of Object.entries(outputs)) {
      if (value !== undefined) new CfnOutput(this, name, { value });
    }
  }
}
