import { AccountClient, paginateListRegions } from '@aws-sdk/client-account';
import {
  CloudFormationClient,
  DescribeStackResourcesCommand,
  DescribeStacksCommand,
  type Stack,
  ValidateTemplateCommand,
} from '@aws-sdk/client-cloudformation';
import { DescribeTableCommand, DynamoDBClient, type TableDescription } from '@aws-sdk/client-dynamodb';
import { GetAccountSettingsCommand, GetFunctionConcurrencyCommand, LambdaClient } from '@aws-sdk/client-lambda';
import type { Concurrency, ExistingTable, Facts } from './preflight.ts';
import type { DeploymentSettings } from './settings.ts';

/** Each question is tried twice, and none hangs. */
const CLIENT = { maxAttempts: 2, requestHandler: { connectionTimeout: 5000, requestTimeout: 15_000 } };

/** Stacks in these states have no resources of their own; `cdk deploy` replaces them. */
const NOT_DEPLOYED = ['ROLLBACK_COMPLETE', 'REVIEW_IN_PROGRESS', 'DELETE_COMPLETE'];

/** A template with only the type whose availability is in question. */
const URL_ALONE = {
  Resources: { Url: { Type: 'AWS::Lambda::Url', Properties: { TargetFunctionArn: 'function', AuthType: 'AWS_IAM' } } },
};

/** Facts, and the questions that these credentials may not ask, with AWS's refusals. */
export interface Answers {
  readonly facts: Facts;
  readonly refused: readonly string[];
}

/** Asks one question; undefined if the credentials may not. */
type Ask = <Answer>(what: string, question: () => Promise<Answer>) => Promise<Answer | undefined>;

/** AWS cannot be asked: no credentials, or no network. */
export class UnreachableError extends Error {
  override readonly name = 'UnreachableError';
}

/** Asks AWS what a deployment depends on; changes nothing. Throws UnreachableError. */
export async function askAws(settings: DeploymentSettings): Promise<Answers> {
  const { region, tableName } = settings;
  const refused: string[] = [];
  const ask: Ask = async (what, question) => {
    try {
      return await question();
    } catch (error) {
      if (!isRefusal(error)) throw new UnreachableError(`cannot ask AWS: ${reasonOf(error)}`, { cause: error });
      refused.push(`${what}: ${error.message}`);
      return undefined;
    }
  };
  const stacks = new CloudFormationClient({ ...CLIENT, region });
  const stack = await ask('whether the stack exists', () => stackOf(stacks, settings.stackName));
  const [table, hasFunctionUrls, concurrency, otherRegions] = await Promise.all([
    ask('whether the table exists', () => tableOf(region, tableName)),
    stack === null ? ask('whether the region has function URLs', () => knowsFunctionUrls(stacks)) : undefined,
    settings.reservedConcurrency === 'none'
      ? undefined
      : ask('the quota of Lambda', () => concurrencyOf(region, stack ? stacks : undefined, settings.stackName)),
    stack === null ? ask('which other regions have the stack', () => regionsWithStack(settings, ask)) : undefined,
  ]);
  const owner = stack === null && table ? await ask('whose the table is', () => ownerOf(stacks, tableName)) : undefined;
  const found = stack && { tableName: stack.Outputs?.find(({ OutputKey }) => OutputKey === 'TableName')?.OutputValue };
  const facts = { stack: found, table, owner, hasFunctionUrls, concurrency, otherRegions: otherRegions ?? [] };
  return { facts, refused };
}

async function stackOf(client: CloudFormationClient, name: string): Promise<Stack | null> {
  try {
    const { Stacks: [stack] = [] } = await client.send(new DescribeStacksCommand({ StackName: name }));
    return stack === undefined || NOT_DEPLOYED.includes(stack.StackStatus ?? '') ? null : stack;
  } catch (error) {
    if (isValidationError(error) && /does not exist/.test(error.message)) return null;
    throw error;
  }
}

/** CloudFormation knows only the types of resources that its region has. */
async function knowsFunctionUrls(client: CloudFormationClient): Promise<boolean> {
  try {
    await client.send(new ValidateTemplateCommand({ TemplateBody: JSON.stringify(URL_ALONE) }));
    return true;
  } catch (error) {
    if (isValidationError(error) && /Unrecognized resource types/.test(error.message)) return false;
    throw error;
  }
}

