import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import type { TestContext } from 'node:test';
import { startDatabase } from '../../../dev/local-cloud/database.ts';

/** What an account has in one region. */
export interface Region {
  /** Stacks by name, with their state, the table in their outputs, and what their function reserves. */
  readonly stacks?: Readonly<Record<string, { state?: string; tableName?: string; reserved?: number }>>;
  readonly hasFunctionUrls?: boolean;
  /** Does a policy of the organization forbid everything there? */
  readonly isDenied?: boolean;
  readonly concurrency?: { readonly limit: number; readonly unreserved: number };
}

export interface Account {
  readonly regions: Readonly<Record<string, Region>>;
  /** Actions that these credentials may not use. */
  readonly denied?: readonly string[];
  /** The embedded database knows no streams: do its tables say that they have one? By default they do. */
  readonly hasStream?: boolean;
  /** What answers first, if it has an answer. */
  answer?(asked: Asked): Promise<string | undefined>;
}

/** A request to AWS. */
export interface Asked {
  readonly service: string;
  readonly action: string;
  readonly method: string;
  readonly url: string;
  readonly body: string;
}

export interface ScriptedAws {
  /** Environment variables with which an AWS SDK asks it. */
  readonly env: Record<string, string>;
  readonly databaseEndpoint: string;
  /** `REGION ACTION`, in their order. */
  readonly asked: readonly string[];
}

const NO_STACK = (name: string) => `Stack with id ${name} does not exist`;

/**
 * AWS for a pre-flight: CloudFormation, Lambda and Account answer from a script, in the words that AWS uses; DynamoDB is the
 * embedded one, which stands for that of every region.
 */
export async function startScriptedAws(t: TestContext, account: Account): Promise<ScriptedAws> {
  const database = await startDatabase();
  const asked: string[] = [];
  const server = createServer((request, response) => void answer(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(async () => {
    server.closeAllConnections();
    server.close();
    await database.close();
  });
  const env = {
    AWS_ENDPOINT_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, // a listening TCP server has one
    AWS_ACCESS_KEY_ID: 'AKIAEXAMPLE',
    AWS_SECRET_ACCESS_KEY: 'secret',
  };
  return { env, databaseEndpoint: database.endpoint, asked };

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await text(request);
    const [, region = '', service = ''] =
      /Credential=[^/]+\/\d+\/([^/]+)\/([^/]+)/.exec(request.headers.authorization ?? '') ?? [];
    const action = actionOf(request, body);
    asked.push(`${region} ${action}`);
    const isXml = service === 'cloudformation';
    try {
      if (account.denied?.includes(action) || account.regions[region]?.isDenied)
        throw new AwsError('AccessDenied', `not authorized to perform: ${action}`, 403);
      const first = await account.answer?.({
        service,
        action,
        method: request.method ?? '',
        url: request.url ?? '',
        body,
      });
      if (first !== undefined) return void response.writeHead(200).end(first);
      if (service === 'dynamodb') return await forward(request, body, response);
      const there = account.regions[region] ?? {};
      const found = isXml ? cloudFormation(action, there, new URLSearchParams(body)) : json(action, there, request);
      response.writeHead(200).end(isXml ? `<${action}Response>${found}</${action}Response>` : JSON.stringify(found));
    } catch (error) {
      if (!(error instanceof AwsError)) throw error;
      response.writeHead(error.status, isXml ? {} : { 'x-amzn-errortype': error.code });
      response.end(
        isXml
          ? `<ErrorResponse><Error><Type>Sender</Type><Code>${error.code}</Code><Message>${error.message}</Message></Error></ErrorResponse>`
          : JSON.stringify({ message: error.message }),
      );
    }
  }

  async function forward(request: IncomingMessage, body: string, response: ServerResponse): Promise<void> {
    const { host: _host, ...headers } = request.headers;
    const answer = await fetch(database.endpoint, { method: 'POST', headers: headers as Record<string, string>, body });
    const found = (await answer.json()) as { Table?: object };
    const StreamSpecification = { StreamEnabled: account.hasStream ?? true };
    if (found.Table !== undefined) found.Table = { ...found.Table, StreamSpecification };
    response.writeHead(answer.status, { 'content-type': 'application/x-amz-json-1.0' }).end(JSON.stringify(found));
  }

  function json(action: string, region: Region, request: IncomingMessage): object {
    if (action === 'ListRegions')
      return {
        Regions: Object.keys(account.regions).map((RegionName) => ({ RegionName, RegionOptStatus: 'ENABLED' })),
      };
    const { limit = 1000, unreserved = 1000 } = region.concurrency ?? {};
    if (action === 'GetAccountSettings')
      return { AccountLimit: { ConcurrentExecutions: limit, UnreservedConcurrentExecutions: unreserved } };
    const name = /functions\/(.*)-Handler\/concurrency/.exec(request.url ?? '')?.[1] ?? '';
    return { ReservedConcurrentExecutions: region.stacks?.[name]?.reserved };
  }
}

function cloudFormation(action: string, region: Region, parameters: URLSearchParams): string {
  if (action === 'ValidateTemplate') {
    if (region.hasFunctionUrls ?? true) return '<ValidateTemplateResult/>';
    throw new AwsError('ValidationError', 'Template format error: Unrecognized resource types: [AWS::Lambda::Url]');
  }
  const owned = Object.entries(region.stacks ?? {}).filter(
    ([, { tableName = 'haverdict' }]) => tableName === parameters.get('PhysicalResourceId'),
  );
  const [[owner, { state: ownerState = '' }] = ['', {}]] = owned;
  const name = parameters.get('StackName') ?? owner;
  const stack = region.stacks?.[name];
  if (stack === undefined) throw new AwsError('ValidationError', NO_STACK(name));
  if (action === 'DescribeStackResources')
    return `<DescribeStackResourcesResult><StackResources><member><StackName>${name}</StackName><ResourceType>AWS::Lambda::Function</ResourceType><PhysicalResourceId>${name}-Handler</PhysicalResourceId><ResourceStatus>${ownerState === 'ROLLBACK_COMPLETE' ? 'DELETE_SKIPPED' : 'CREATE_COMPLETE'}</ResourceStatus></member></StackResources></DescribeStackResourcesResult>`;
  const { state = 'CREATE_COMPLETE', tableName = 'haverdict' } = stack;
  const outputs = `<Outputs><member><OutputKey>TableName</OutputKey><OutputValue>${tableName}</OutputValue></member></Outputs>`;
  return `<DescribeStacksResult><Stacks><member><StackName>${name}</StackName><StackStatus>${state}</StackStatus>${outputs}</member></Stacks></DescribeStacksResult>`;
}

function actionOf(request: IncomingMessage, body: string): string {
  const target = request.headers['x-amz-target'];
  if (typeof target === 'string') return target.split('.').at(-1) ?? '';
  const path = request.url ?? '';
  if (path === '/listRegions') return 'ListRegions';
  if (path.includes('account-settings')) return 'GetAccountSettings';
  if (path.endsWith('/concurrency')) return 'GetFunctionConcurrency';
  return new URLSearchParams(body).get('Action') ?? path;
}

export class AwsError extends Error {
  readonly code: string;
  readonly status: number;

  constructor(code: string, message: string, status = 400) {
    super(message);
    this.code = code;
    this.status = status;
  }
}
