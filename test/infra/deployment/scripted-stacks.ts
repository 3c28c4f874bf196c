import {
  CreateTableCommand,
  type CreateTableInput,
  DeleteTableCommand,
  DescribeTableCommand,
  DynamoDBClient,
} from '@aws-sdk/client-dynamodb';
import { type Asked, AwsError } from './scripted-aws.ts';

const ACCOUNT = '111122223333';
const EXPIRY = '2099-01-01T00:00:00Z';

interface Template {
  readonly Resources: Readonly<Record<string, Resource>>;
}

interface Resource {
  readonly Type: string;
  readonly DeletionPolicy?: string;
  readonly Properties: Readonly<Record<string, unknown>>;
}

interface Stack {
  state: string;
  template: Template;
  reason: string;
}

/**
 * CloudFormation for the CDK's own command line, as far as it concerns tables: it creates them in the embedded database,
 * imports those that are there by the rules of AWS, and keeps or deletes them by their `DeletionPolicy`. Beside it what
 * `cdk deploy` asks of STS, SSM and S3.
 */
export class ScriptedStacks {
  /** The next execution fails after the table was made, as on a quota. */
  failsOnce = false;
  readonly #uploads = new Map<string, string>();
  readonly #stacks = new Map<string, Stack>();
  #changeSet = new URLSearchParams();
  #database: DynamoDBClient | undefined;

  useDatabase(endpoint: string): void {
    const credentials = { accessKeyId: 'AKIAEXAMPLE', secretAccessKey: 'secret' };
    this.#database = new DynamoDBClient({ endpoint, region: 'eu-central-1', credentials });
  }

  async answer({ service, action, method, url, body }: Asked): Promise<string | undefined> {
    if (service === 'sts') return action === 'AssumeRole' ? ASSUMED : CALLER;
    if (service === 'ssm') return JSON.stringify({ Parameter: { Name: 'version', Type: 'String', Value: '30' } });
    if (service === 's3') return this.#store(method, url, body);
    if (service !== 'cloudformation' || action === 'ValidateTemplate') return undefined;
    const result = await this.#cloudFormation(action, new URLSearchParams(body));
    return `<${action}Response><${action}Result>${result}</${action}Result></${action}Response>`;
  }

  #store(method: string, url: string, body: string): string {
    if (method === 'PUT') this.#uploads.set(url.split(/[/?]/).at(2) ?? '', body);
    if (url.includes('list-type')) return '<ListBucketResult/>';
    return url.includes('location') ? '<LocationConstraint>eu-central-1</LocationConstraint>' : '';
  }

  async #cloudFormation(action: string, parameters: URLSearchParams): Promise<string> {
    const asked = parameters.get('StackName') ?? '';
    const name = asked.replace(/^arn:.*:stack\/(.*)\/1$/, '$1');
    switch (action) {
      case 'CreateChangeSet':
        this.#changeSet = parameters;
        this.#stacks.set(name, { state: 'REVIEW_IN_PROGRESS', template: this.#template(parameters), reason: '' });
        return `<Id>arn:changes</Id><StackId>${idOf(name)}</StackId>`;
      case 'DescribeChangeSet':
        return `<ChangeSetId>arn:changes</ChangeSetId><StackId>${idOf(name)}</StackId><Status>CREATE_COMPLETE</Status><ExecutionStatus>AVAILABLE</ExecutionStatus><Changes>${CHANGE}</Changes>`;
      case 'ExecuteChangeSet':
        await this.#create(this.#stack(name));
        return '';
      case 'DeleteStack':
        await this.#delete(name);
        return '';
      case 'DescribeStackEvents':
        return '<StackEvents/>';
      case 'GetTemplate':
        return '<TemplateBody>{}</TemplateBody>';
      case 'DescribeStacks':
        return `<Stacks>${stackXml(name, this.#stack(name, asked !== name))}</Stacks>`;
      default:
        return '';
    }
  }

  #template(parameters: URLSearchParams): Template {
    const key = new URL(parameters.get('TemplateURL') ?? '').pathname.split('/').at(-1) ?? '';
    return JSON.parse(this.#uploads.get(key) ?? '');
  }

  /** A deleted stack is found by its id alone. */
  #stack(name: string, isById = false): Stack {
    const stack = this.#stacks.get(name);
    if (stack === undefined || (stack.state === 'DELETE_COMPLETE' && !isById))
      throw new AwsError('ValidationError', `Stack with id ${name} does not exist`);
    return stack;
  }

  async #create(stack: Stack): Promise<void> {
    const isImporting = this.#changeSet.get('ImportExistingResources') === 'true';
    for (const table of tablesIn(stack.template)) {
      const isThere = await this.#isThere(table);
      if (isThere && !(isImporting && table.DeletionPolicy === 'Retain' && typeof nameOf(table) === 'string')) {
        stack.reason = `${nameOf(table)} already exists`;
        stack.state = 'ROLLBACK_COMPLETE';
        return;
      }
      if (!isThere) await this.#db.send(new CreateTableCommand(definitionOf(table)));
    }
    stack.reason = this.failsOnce ? 'UnreservedConcurrentExecution below its minimum value' : '';
    stack.state = this.failsOnce ? 'ROLLBACK_COMPLETE' : 'CREATE_COMPLETE';
    if (this.failsOnce) await this.#drop(stack.template);
    this.failsOnce = false;
  }

  async #delete(name: string): Promise<void> {
    const stack = this.#stacks.get(name);
    if (stack === undefined) return;
    if (stack.state === 'CREATE_COMPLETE') await this.#drop(stack.template);
    stack.state = 'DELETE_COMPLETE';
  }

  async #drop(template: Template): Promise<void> {
    for (const table of tablesIn(template))
      if (table.DeletionPolicy !== 'Retain')
        await this.#db.send(new DeleteTableCommand({ TableName: String(nameOf(table)) }));
  }

  async #isThere(table: Resource): Promise<boolean> {
    try {
      await this.#db.send(new DescribeTableCommand({ TableName: String(nameOf(table)) }));
      return true;
    } catch (error) {
      if (error instanceof Error && error.name === 'ResourceNotFoundException') return false;
      throw error;
    }
  }

  get #db(): DynamoDBClient {
    if (this.#database === undefined) throw new Error('there is no database yet');
    return this.#database;
  }
}