async function concurrencyOf(
  region: string,
  stacks: CloudFormationClient | undefined,
  stackName: string,
): Promise<Concurrency> {
  const client = new LambdaClient({ ...CLIENT, region });
  const { AccountLimit: { ConcurrentExecutions: limit = 0, UnreservedConcurrentExecutions: unreserved = 0 } = {} } =
    await client.send(new GetAccountSettingsCommand());
  return { limit, unreserved, own: stacks === undefined ? 0 : await ownConcurrency(client, stacks, stackName) };
}

async function ownConcurrency(client: LambdaClient, stacks: CloudFormationClient, stackName: string): Promise<number> {
  const { StackResources = [] } = await stacks.send(new DescribeStackResourcesCommand({ StackName: stackName }));
  const functions = StackResources.filter(({ ResourceType }) => ResourceType === 'AWS::Lambda::Function');
  const reserved = functions.map(async ({ PhysicalResourceId: FunctionName }) => {
    const answer = await client.send(new GetFunctionConcurrencyCommand({ FunctionName }));
    return answer.ReservedConcurrentExecutions ?? 0;
  });
  return (await Promise.all(reserved)).reduce((sum, copies) => sum + copies, 0);
}

async function tableOf(region: string, name: string): Promise<ExistingTable | null> {
  const table = await describeTable(region, name);
  if (table === undefined) return null;
  const keyOf = (type: string) => table.KeySchema?.find(({ KeyType }) => KeyType === type)?.AttributeName;
  const regions = (table.Replicas ?? []).flatMap(({ RegionName = region }) =>
    RegionName === region ? [] : RegionName,
  );
  const replicas = regions.map(async (other) => ({
    region: other,
    isProtected: (await describeTable(other, name))?.DeletionProtectionEnabled ?? false,
  }));
  return {
    partitionKey: keyOf('HASH') ?? '',
    sortKey: keyOf('RANGE'),
    hasStream: table.StreamSpecification?.StreamEnabled ?? false,
    replicas: await Promise.all(replicas),
  };
}

async function describeTable(region: string, name: string): Promise<TableDescription | undefined> {
  try {
    return (await new DynamoDBClient({ ...CLIENT, region }).send(new DescribeTableCommand({ TableName: name }))).Table;
  } catch (error) {
    if (error instanceof Error && error.name === 'ResourceNotFoundException') return undefined;
    throw error;
  }
}

/** The stack that a table belongs to, if there is one. */
async function ownerOf(client: CloudFormationClient, tableName: string): Promise<string | undefined> {
  try {
    const command = new DescribeStackResourcesCommand({ PhysicalResourceId: tableName });
    const { StackResources = [] } = await client.send(command);
    // A stack that was deleted, or rolled back, is known for a while.
    return StackResources.find(({ ResourceStatus = '' }) => !ResourceStatus.startsWith('DELETE'))?.StackName;
  } catch (error) {
    if (isValidationError(error) && /does not exist/.test(error.message)) return undefined;
    throw error;
  }
}

async function regionsWithStack({ region, stackName }: DeploymentSettings, ask: Ask): Promise<string[]> {
  const pages = paginateListRegions(
    { client: new AccountClient({ ...CLIENT, region }) },
    { RegionOptStatusContains: ['ENABLED', 'ENABLED_BY_DEFAULT'] },
  );
  const others: string[] = [];
  for await (const { Regions = [] } of pages)
    others.push(...Regions.flatMap(({ RegionName = region }) => (RegionName === region ? [] : RegionName)));
  const found = await Promise.all(
    others.map((other) =>
      ask(`whether ${other} has the stack`, () =>
        stackOf(new CloudFormationClient({ ...CLIENT, region: other }), stackName),
      ),
    ),
  );
  return others.filter((_, index) => found[index]);
}

function isValidationError(error: unknown): error is Error {
  return error instanceof Error && error.name === 'ValidationError';
}

/** The error of a connection that tried several addresses has no message of its own. */
function reasonOf(error: unknown): string {
  if (error instanceof AggregateError && error.message === '') return error.errors.map(reasonOf).join(', ');
  return error instanceof Error ? error.message : String(error);
}

/** Services name it AccessDenied, AccessDeniedException or UnauthorizedOperation. */
function isRefusal(error: unknown): error is Error {
  return error instanceof Error && /^(AccessDenied|Unauthorized)/.test(error.name);
}
