import type { IAlarm } from 'aws-cdk-lib/aws-cloudwatch';
import type { TableV2 } from 'aws-cdk-lib/aws-dynamodb';
import type { Grant, IGrantable, ManagedPolicy, Role } from 'aws-cdk-lib/aws-iam';
import type { FunctionUrl, IFunction } from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import { Access, grantLookup, grantManage } from './constructs/access.ts';
import { Alarms } from './constructs/alarms.ts';
import { Budget } from './constructs/budget.ts';
import { BackendDashboard } from './constructs/dashboard.ts';
import { CheckFunction } from './constructs/function.ts';
import { metricsOf } from './constructs/metrics.ts';
import { BlocklistTable } from './constructs/table.ts';
import { type AgentLimits, agentLimits } from './limits.ts';
import { type BackendSettings, readBackendSettings } from './settings.ts';

export type HaverdictBackendProps = Partial<BackendSettings>;

/** The blocklist and the function that reads it, as a construct for your own app. */
export class HaverdictBackend extends Construct {
  readonly table: TableV2;
  readonly handler: IFunction;
  readonly url: FunctionUrl;
  readonly agentPolicy: ManagedPolicy;
  readonly operatorPolicy: ManagedPolicy;
  readonly agentRole: Role | undefined;
  readonly alarms: readonly IAlarm[];
  /** The limits for each agent; undefined without reserved concurrency. */
  readonly agentLimits: AgentLimits | undefined;

  constructor(scope: Construct, id: string, props: HaverdictBackendProps = {}) {
    super(scope, id);
    const settings = readBackendSettings(props, this.node.path);
    this.table = new BlocklistTable(this, 'Table', settings);
    const { handler, url } = new CheckFunction(this, 'Check', settings, this.table.tableName);
    this.handler = handler;
    this.url = url;
    this.agentLimits = agentLimits(settings.reservedConcurrency, settings.agents);
    grantLookup(this.table, handler);
    const access = new Access(this, 'Access', { table: this.table, url, agentPrincipal: settings.agentPrincipal });
    this.agentPolicy = access.agentPolicy;
    this.operatorPolicy = access.operatorPolicy;
    this.agentRole = access.agentRole;
    const metrics = metricsOf(handler, this.table);
    this.alarms = new Alarms(this, 'Alarms', metrics, settings.alarmTopicArn).all;
    new BackendDashboard(this, 'Dashboard', metrics, this.alarms, settings);
    if (settings.budgetUsd !== undefined && settings.budgetEmail !== undefined)
      new Budget(this, 'Budget', settings.budgetUsd, settings.budgetEmail);
  }

  /** Lets a principal call the function, as an agent does. */
  grantInvoke(grantee: IGrantable): Grant {
    return this.url.grantInvokeUrl(grantee);
  }

  /** Lets a principal edit the blocklist, as the command line does. */
  grantManage(grantee: IGrantable): Grant {
    return grantManage(this.table, grantee);
  }
}
