import type { Assembly } from './assembly.ts';
import { startCredentialServer } from './credential-server.ts';
import type { Credentials } from './credentials.ts';
import { startDynamoProxy } from './dynamodb-proxy.ts';
import type { EnvironmentPool } from './environment-pool.ts';
import { FunctionUrl } from './function-url.ts';
import { Gate } from './gate.ts';
import { startFunction } from './local-function.ts';
import { tableDefinition } from './local-table.ts';
import { authorizerOf } from './local-url.ts';
import { type NamedResources, nameResources } from './names.ts';
import { Principals } from './principals.ts';
import { RecentLines } from './recent-lines.ts';
import { startDatabase } from './table-server.ts';

export interface DeployOptions {
  readonly functionPort?: number;
  readonly tablePort?: number;
  /** Where the items are kept; without it they are gone when the cloud closes. */
  readonly folder?: string;
  /** How long the credentials of a profile hold. */
  readonly credentialSeconds?: number;
}

/** The profiles of a running cloud, and the stack outputs that name their rights. */
const PROFILES = { agent: 'AgentPolicyArn', operator: 'OperatorPolicyArn' } as const;
export type Profile = keyof typeof PROFILES;

/** A stack as it runs on this machine. */
export interface LocalCloud {
  readonly region: string;
  /** What `cdk deploy` would print. */
  readonly outputs: Readonly<Record<string, string>>;
  readonly functionUrl: FunctionUrl;
  readonly pool: EnvironmentPool;
  /** Where DynamoDB asks for a signature and for rights. */
  readonly dynamodbEndpoint: string;
  /** Where the database behind it lets everybody in. */
  readonly backDoorEndpoint: string;
  /** The last lines of the function that its role may log. */
  readonly logs: readonly string[];
  /** The last refusals for want of a right. */
  readonly denials: readonly string[];
  /** The access keys with which the function was called. */
  readonly callers: ReadonlySet<string>;
  /** Types in the template of which nothing runs here. */
  readonly skipped: readonly string[];
  /** Temporary credentials with the rights of a role or managed policy, by its ARN. */
  issue(arn: string, lifetimeSeconds?: number): Credentials;
  /** The environment in which the AWS SDK acts as this profile, with credentials that renew. */
  environmentOf(profile: Profile): Record<string, string>;
  close(): Promise<void>;
}

type Closing = (() => Promise<void>)[];

/** Runs what the assembly declares on this machine; whatever it does not know stops it with an error. */
export async function deploy(assembly: Assembly, options: DeployOptions = {}): Promise<LocalCloud> {
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

async function start(assembly: Assembly, options: DeployOptions, closing: Closing): Promise<Omit<LocalCloud, 'close'>> {
  const urls = new Map<string, string>();
  const resources = nameResources(assembly, (id) => urls.get(id) ?? `https://${id}.invalid/`);
  const { region } = resources;
  const gate = new Gate(new Principals(resources), region);
  const logs = new RecentLines();
  const callers = new Set<string>();

  const { backDoorEndpoint, dynamodbEndpoint } = await startTables(resources, gate, options, closing);
  const functions = new Map(
    resources.ofType('AWS::Lambda::Function').map((resource) => {
      const pool = startFunction(resource, { assembly, resources, gate, dynamodbEndpoint, logs });
      closing.push(() => pool.close());
      return [resource.attributes.Arn, pool] as const;
    }),
  );
  const url = onlyUrl(resources);
  const pool = functions.get(url.ref);
  if (pool === undefined) throw new Error(`function URL ${url.id} is for ${url.ref}, which is not in the template`);
  const functionUrl = await FunctionUrl.start({
    invoke: (event) => pool.invoke(event),
    authorize: authorizerOf(url, gate, callers),
    ...(options.functionPort !== undefined && { port: options.functionPort }),
  });
  closing.push(() => functionUrl.close());
  urls.set(url.id, functionUrl.url);

  const outputs = outputsOf(assembly, resources);
  const profiles = await startCredentialServer({
    region,
    profiles: Object.keys(PROFILES),
    issue: (profile) => gate.issue(outputs[PROFILES[profile as Profile]] ?? '', options.credentialSeconds), // one of the above
  });
  closing.push(() => profiles.close());
  return {
    ...{ region, outputs, functionUrl, pool, callers, dynamodbEndpoint, backDoorEndpoint },
    ...{ logs: logs.lines, denials: gate.denials.lines, skipped: resources.skipped },
    issue: (arn, lifetimeSeconds) => gate.issue(arn, lifetimeSeconds),
    environmentOf: (profile) => ({
      ...profiles.environmentOf(profile),
      HAVERDICT_TABLE: outputs.TableName ?? '',
      AWS_ENDPOINT_URL_DYNAMODB: dynamodbEndpoint,
    }),
  };
}

async function startTables(resources: NamedResources, gate: Gate, options: DeployOptions, closing: Closing) {
  const { folder, tablePort } = options;
  const database = await startDatabase(folder === undefined ? {} : { folder });
  closing.push(() => database.close());
  for (const type of ['AWS::DynamoDB::GlobalTable', 'AWS::DynamoDB::Table'])
    for (const table of resources.ofType(type)) await database.createTable(tableDefinition(table));
  const proxy = await startDynamoProxy({
    endpoint: database.endpoint,
    tableArn: (name) => `arn:aws:dynamodb:${resources.region}:${resources.account}:table/${name}`,
    authorize: (request, accesses) => gate.check(gate.identify(request, 'dynamodb').principal, accesses),
    ...(tablePort !== undefined && { port: tablePort }),
  });
  closing.push(() => proxy.close());
  return { backDoorEndpoint: database.endpoint, dynamodbEndpoint: proxy.endpoint };
}

function onlyUrl(resources: NamedResources) {
  const [url, ...others] = resources.ofType('AWS::Lambda::Url');
  if (url === undefined || others.length > 0) throw new Error(`the template must have one function URL`);
  return url;
}

function outputsOf({ template }: Assembly, { intrinsics }: NamedResources): Record<string, string> {
  const there = Object.entries(template.Outputs ?? {}).filter(([, { Condition }]) => intrinsics.holds(Condition));
  return Object.fromEntries(there.map(([name, { Value }]) => [name, intrinsics.text(Value)]));
}
