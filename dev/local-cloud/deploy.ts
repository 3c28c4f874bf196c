import type { Assembly } from './assembly.ts';
import { startCredentialServer } from './credential-server.ts';
import type { Credentials } from './credentials.ts';
import { startDatabase } from './database.ts';
import { startDynamoProxy } from './dynamodb-proxy.ts';
import type { EnvironmentPool } from './environment-pool.ts';
import { deleteExpired } from './expiry.ts';
import { FunctionUrl } from './function-url.ts';
import { authorizerOf } from './function-url-authorizer.ts';
import { Iam } from './iam.ts';
import { startFunction } from './lambda-function.ts';
import { keysOf, type LocalEvents, startEvents } from './local-events.ts';
import { type NamedResource, type NamedResources, nameResources } from './named-resources.ts';
import { type ForeignRoles, Principals } from './principals.ts';
import { RecentLines } from './recent-lines.ts';
import { tableDefinition } from './table-definition.ts';
import { startWriteTap, type Written } from './write-tap.ts';

export interface DeployOptions<Profile extends string = string> {
  /** The AWS profiles: by name, the ARN of their role or policy, or the stack output that has it. */
  readonly profiles?: Readonly<Record<Profile, string>>;
  readonly functionPort?: number;
  readonly tablePort?: number;
  /** Where the items are stored; without a folder they are lost on close. */
  readonly folder?: string;
  /** Roles of other accounts, by their ARN, with the policy that they have there: see `issue`. */
  readonly foreignRoles?: ForeignRoles;
  /** How long the credentials of a profile are valid. */
  readonly credentialSeconds?: number;
  /** Called with each line that a function logs. */
  readonly logged?: (line: string) => void;
}

/** A stack that runs on this machine. */
export interface LocalCloud<Profile extends string = string> {
  readonly region: string;
  /** What `cdk deploy` would print. */
  readonly outputs: Readonly<Record<string, string>>;
  /** The URL of an alias, or else of the function; a second one is only in the outputs. */
  readonly functionUrl: FunctionUrl;
  /** What runs behind it. */
  readonly pool: EnvironmentPool;
  /** DynamoDB with signatures and permissions checked. */
  readonly dynamodbEndpoint: string;
  /** The same without either. */
  readonly backDoorEndpoint: string;
  /** The event source mappings, by their logical id. */
  readonly sources: LocalEvents['sources'];
  /** The rules, by their logical id. */
  readonly schedules: LocalEvents['schedules'];
  /** The last lines that the function logged, if its role may log. */
  readonly logs: readonly string[];
  /** The last calls that were denied. */
  readonly denials: readonly string[];
  /** The access keys that called the function. */
  readonly callers: ReadonlySet<string>;
  /** Resource types in the template that are named but not run here. */
  readonly skipped: readonly string[];
  /** Deletes expired items, as DynamoDB does within days; returns how many. */
  deleteExpired(): Promise<number>;
  /** Temporary credentials with the rights of a role or managed policy, by its ARN. */
  issue(arn: string, lifetimeSeconds?: number): Credentials;
  /** Environment variables with which an AWS SDK acts as this profile on this cloud; its credentials renew. */
  environmentOf(profile: Profile): Record<string, string>;
  close(): Promise<void>;
}

type Closing = (() => Promise<void>)[];

