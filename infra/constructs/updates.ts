import { Duration, RemovalPolicy, Token, Tokenization } from 'aws-cdk-lib';
import { type IMetric, MathExpression, type Metric, type MetricOptions, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import { Billing, type ITable, TableEncryptionV2, TableV2 } from 'aws-cdk-lib/aws-dynamodb';
import { type IRuleTarget, Rule, Schedule } from 'aws-cdk-lib/aws-events';
import { ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { EventSourceMapping, type Function as LambdaFunction, StartingPosition } from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import { SHARDS } from '../../blocklist/table.ts';
import { UPDATES_TABLE } from '../../updates/table.ts';
import type { BackendSettings } from '../checked-props.ts';
import { grantCanaries, grantLog, grantLookup, grantScan, grantStream } from './access.ts';
import { BackendFunction } from './function.ts';
import { customMetric } from './metrics.ts';
import { text } from './table.ts';

/** The share of the table's reads that is left to the writers, and to a scan, so that an import takes none from lookups. */
const SHARE = 4;
/** A batch of 500 in half of the writer's time. */
const LEAST_READS_PER_SECOND = 20;
/** In MiB: three million entries twice, as scanned and as in the log. */
const BUILDER_MEMORY = 2048;

/** The log of changes: its table, the writer behind the stream of the blocklist, and the builder of the mirror. */
export class Updates extends Construct {
  readonly #blocklist: ITable;
  readonly log: ITable;
  readonly #writer: LambdaFunction;
  readonly #builder: LambdaFunction;

  constructor(scope: Construct, id: string, settings: BackendSettings, blocklist: ITable, streamArn: string) {
    super(scope, id);
    const { encryptionKey } = settings;
    this.#blocklist = blocklist;
    this.log = new TableV2(this, 'Table', {
      partitionKey: text(UPDATES_TABLE.partitionKey),
      sortKey: text(UPDATES_TABLE.sortKey),
      timeToLiveAttribute: UPDATES_TABLE.ttlAttribute,
      billing: Billing.onDemand(),
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true }, // of a few megabytes: cents
      removalPolicy: RemovalPolicy.DESTROY, // agents begin again with another one
      ...(encryptionKey !== undefined && { encryption: TableEncryptionV2.customerManagedKey(encryptionKey) }),
    }) as ITable; // as the CDK compiles it
    this.#writer = this.#writerOf(settings, streamArn);
    this.#builder = this.#builderOf(settings);
  }

  /** Has the function answer requests for updates. */
  answeredBy(handler: LambdaFunction, poll: Duration): void {
    handler.addEnvironment('HAVERDICT_UPDATES_TABLE', this.log.tableName);
    handler.addEnvironment('HAVERDICT_UPDATE_POLL_MS', Tokenization.stringifyNumber(poll.toMilliseconds()));
    grantLog(this.log, handler, 'GetItem', 'Query');
    grantCanaries(this.#blocklist, handler);
  }

  /** How old the newest event was that the writer got, at most. */
  metricAge(options?: MetricOptions): Metric {
    return this.#writer.metric('IteratorAge', { statistic: Stats.MAXIMUM, label: 'age of changes', ...options });
  }

  /** Calls of the writer. */
  metricCalls(options?: MetricOptions): Metric {
    return this.#writer.metricInvocations({ label: 'calls', ...options });
  }

  /** Calls of the writer and of the builder that failed. */
  metricErrors({
    period = Duration.minutes(5),
    label = 'failed',
  }: Pick<MetricOptions, 'period' | 'label'> = {}): IMetric {
    return new MathExpression({
      expression: 'FILL(writer, 0) + FILL(builder, 0)',
      usingMetrics: { writer: this.#writer.metricErrors({ period }), builder: this.#builder.metricErrors({ period }) },
      ...{ period, label },
    });
  }

  /** How old the mirror is that agents load. */
  metricMirrorAge(options?: MetricOptions): Metric {
    return customMetric(this.#builder, 'MirrorAge', {
      statistic: Stats.MAXIMUM,
      label: 'age of the mirror',
      ...options,
    });
  }

  /** Keys that the log was wrong about, found and repaired. */
  metricRepairs(options?: MetricOptions): Metric {
    return customMetric(this.#builder, 'Repairs', { label: 'repairs', ...options });
  }

  /** Items that were written, and are no entry or should be written otherwise. */
  metricBadEntries(options?: MetricOptions): Metric {
    return customMetric(this.#writer, 'BadEntries', { label: 'bad entries', ...options });
  }

  #writerOf(settings: BackendSettings, streamArn: string): LambdaFunction {
    const { handler } = new BackendFunction(this, 'Writer', settings, {
      name: 'update-writer',
      description: 'appends to the log of changes',
      timeout: Duration.seconds(60),
      environment: { ...this.#tables(), ...readsPerSecond(settings.maxReadUnits) },
    });
    grantLookup(this.#blocklist, handler);
    grantLog(this.log, handler, 'PutItem', 'Query');
    const right = grantStream(this.#blocklist, streamArn, handler);
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

  #builderOf(settings: BackendSettings): LambdaFunction {
    const { handler } = new BackendFunction(this, 'Builder', settings, {
      name: 'mirror-builder',
      description: 'makes the mirror of the table, and checkpoints in the log of changes',
      timeout: Duration.minutes(15),
      memorySize: BUILDER_MEMORY,
      environment: { ...this.#tables(), ...readUnitsPerSecond(settings.maxReadUnits) },
    });
    grantScan(this.#blocklist, handler);
    grantLog(this.log, handler, 'GetItem', 'PutItem', 'Query');
    grantCanaries(this.#blocklist, handler);
    const retryPolicy = { maximumRetryAttempts: 0, maximumEventAgeInSeconds: 60 }; // the next minute is soon
    // That of the CDK would name the permission after the stack.
    const target: IRuleTarget = { bind: () => ({ arn: handler.functionArn, retryPolicy }) };
    const rule = new Rule(this, 'Minute', { schedule: Schedule.rate(Duration.minutes(1)), targets: [target] });
    handler.addPermission('Minute', {
      principal: new ServicePrincipal('events.amazonaws.com'),
      sourceArn: rule.ruleArn,
    });
    // What EventBridge has begun is not begun again, whatever fails.
    handler.configureAsyncInvoke({ retryAttempts: 0, maxEventAge: Duration.seconds(60) });
    return handler;
  }

  #tables(): Record<string, string> {
    return { HAVERDICT_TABLE: this.#blocklist.tableName, HAVERDICT_UPDATES_TABLE: this.log.tableName };
  }
}

/** Where only CloudFormation knows the limit, the writer has a default. */
function readsPerSecond(maxReadUnits: number): Record<string, string> {
  if (Token.isUnresolved(maxReadUnits)) return {};
  const share = Math.floor(maxReadUnits / SHARE / SHARDS);
  return { HAVERDICT_READS_PER_SECOND: String(Math.max(LEAST_READS_PER_SECOND, share)) };
}

/** The builder scans no faster than the writers of all shards read together. */
function readUnitsPerSecond(maxReadUnits: number): Record<string, string> {
  if (Token.isUnresolved(maxReadUnits)) return {};
  return {
    HAVERDICT_READ_UNITS_PER_SECOND: String(Math.max(LEAST_READS_PER_SECOND, Math.floor(maxReadUnits / SHARE))),
  };
}
