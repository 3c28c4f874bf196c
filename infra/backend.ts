import type { IAlarm } from 'aws-cdk-lib/aws-cloudwatch';
import type { ITable } from 'aws-cdk-lib/aws-dynamodb';
import type { Grant, IGrantable, ManagedPolicy, Role } from 'aws-cdk-lib/aws-iam';
import type { Alias, FunctionUrl, Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import type { Construct } from 'constructs';
import type { HaverdictBackendProps } from './backend-props.ts';
import { type BackendSettings, checkedProps } from './checked-props.ts';
import { Access, grantInvoke, grantLookup, grantOperate, grantRead } from './constructs/access.ts';
import { Alarms } from './constructs/alarms.ts';
import { Budget } from './constructs/budget.ts';
import { BackendDashboard } from './constructs/dashboard.ts';
import { CheckFunction } from './constructs/function.ts';
import { Metered } from './constructs/metrics.ts';
import { BlocklistTable } from './constructs/table.ts';
import { Updates } from './constructs/updates.ts';
import { type AgentLimits, agentLimits } from './limits.ts';

export type { BudgetProps, HaverdictBackendProps } from './backend-props.ts';
export type { AgentLimits } from './limits.ts';
export { SettingsError } from './settings-error.ts';

/**
 * The blocklist and the function that reads it, as a construct for your own app.
 *
 * @example
 * ```ts
 * import { App, CfnOutput, Stack } from 'aws-cdk-lib';
 * import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
 * import { HaverdictBackend } from 'haverdict/infra';
 *
 * const stack = new Stack(new App(), 'Edge');
 * const backend = new HaverdictBackend(stack, 'Haverdict', { alarms: false });
 * const agent = new Role(stack, 'Agent', { assumedBy: new ServicePrincipal('ec2.amazonaws.com') });
 * backend.grantInvoke(agent);
 * new CfnOutput(stack, 'Url', { value: backend.url.url });
 * ```
 */
export class HaverdictBackend extends Metered {
  /** The blocklist: a new one, or that of `props.table`. */
  readonly table: ITable;
  /** The function that agents call. */
  readonly handler: LambdaFunction;
  /** The alias `live` of the function, to which `url` belongs: for canary deployments and scaling. */
  readonly alias: Alias;
  /** The URL for agents. It stays the same whatever version the alias has. */
  readonly url: FunctionUrl;
  /** The URL of version 0.1, unless `props.unqualifiedUrl` is false. */
  readonly unqualifiedUrl: FunctionUrl | undefined;
  /** Allows what `grantInvoke` does, for roles outside of the app. */
  readonly agentPolicy: ManagedPolicy;
  /** Allows what `grantOperate` does, for roles outside of the app. */
  readonly operatorPolicy: ManagedPolicy;
  /** Allows what `grantRead` does, for roles outside of the app. */
  readonly readerPolicy: ManagedPolicy;
  /** The role that `props.principals` may assume, with `agentPolicy`. */
  readonly agentRole: Role | undefined;
  /** None if `props.alarms` is false. */
  readonly alarms: readonly IAlarm[];
  /** The limits for each agent; undefined without reserved concurrency, and where only CloudFormation knows it. */
  readonly agentLimits: AgentLimits | undefined;
  readonly #urls: readonly FunctionUrl[];
  readonly #log: ITable | undefined;

  constructor(scope: Construct, id: string, props: HaverdictBackendProps = {}) {
    super(scope, id);
    const settings = checkedProps(props, this);
    const { principals = [], alarms = true, dashboard = true, budget } = settings;
    this.table = settings.table ?? (new BlocklistTable(this, 'Table', settings) as ITable); // as the CDK compiles it
    const { handler, alias, url, unqualifiedUrl } = new CheckFunction(this, 'Check', settings, this.table);
    this.handler = handler;
    this.alias = alias;
    this.url = url;
    this.unqualifiedUrl = unqualifiedUrl;
    this.#urls = [url, unqualifiedUrl].filter((url) => url !== undefined);
    this.agentLimits = agentLimits(settings.reservedConcurrency, settings.agents);
    grantLookup(this.table, handler);
    const updates = updatesOf(this, settings, this.table);
    updates?.answeredBy(handler, settings.updatePoll);
    this.#log = updates?.log;
    const access = new Access(this, 'Access', { table: this.table, log: this.#log, urls: this.#urls, principals });
    this.agentPolicy = access.agentPolicy;
    this.operatorPolicy = access.operatorPolicy;
    this.readerPolicy = access.readerPolicy;
    this.agentRole = access.agentRole;
    this.alarms = alarms ? new Alarms(this, 'Alarms', this, updates, settings.alarmTopic).all : [];
    if (dashboard) new BackendDashboard(this, 'Dashboard', { backend: this, updates, alarms: this.alarms }, settings);
    if (budget !== undefined) new Budget(this, 'Budget', budget);
  }

  /** Lets a principal call the function through its URL, as an agent does. */
  grantInvoke(grantee: IGrantable): Grant {
    return grantInvoke(this.#urls, grantee);
  }

  /** Lets a principal read the blocklist, as `haverdict list`, `show` and `lint` do. */
  grantRead(grantee: IGrantable): Grant {
    return grantRead(this.table, grantee);
  }

  /** Lets a principal read and edit the blocklist, as the command line does. */
  grantOperate(grantee: IGrantable): Grant {
    return grantOperate(this.table, this.#log, grantee);
  }
}

/** The type says that every table may lack a stream. */
function updatesOf(scope: Construct, settings: BackendSettings, table: ITable): Updates | undefined {
  const { tableStreamArn } = table;
  return settings.updates && tableStreamArn !== undefined
    ? new Updates(scope, 'Updates', settings, table, tableStreamArn)
    : undefined;
}