/** Those with a name: CloudFormation makes a new name for any other, which is never taken. */
function tablesIn({ Resources }: Template): Resource[] {
  const tables = Object.values(Resources).filter(({ Type }) => Type === 'AWS::DynamoDB::GlobalTable');
  return tables.filter((table) => nameOf(table) !== undefined);
}

function nameOf({ Properties }: Resource): unknown {
  return Properties.TableName;
}

/** What CreateTable and a global table have in common. */
function definitionOf({ Properties }: Resource): CreateTableInput {
  const { TableName, KeySchema, AttributeDefinitions, BillingMode } = Properties as unknown as CreateTableInput; // of the same form
  const used = (AttributeDefinitions ?? []).filter(({ AttributeName }) =>
    KeySchema?.some((key) => key.AttributeName === AttributeName),
  );
  return { TableName, KeySchema, AttributeDefinitions: used, BillingMode };
}

function idOf(name: string): string {
  return `arn:aws:cloudformation:eu-central-1:${ACCOUNT}:stack/${name}/1`;
}

function stackXml(name: string, { state, template, reason }: Stack): string {
  const [table] = tablesIn(template);
  const output = `<member><OutputKey>TableName</OutputKey><OutputValue>${table && nameOf(table)}</OutputValue></member>`;
  return `<member><StackName>${name}</StackName><StackId>${idOf(name)}</StackId><StackStatus>${state}</StackStatus><StackStatusReason>${reason}</StackStatusReason><CreationTime>2026-01-01T00:00:00Z</CreationTime><Outputs>${output}</Outputs></member>`;
}

const CHANGE =
  '<member><Type>Resource</Type><ResourceChange><Action>Add</Action><LogicalResourceId>Any</LogicalResourceId><ResourceType>AWS::IAM::Role</ResourceType></ResourceChange></member>';
const CALLER = `<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:aws:iam::${ACCOUNT}:user/me</Arn><UserId>me</UserId><Account>${ACCOUNT}</Account></GetCallerIdentityResult></GetCallerIdentityResponse>`;
const ASSUMED = `<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>ASIAEXAMPLE</AccessKeyId><SecretAccessKey>secret</SecretAccessKey><SessionToken>token</SessionToken><Expiration>${EXPIRY}</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>`;
