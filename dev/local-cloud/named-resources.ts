import type { Assembly, Resource } from './assembly.ts';
import { Intrinsics, type Names } from './intrinsics.ts';

/** The resources of an assembly with their local names. */
export interface NamedResources {
  readonly intrinsics: Intrinsics;
  readonly account: string;
  readonly region: string;
  /** The resources of this type with their properties resolved, without those whose condition does not hold. */
  ofType(type: string): readonly NamedResource[];
  /** The resource types that have a name but are not run, without duplicates. */
  readonly skipped: readonly string[];
}

export interface NamedResource extends Names {
  readonly id: string;
  readonly properties: Readonly<Record<string, unknown>>;
}

/** `functionUrl` returns the URL of a function; it is called once the local servers have their ports. */
export function nameResources(assembly: Assembly, functionUrl: (logicalId: string) => string): NamedResources {
  const { template, account, region, stackName } = assembly;
  const startedAt = new Date().toISOString().slice(0, -1);
  const intrinsics = new Intrinsics({
    template,
    pseudo: {
      'AWS::AccountId': account,
      'AWS::Region': region,
      'AWS::Partition': 'aws',
      'AWS::URLSuffix': 'amazonaws.com',
      'AWS::StackName': stackName,
      'AWS::StackId': `arn:aws:cloudformation:${region}:${account}:stack/${stackName}/local`,
    },
    names,
  });
  const there = Object.entries(template.Resources).filter(([, { Condition }]) => intrinsics.holds(Condition));
  for (const [id, { Type }] of there) {
    if (!(Type in KINDS)) throw new Error(`resource ${id} is of type ${Type}, which is not imitated`);
  }

  function names(id: string): Names {
    const resource = template.Resources[id];
    if (resource === undefined) throw new Error(`unknown resource or parameter ${id}`);
    const kind = KINDS[resource.Type];
    if (kind === undefined) throw new Error(`resource ${id} is of type ${resource.Type}, which is not imitated`);
    const given = kind.nameProperty === undefined ? undefined : resource.Properties?.[kind.nameProperty];
    const name = given === undefined ? `${stackName}-${id}` : intrinsics.text(given);
    const arn = (service: string, rest: string) => `arn:aws:${service}:${region}:${account}:${rest}`;
    return kind.names({ id, name, arn, account, resource, intrinsics, functionUrl, startedAt });
  }

  return {
    intrinsics,
    account,
    region,
    ofType: (type) =>
      there
        .filter(([, { Type }]) => Type === type)
        .map(([id, { Properties }]) => ({
          id,
          ...names(id),
          properties: intrinsics.resolve(Properties ?? {}) as Record<string, unknown>, // an object resolves to an object
        })),
    skipped: [...new Set(there.map(([, { Type }]) => Type).filter((type) => KINDS[type]?.nameOnly === true))],
  };
}

interface Naming {
  readonly id: string;
  readonly name: string;
  readonly account: string;
  readonly resource: Resource;
  readonly intrinsics: Intrinsics;
  arn(service: string, rest: string): string;
  functionUrl(logicalId: string): string;
  /** The label of streams: what a stream of an earlier start had not delivered is lost. */
  readonly startedAt: string;
}

interface Kind {
  readonly nameProperty?: string;
  readonly nameOnly?: true;
  names(naming: Naming): Names;
}

/** The supported resource types, with their values of `Ref` and `Fn::GetAtt`. */
const KINDS: Readonly<Record<string, Kind>> = {
  'AWS::DynamoDB::GlobalTable': { nameProperty: 'TableName', names: tableNames },
  'AWS::DynamoDB::Table': { nameProperty: 'TableName', names: tableNames },
  'AWS::Lambda::Function': {
    nameProperty: 'FunctionName',
    names: ({ name, arn }) => ({ ref: name, attributes: { Arn: arn('lambda', `function:${name}`) } }),
  },
  'AWS::Lambda::Url': {
    names: ({ id, resource, intrinsics, functionUrl }) => {
      const { TargetFunctionArn, Qualifier } = resource.Properties ?? {};
      const target = [TargetFunctionArn, ...(Qualifier === undefined ? [] : [Qualifier])].map((part) =>
        intrinsics.text(part),
      );
      return {
        ref: target.join(':'),
        attributes: {
          FunctionArn: target.join(':'),
          get FunctionUrl() {
            return functionUrl(id);
          },
        },
      };
    },
  },
  'AWS::Lambda::Version': {
    names: ({ resource, intrinsics, arn }) => {
      const ref = `${functionArn(resource, intrinsics, arn)}:${FIRST_VERSION}`;
      return { ref, attributes: { FunctionArn: ref, Version: FIRST_VERSION } };
    },
  },
  'AWS::Lambda::Alias': {
    names: ({ resource, intrinsics, arn }) => {
      const ref = `${functionArn(resource, intrinsics, arn)}:${intrinsics.text(resource.Properties?.Name)}`;
      return { ref, attributes: { AliasArn: ref } };
    },
  },
  'AWS::Lambda::Permission': { names: refOnly },
  'AWS::Lambda::EventSourceMapping': { names: refOnly },
  'AWS::Lambda::EventInvokeConfig': { names: refOnly },
  'AWS::Events::Rule': {
    nameProperty: 'Name',
    names: ({ name, arn }) => ({ ref: name, attributes: { Arn: arn('events', `rule/${name}`) } }),
  },
  'AWS::IAM::Role': {
    nameProperty: 'RoleName',
    names: ({ name, account }) => ({ ref: name, attributes: { Arn: `arn:aws:iam::${account}:role/${name}` } }),
  },
  'AWS::IAM::Policy': { names: refOnly },
  'AWS::IAM::ManagedPolicy': {
    nameProperty: 'ManagedPolicyName',
    names: ({ name, account }) => {
      const arn = `arn:aws:iam::${account}:policy/${name}`;
      return { ref: arn, attributes: { PolicyArn: arn } };
    },
  },
  'AWS::Logs::LogGroup': {
    nameProperty: 'LogGroupName',
    names: ({ name, arn }) => ({ ref: name, attributes: { Arn: arn('logs', `log-group:${name}:*`) } }),
  },
  'AWS::Logs::MetricFilter': { nameOnly: true, names: refOnly },
  'AWS::CloudWatch::Alarm': {
    nameProperty: 'AlarmName',
    nameOnly: true,
    names: ({ name, arn }) => ({ ref: name, attributes: { Arn: arn('cloudwatch', `alarm:${name}`) } }),
  },
  'AWS::CloudWatch::Dashboard': { nameProperty: 'DashboardName', nameOnly: true, names: refOnly },
  'AWS::Budgets::Budget': { nameOnly: true, names: refOnly },
  'AWS::CDK::Metadata': { nameOnly: true, names: refOnly },
};

/** The number of a version: this deployment is the first. */
const FIRST_VERSION = '1';

/** The function of a version or alias, which may be given by name or by ARN. */
function functionArn({ Properties }: Resource, intrinsics: Intrinsics, arn: Naming['arn']): string {
  const name = intrinsics.text(Properties?.FunctionName);
  return name.startsWith('arn:') ? name : arn('lambda', `function:${name}`);
}

function tableNames({ name, arn, resource, startedAt }: Naming): Names {
  const Arn = arn('dynamodb', `table/${name}`);
  const hasStream = resource.Properties?.StreamSpecification !== undefined;
  return { ref: name, attributes: { Arn, ...(hasStream && { StreamArn: `${Arn}/stream/${startedAt}` }) } };
}

function refOnly({ name }: Naming): Names {
  return { ref: name, attributes: {} };
}
