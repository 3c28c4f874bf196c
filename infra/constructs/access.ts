import type { TableV2 } from 'aws-cdk-lib/aws-dynamodb';
import { ArnPrincipal, Grant, type IGrantable, ManagedPolicy, Role } from 'aws-cdk-lib/aws-iam';
import type { FunctionUrl } from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import { TABLE } from '../../blocklist/table.ts';

interface AccessProps {
  readonly table: TableV2;
  readonly url: FunctionUrl;
  readonly agentPrincipal: string | undefined;
}

/** Policies for principals that run an agent or edit the lists, and an optional role to assume. */
export class Access extends Construct {
  readonly agentPolicy: ManagedPolicy;
  readonly operatorPolicy: ManagedPolicy;
  readonly agentRole: Role | undefined;

  constructor(scope: Construct, id: string, { table, url, agentPrincipal }: AccessProps) {
    super(scope, id);
    this.agentPolicy = new ManagedPolicy(this, 'AgentPolicy', { description: 'haverdict: call the function' });
    url.grantInvokeUrl(this.agentPolicy); // two statements: a function URL requires both permissions
    this.operatorPolicy = new ManagedPolicy(this, 'OperatorPolicy', { description: 'haverdict: edit the blocklist' });
    grantManage(table, this.operatorPolicy);
    if (agentPrincipal === undefined) return;
    this.agentRole = new Role(this, 'AgentRole', {
      description: 'haverdict: call the function',
      assumedBy: new ArnPrincipal(agentPrincipal),
      managedPolicies: [this.agentPolicy],
    });
  }
}

/** The permissions of the function. table.grantReadData would add Scan, the stream and every index. */
export function grantLookup(table: TableV2, grantee: IGrantable): Grant {
  return grant(grantee, ['BatchGetItem'], [table.tableArn]);
}

/** The permissions of the command line: Scan is for `lint` and `lists --all`, UpdateItem for the records of lists. */
export function grantManage(table: TableV2, grantee: IGrantable): Grant {
  const index = `${table.tableArn}/index/${TABLE.listIndex.name}`;
  return grant(grantee, ['Query'], [table.tableArn, index]).combine(
    grant(grantee, ['BatchGetItem', 'BatchWriteItem', 'DeleteItem', 'PutItem', 'Scan', 'UpdateItem'], [table.tableArn]),
  );
}

function grant(grantee: IGrantable, operations: readonly string[], resourceArns: string[]): Grant {
  return Grant.addToPrincipal({ grantee, actions: operations.map((name) => `dynamodb:${name}`), resourceArns });
}