/** Runs the resources of the assembly on this machine; throws for anything that it does not support. */
export async function deploy<Profile extends string>(
  assembly: Assembly,
  options: DeployOptions<Profile> = {},
): Promise<LocalCloud<Profile>> {
  const closing: Closing = [];
  const close = async () => {
    for (const part of closing.splice(0).reverse()) await part();
  };
  try {
    return { ...(await start(assembly, options, closing)), close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function start<Profile extends string>(
  assembly: Assembly,
  options: DeployOptions<Profile>,
  closing: Closing,
): Promise<Omit<LocalCloud<Profile>, 'close'>> {
  const urls = new Map<string, string>();
  const resources = nameResources(assembly, (id) => urls.get(id) ?? `https://${id}.invalid/`);
  const { region } = resources;
  const iam = new Iam(new Principals(resources, options.foreignRoles), region);
  const logs = new RecentLines(options.logged);
  const callers = new Set<string>();

  const events: { written?: LocalEvents['written'] } = {};
  const written = (change: Written) => events.written?.(change);
  const { backDoorEndpoint, dynamodbEndpoint, tables } = await startTables(resources, iam, options, closing, written);
  const pools = new Map<string, EnvironmentPool>();
  for (const resource of resources.ofType('AWS::Lambda::Function'))
    for (const pool of startFunction(resource, { assembly, resources, iam, dynamodbEndpoint, logs })) {
      closing.push(() => pool.close());
      pools.set(pool.functionArn, pool);
      await pool.prepare();
    }
  const { sources, schedules, ...started } = startEvents(tables, { resources, iam, pools });
  closing.push(() => started.close());
  events.written = started.written;
  const [main, ...others] = urlsOf(resources);
  const open = async (url: NamedResource, port = 0) => {
    const pool = pools.get(url.ref);
    if (pool === undefined) throw new Error(`function URL ${url.id} is for ${url.ref}, which is not in the template`);
    const invoke = (event: object) => pool.invoke(event);
    const functionUrl = await FunctionUrl.start({ invoke, authorize: authorizerOf(url, iam, callers), port });
    closing.push(() => functionUrl.close());
    urls.set(url.id, functionUrl.url);
    return { pool, functionUrl };
  };
  const { pool, functionUrl } = await open(main, options.functionPort);
  for (const url of others) await open(url);

  const outputs = outputsOf(assembly, resources);
  const outputOf: Readonly<Record<string, string>> = options.profiles ?? {};
  const arnOf = (profile: string) => outputs[outputOf[profile] ?? ''] ?? outputOf[profile] ?? '';
  const credentials = await startCredentialServer({
    region,
    profiles: Object.keys(outputOf),
    issue: (profile) => iam.issue(arnOf(profile), options.credentialSeconds),
  });
  closing.push(() => credentials.close());
  return {
    ...{ region, outputs, functionUrl, pool, callers, dynamodbEndpoint, backDoorEndpoint, sources, schedules },
    ...{ logs: logs.lines, denials: iam.denials.lines, skipped: resources.skipped },
    deleteExpired: () =>
      deleteExpired(
        backDoorEndpoint,
        tables.map((table) => ({ table, keys: keysOf(table) })),
        Date.now(),
      ),
    issue: (arn, lifetimeSeconds) => iam.issue(arn, lifetimeSeconds),
    environmentOf: (profile) => ({
      ...credentials.environmentOf(profile),
      AWS_ENDPOINT_URL_DYNAMODB: dynamodbEndpoint,
    }),
  };
}

async function startTables(
  resources: NamedResources,
  iam: Iam,
  { folder, tablePort }: DeployOptions,
  closing: Closing,
  written: (change: Written) => void,
) {
  const database = await startDatabase(folder === undefined ? {} : { folder });
  closing.push(() => database.close());
  const tables = ['AWS::DynamoDB::GlobalTable', 'AWS::DynamoDB::Table'].flatMap((type) => resources.ofType(type));
  for (const table of tables) await database.createTable(tableDefinition(table));
  const keysOfTable = new Map(tables.map((table) => [table.ref, keysOf(table)]));
  const withStream = tables.filter(({ attributes }) => attributes.StreamArn !== undefined).map(({ ref }) => ref);
  const tap = await startWriteTap({
    endpoint: database.endpoint,
    keysOf: new Map([...keysOfTable].filter(([name]) => withStream.includes(name))),
    written,
  });
  closing.push(() => tap.close());
  const proxy = await startDynamoProxy({
    endpoint: tap.endpoint,
    tables: {
      arnOf: (name) => `arn:aws:dynamodb:${resources.region}:${resources.account}:table/${name}`,
      partitionKeyOf: (name) => keysOfTable.get(name)?.[0],
    },
    authorize: (request, accesses) => iam.authorize(iam.authenticate(request, 'dynamodb').principal, accesses),
    ...(tablePort !== undefined && { port: tablePort }),
  });
  closing.push(() => proxy.close());
  return { backDoorEndpoint: tap.endpoint, dynamodbEndpoint: proxy.endpoint, tables };
}

/** Those of aliases first. */
function urlsOf(resources: NamedResources): [NamedResource, ...NamedResource[]] {
  const all = resources.ofType('AWS::Lambda::Url');
  const isOfAlias = ({ properties }: NamedResource) => properties.Qualifier !== undefined;
  const [main, ...others] = [...all.filter(isOfAlias), ...all.filter((url) => !isOfAlias(url))];
  if (main === undefined) throw new Error('the template has no function URL');
  return [main, ...others];
}

function outputsOf({ template }: Assembly, { intrinsics }: NamedResources): Record<string, string> {
  const there = Object.entries(template.Outputs ?? {}).filter(([, { Condition }]) => intrinsics.holds(Condition));
  return Object.fromEntries(there.map(([name, { Value }]) => [name, intrinsics.text(Value)]));
}
