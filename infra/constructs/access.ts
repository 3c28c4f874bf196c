import type { ITable } from 'aws-cdk-lib/aws-dynamodb';
import { CompositePrincipal, Grant, type IGrantable, type IPrincipal, ManagedPolicy, Role } from 'aws-cdk-lib/aws-iam';
import type { FunctionUrl } from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import { RESERVED, TABLE } from '../../blocklist/table.ts';

interface AccessProps {
  readonly table: ITable;
  /** The log of its changes. */
  readonly log: ITable | undefined;
  readonly urls: readonly FunctionUrl[];
  readonly principals: readonly IPrincipal[];
}

/** Policies for principals that run an agent, edit or read the lists, and an optional role to assume. */
export class Access extends Construct {
  readonly agentPolicy: ManagedPolicy;
  readonly operatorPolicy: ManagedPolicy;
  readonly readerPolicy: ManagedPolicy;
  readonly agentRole: Role | undefined;

  constructor(scope: Construct, id: string, { table, log, urls, principals }: AccessProps) {
    super(scope, id);
    this.agentPolicy = new ManagedPolicy(this, 'AgentPolicy', { description: 'haverdict: call the function' });
    grantInvoke(urls, this.agentPolicy);
    this.operatorPolicy = new ManagedPolicy(this, 'OperatorPolicy', { description: 'haverdict: edit the blocklist' });
    grantOperate(table, log, this.operatorPolicy);
    this.readerPolicy = new ManagedPolicy(this, 'ReaderPolicy', { description: 'haverdict: read the blocklist' });
    grantRead(table, this.readerPolicy);
    const [first, ...others] = principals;
    if (first === undefined) return;
    this.agentRole = new Role(this, 'AgentRole', {
      description: 'haverdict: call the function',
      assumedBy: others.length === 0 ? first : new CompositePrincipal(first, ...others),
      managedPolicies: [this.agentPolicy],
    });
  }
}

/** The permissions of agents: two statements for each URL, which requires both. */
export function grantInvoke(urls: readonly FunctionUrl[], grantee: IGrantable): Grant {
  return urls.map((url) => url.grantInvokeUrl(grantee)).reduce((one, other) => one.combine(other));
}

/** The permissions of the function. table.grantReadData would add Scan, the stream and every index. */
export function grantLookup(table: ITable, grantee: IGrantable): Grant {
  table.encryptionKey?.grant(grantee, ...KEY_READ);
  return grant(grantee, ['BatchGetItem'], [table.tableArn]);
}

/** The permissions of the command line that change nothing: Scan is for `lint` and `lists --all`, DescribeTable for its pace. */
export function grantRead(table: ITable, grantee: IGrantable): Grant {
  table.encryptionKey?.grant(grantee, ...KEY_READ);
  return grantQuery(table, grantee).combine(
    grant(grantee, ['BatchGetItem', 'DescribeTable', 'Scan'], [table.tableArn]),
  );
}

/** All permissions of the command line: UpdateItem is for the records of lists, the log for `--wait`. */
export function grantOperate(table: ITable, log: ITable | undefined, grantee: IGrantable): Grant {
  table.encryptionKey?.grant(grantee, ...KEY_READ, ...KEY_WRITE);
  const operations = ['BatchGetItem', 'BatchWriteItem', 'DeleteItem', 'DescribeTable', 'PutItem', 'Scan', 'UpdateItem'];
  const ofTable = grantQuery(table, grantee).combine(grant(grantee, operations, [table.tableArn]));
  return log === undefined ? ofTable : ofTable.combine(grantLog(log, grantee, 'Query'));
}

/** What DynamoDB does with a customer managed key in the name of the caller, without wildcards. */
const KEY_READ = ['kms:Decrypt', 'kms:DescribeKey'];
const KEY_WRITE = [
  'kms:Encrypt',
  'kms:GenerateDataKey',
  'kms:GenerateDataKeyWithoutPlaintext',
  'kms:ReEncryptFrom',
  'kms:ReEncryptTo',
];

/** The whole table, and some keys of it. */
export function grantScan(table: ITable, grantee: IGrantable): Grant {
  table.encryptionKey?.grant(grantee, ...KEY_READ);
  return grant(grantee, ['BatchGetItem', 'Scan'], [table.tableArn]);
}

/** The stream of a table, as an event source reads it. */
export function grantStream(table: ITable, streamArn: string, grantee: IGrantable): Grant {
  table.encryptionKey?.grant(grantee, ...KEY_READ);
  return grant(grantee, ['DescribeStream', 'GetRecords', 'GetShardIterator', 'ListStreams'], [streamArn]);
}

/** The canaries in the blocklist, and no other item. */
export function grantCanaries(table: ITable, grantee: IGrantable): Grant {
  table.encryptionKey?.grant(grantee, ...KEY_READ, ...KEY_WRITE);
  const conditions = { 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': [RESERVED.canaryOf('*', '*')] } };
  return Grant.addToPrincipal({
    ...{ grantee, actions: ['dynamodb:UpdateItem'], resourceArns: [table.tableArn], conditions },
  });
}

/** The log of changes: Query reads it, GetItem the mirror that is stored beside it. */
export function grantLog(
  updates: ITable,
  grantee: IGrantable,
  ...operations: readonly ('GetItem' | 'PutItem' | 'Query')[]
): Grant {
  updates.encryptionKey?.grant(grantee, ...KEY_READ, ...(operations.includes('PutItem') ? KEY_WRITE : []));
  return grant(grantee, operations, [updates.tableArn]);
}

function grantQuery(table: ITable, grantee: IGrantable): Grant {
  return grant(grantee, ['Query'], [table.tableArn, `${table.tableArn}/index/${TABLE.listIndex.name}`]);
}

function grant(grantee: IGrantable, operations: readonly string[], resourceArns: string[]): Grant {
  return Grant.addToPrincipal({ grantee, actions: operations.map((name) => `dynamodb:${name}`), resourceArns });
}
