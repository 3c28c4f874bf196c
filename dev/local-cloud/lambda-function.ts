import type { Assembly } from './assembly.ts';
import { environmentOf } from './credentials.ts';
import { EnvironmentPool } from './environment-pool.ts';
import type { Iam } from './iam.ts';
import type { NamedResource, NamedResources } from './named-resources.ts';
import { AccessDenied, type Principals } from './principals.ts';
import type { RecentLines } from './recent-lines.ts';

export interface LocalFunctionDeps {
  readonly assembly: Assembly;
  readonly resources: NamedResources;
  readonly iam: Iam;
  readonly dynamodbEndpoint: string;
  /** Receives the log lines of the function, if its role may log. */
  readonly logs: RecentLines;
}

/** The concurrency of an account for functions without a reserved one. */
const ACCOUNT_CONCURRENCY = 1000;
const CREDENTIALS_LIFETIME_SECONDS = 12 * 3600;
/** CloudFormation's defaults. */
const DEFAULTS = { Timeout: 3, MemorySize: 128 } as const;

/**
 * The pools of an `AWS::Lambda::Function`, with its code, variables and limits, and the permissions of its role: one for
 * the function itself, and one for each alias.
 */
export function startFunction(resource: NamedResource, deps: LocalFunctionDeps): EnvironmentPool[] {
  const { Role, Environment, Timeout, MemorySize, Handler, Code, Runtime, ReservedConcurrentExecutions } = {
    ...DEFAULTS,
    ...(resource.properties as unknown as FunctionProperties), // CDK has validated it against CloudFormation's schema
  };
  if (!Runtime?.startsWith('nodejs')) throw new Error(`runtime ${Runtime} of ${resource.id} is not imitated`);
  checkTrust(Role, deps.iam.principals);
  const concurrency = { limit: Number(ReservedConcurrentExecutions ?? ACCOUNT_CONCURRENCY), underWay: 0 };
  const pool = (functionArn: string, version: string, provisioned = 0) =>
    new EnvironmentPool({
      code: { folder: folderOf(Code.S3Key, deps.assembly), handler: Handler },
      functionArn,
      timeoutMs: Number(Timeout) * 1000,
      ...{ concurrency, provisioned },
      variables: () => ({
        ...Environment?.Variables,
        ...environmentOf(deps.iam.issue(Role, CREDENTIALS_LIFETIME_SECONDS)),
        AWS_REGION: deps.resources.region,
        AWS_DEFAULT_REGION: deps.resources.region,
        AWS_EXECUTION_ENV: `AWS_Lambda_${Runtime}`,
        AWS_LAMBDA_FUNCTION_NAME: resource.ref,
        AWS_LAMBDA_FUNCTION_VERSION: version,
        AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(MemorySize),
        AWS_ENDPOINT_URL_DYNAMODB: deps.dynamodbEndpoint,
      }),
      log: logOf(resource, Role, deps),
    });
  const aliases = deps.resources.ofType('AWS::Lambda::Alias').filter((alias) => isOf(alias, resource));
  return [
    pool(resource.attributes.Arn ?? '', '$LATEST'),
    ...aliases.map(({ id, ref, properties }) => {
      const { FunctionVersion, RoutingConfig, ProvisionedConcurrencyConfig } = properties as unknown as AliasProperties; // as above
      if (RoutingConfig !== undefined) throw new Error(`RoutingConfig of alias ${id} is not imitated`);
      return pool(ref, FunctionVersion, ProvisionedConcurrencyConfig?.ProvisionedConcurrentExecutions);
    }),
  ];
}

function isOf({ properties }: NamedResource, { ref, attributes }: NamedResource): boolean {
  return [ref, attributes.Arn].includes(String(properties.FunctionName));
}

interface AliasProperties {
  readonly FunctionVersion: string;
  readonly RoutingConfig?: object;
  readonly ProvisionedConcurrencyConfig?: { readonly ProvisionedConcurrentExecutions: number };
}

interface FunctionProperties {
  readonly Role: string;
  readonly Handler: string;
  readonly Runtime?: string;
  readonly Code: { readonly S3Key?: string };
  readonly Environment?: { readonly Variables?: Readonly<Record<string, string>> };
  readonly Timeout?: number;
  readonly MemorySize?: number;
  readonly ReservedConcurrentExecutions?: number;
  readonly LoggingConfig?: { readonly LogGroup?: string };
}

function folderOf(key: string | undefined, { assets }: Assembly): string {
  const folder = assets.get(key ?? '');
  if (folder === undefined) throw new Error(`the assembly has no code for ${key}`);
  return folder;
}

/** Throws if Lambda cannot assume the role, like AWS. */
function checkTrust(role: string, principals: Principals): void {
  try {
    principals.checkTrust(role, 'lambda.amazonaws.com');
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(`the role of the function cannot be assumed by Lambda: ${why}`, { cause: error });
  }
}

/** The log of the function. As on Lambda, its lines are discarded if the role may not write them. */
function logOf(resource: NamedResource, role: string, deps: LocalFunctionDeps): (line: string) => void {
  const { LoggingConfig } = resource.properties as unknown as FunctionProperties; // as above
  const group = LoggingConfig?.LogGroup ?? `/aws/lambda/${resource.ref}`;
  const { region, account } = deps.resources;
  const stream = `arn:aws:logs:${region}:${account}:log-group:${group}:log-stream:local`;
  const principal = deps.iam.principals.find(role);
  const actions = ['logs:CreateLogStream', 'logs:PutLogEvents'];
  const accesses = actions.map((action) => ({ action, resource: stream, context: {} }));
  return (line) => {
    try {
      deps.iam.authorize(principal, accesses);
      deps.logs.add(line);
    } catch (error) {
      if (!(error instanceof AccessDenied)) throw error;
    }
  };
}
