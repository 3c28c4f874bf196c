import type { EnvironmentPool } from './environment-pool.ts';
import { EventSource } from './event-source.ts';
import type { Iam } from './iam.ts';
import type { NamedResource, NamedResources } from './named-resources.ts';
import { type Schedule, startSchedule } from './schedule.ts';
import type { Written } from './write-tap.ts';

export interface LocalEventsDeps {
  readonly resources: NamedResources;
  readonly iam: Iam;
  readonly pools: ReadonlyMap<string, EnvironmentPool>;
}

/** What calls functions beside their URLs: event source mappings and rules. */
export interface LocalEvents {
  /** By the logical id of the mapping. */
  readonly sources: ReadonlyMap<string, EventSource>;
  /** By the logical id of the rule. */
  readonly schedules: ReadonlyMap<string, Schedule>;
  written(change: Written): void;
  close(): Promise<void>;
}

/** Starts every mapping and rule of the template; throws where AWS would refuse to create one. */
export function startEvents(tables: readonly NamedResource[], deps: LocalEventsDeps): LocalEvents {
  const { resources } = deps;
  const mapped = resources
    .ofType('AWS::Lambda::EventSourceMapping')
    .map((mapping) => startSource(mapping, tables, deps));
  const schedules = new Map(resources.ofType('AWS::Events::Rule').map((rule) => [rule.id, startRule(rule, deps)]));
  return {
    sources: new Map(mapped.map(({ id, source }) => [id, source])),
    schedules,
    written(change) {
      for (const { table, source } of mapped) if (table.ref === change.table) source.add(change);
    },
    async close() {
      for (const schedule of schedules.values()) schedule.close();
      await Promise.all(mapped.map(({ source }) => source.close()));
    },
  };
}

interface MappingProperties {
  readonly EventSourceArn: string;
  readonly FunctionName: string;
  readonly BatchSize?: number;
  readonly StartingPosition?: string;
  readonly ParallelizationFactor?: number;
}

const MAPPED = ['EventSourceArn', 'FunctionName', 'BatchSize', 'StartingPosition', 'ParallelizationFactor', 'Tags'];
/** What Lambda needs of the role of the function. */
const STREAM_RIGHTS = ['DescribeStream', 'GetRecords', 'GetShardIterator', 'ListStreams'];
const DEFAULT_BATCH = 100;

function startSource({ id, properties }: NamedResource, tables: readonly NamedResource[], deps: LocalEventsDeps) {
  const unknown = Object.keys(properties).find((name) => !MAPPED.includes(name));
  if (unknown !== undefined) throw new Error(`${unknown} of event source mapping ${id} is not imitated`);
  const mapping = properties as unknown as MappingProperties; // CDK has validated it against CloudFormation's schema
  const { EventSourceArn: streamArn, BatchSize = DEFAULT_BATCH } = mapping;
  const table = tables.find(({ attributes }) => attributes.StreamArn === streamArn);
  if (table === undefined) throw new Error(`event source ${streamArn} of ${id} is no stream of the template`);
  if (mapping.StartingPosition !== 'TRIM_HORIZON' || (mapping.ParallelizationFactor ?? 1) !== 1)
    throw new Error(`event source mapping ${id} is imitated from TRIM_HORIZON and with ParallelizationFactor 1 only`);
  const { pool, role } = functionOf(mapping.FunctionName, deps);
  const principal = deps.iam.principals.find(role);
  const accesses = STREAM_RIGHTS.map((right) => ({ action: `dynamodb:${right}`, resource: streamArn, context: {} }));
  deps.iam.authorize(principal, accesses);
  const source = new EventSource({
    streamArn,
    region: deps.resources.region,
    viewType: viewTypeOf(table),
    batchSize: BatchSize,
    partitionKey: keysOf(table)[0] ?? '',
    invoke: (event) => pool.invoke(event),
  });
  return { id, table, source };
}

interface RuleProperties {
  readonly ScheduleExpression?: string;
  readonly State?: string;
  readonly Tags?: object;
  readonly Targets?: readonly { readonly Arn: string; readonly Id: string; readonly RetryPolicy?: object }[];
}

function startRule({ id, attributes, properties }: NamedResource, deps: LocalEventsDeps): Schedule {
  const { ScheduleExpression, State: _enabled, Tags: _tags, Targets = [], ...others } = properties as RuleProperties;
  const [unknown] = [
    ...Object.keys(others),
    ...Targets.flatMap(({ Arn: _a, Id: _i, RetryPolicy: _r, ...more }) => Object.keys(more)),
  ];
  if (unknown !== undefined) throw new Error(`${unknown} of rule ${id} is not imitated`);
  for (const { Arn } of Targets) refuseRetries(Arn, deps.resources);
  const ruleArn = attributes.Arn ?? '';
  return startSchedule(ScheduleExpression ?? '', async () => {
    for (const { Arn } of Targets) {
      deps.iam.authorizeService('events.amazonaws.com', {
        action: 'lambda:InvokeFunction',
        resource: Arn,
        context: { 'aws:SourceArn': ruleArn },
      });
      await functionOf(Arn, deps).pool.invoke({ 'detail-type': 'Scheduled Event', resources: [ruleArn], detail: {} });
    }
  });
}

/** A rule calls asynchronously: Lambda calls again what failed, unless it is told not to. */
function refuseRetries(functionArn: string, resources: NamedResources): void {
  const called = resources.ofType('AWS::Lambda::Function').find(({ attributes }) => attributes.Arn === functionArn);
  const isTold = resources
    .ofType('AWS::Lambda::EventInvokeConfig')
    .some(({ properties }) => properties.FunctionName === called?.ref && properties.MaximumRetryAttempts === 0);
  if (!isTold) throw new Error(`retries of ${functionArn} are not imitated: set MaximumRetryAttempts 0`);
}

/** A function by name or ARN. */
function functionOf(name: string, { resources, pools }: LocalEventsDeps) {
  const found = resources
    .ofType('AWS::Lambda::Function')
    .find(({ ref, attributes }) => [ref, attributes.Arn].includes(name));
  const pool = pools.get(found?.attributes.Arn ?? '');
  if (found === undefined || pool === undefined) throw new Error(`function ${name} is not in the template`);
  return { pool, role: String(found.properties.Role) };
}

/** The names of the key attributes of a table, the partition key first. */
export function keysOf({ properties }: NamedResource): string[] {
  const { KeySchema } = properties as { KeySchema: { AttributeName: string; KeyType: string }[] }; // as CloudFormation has it
  return KeySchema.toSorted(({ KeyType }) => (KeyType === 'HASH' ? -1 : 1)).map(({ AttributeName }) => AttributeName);
}

function viewTypeOf({ properties }: NamedResource): string {
  const { StreamSpecification } = properties as { StreamSpecification?: { StreamViewType?: string } };
  return StreamSpecification?.StreamViewType ?? '';
}
