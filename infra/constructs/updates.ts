import { Duration, RemovalPolicy, Token } from 'aws-cdk-lib';
import { MathExpression, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import { Billing, type ITable, TableEncryptionV2, TableV2 } from 'aws-cdk-lib/aws-dynamodb';
import { type IRuleTarget, Rule, Schedule } from 'aws-cdk-lib/aws-events';
import { ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { EventSourceMapping, type Function as LambdaFunction, StartingPosition } from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import { UPDATES_TABLE } from '../../updates/table.ts';
import type { BackendSettings } from '../checked-props.ts';
import { grantCanaries, grantLog, grantLookup, grantStream } from './access.ts';
import { BackendFunction } from './function.ts';
import { text } from './table.ts';

const PERIOD = Duration.minutes(5);
/** A table that is paid by request begins with this many partitions; each has a shard, and each shard one writer at a time. */
const SHARDS = 4;
/** The share of the table's reads that is left to the writers, so that an import takes none from lookups. */
const SHARE = 4;
/** A batch of 500 in half of the writer's time. */
const LEAST_READS_PER_SECOND = 20;

/** The log of changes: its table, the writer behind the stream of the blocklist, and the trial of its canaries. */
export class Updates extends Construct {
  readonly table: ITable;
  readonly #writer: LambdaFunction;
  readonly #trial: LambdaFunction;

  constructor(scope: Construct, id: string, settings: BackendSettings, blocklist: ITable, streamArn: string) {
    super(scope, id);
    const { encryptionKey } = settings;
    this.table = new TableV2(this, 'Table', {
      partitionKey: text(UPDATES_TABLE.partitionKey),
      sortKey: text(UPDATES_TABLE.sortKey),
      timeToLiveAttribute: UPDATES_TABLE.ttlAttribute,
      billing: Billing.onDemand(),
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true }, // of a few megabytes: cents
      removalPolicy: RemovalPolicy.DESTROY, // agents begin again with another one
      ...(encryptionKey !== undefined && { encryption: TableEncryptionV2.customerManagedKey(encryptionKey) }),
    }) as ITable; // as the CDK compiles it
    this.#writer = this.#writerOf(settings, blocklist, streamArn);
    this.#trial = this.#trialOf(settings, blocklist);
  }

  /** Lets the function answer requests for updates. */
  grantAnswer(handler: LambdaFunction, blocklist: ITable): void {
    grantLog(this.table, handler, { appends: false });
    grantCanaries(blocklist, handler);
  }

  /** How old the oldest event was that the writer got, at most. */
  metricAge() {
    return this.#writer.metric('IteratorAge', { statistic: Stats.MAXIMUM, label: 'age of changes', period: PERIOD });
  }

  /** Failed calls of the writer and of the trial. */
  metricErrors() {
    const [writer, trial] = [this.#writer, this.#trial].map((handler) => handler.metricErrors({ period: PERIOD }));
    const usingMetrics = { ...(writer && { writer }), ...(trial && { trial }) };
    return new MathExpression({ expression: 'writer + trial', label: 'failed', usingMetrics, period: PERIOD });
  }

  #writerOf(settings: BackendSettings, blocklist: ITable, streamArn: string): LambdaFunction {
    const { handler } = new BackendFunction(this, 'Writer', settings, {
      name: 'update-writer',
      description: 'appends to the log of changes',
      timeout: Duration.seconds(60),
      environment: { ...this.#tables(blocklist), ...readsPerSecond(settings.maxReadUnits) },
    });
    grantLookup(blocklist, handler);
    grantLog(this.table, handler, { appends: true });
    const right = grantStream(blocklist, streamArn, handler);
    // Everything of a shard in its order, one batch at a time, from the beginning, until it succeeds: the proof needs that.
    const source = new EventSourceMapping(this, 'Source', {
      target: handler,
      eventSourceArn: streamArn,
      startingPosition: StartingPosition.TRIM_HORIZON,
      batchSize: 500,
      parallelizationFactor: 1,
    });
    right.applyBefore(source);
    return handler;
  }

  #trialOf(settings: BackendSettings, blocklist: ITable): LambdaFunction {
    const { handler } = new BackendFunction(this, 'Trial', settings, {
      name: 'canary-trial',
      description: 'finds out which canaries stand for the shards of the stream',
      timeout: Duration.seconds(60),
      environment: this.#tables(blocklist),
    });
    grantLog(this.table, handler, { appends: true });
    grantCanaries(blocklist, handler);
    const retryPolicy = { maximumRetryAttempts: 0, maximumEventAgeInSeconds: 60 }; // the next minute is soon
    // That of the CDK would name the permission after the stack.
    const target: IRuleTarget = { bind: () => ({ arn: handler.functionArn, retryPolicy }) };
    const rule = new Rule(this, 'Minute', { schedule: Schedule.rate(Duration.minutes(1)), targets: [target] });
    handler.addPermission('Minute', {
      principal: new ServicePrincipal('events.amazonaws.com'),
      sourceArn: rule.ruleArn,
    });
    return handler;
  }

  #tables(blocklist: ITable): Record<string, string> {
    return { HAVERDICT_TABLE: blocklist.tableName, HAVERDICT_UPDATES_TABLE: this.table.tableName };
  }
}

/** Where only CloudFormation knows the limit, the writer has a default. */
function readsPerSecond(maxReadUnits: number): Record<string, string> {
  if (Token.isUnresolved(maxReadUnits)) return {};
  const share = Math.floor(maxReadUnits / SHARE / SHARDS);
  return { HAVERDICT_READS_PER_SECOND: String(Math.max(LEAST_READS_PER_SECOND, share)) };
}
