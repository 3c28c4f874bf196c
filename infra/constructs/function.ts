import { join } from 'node:path';
import { Annotations, Duration, RemovalPolicy, Stack, Tokenization } from 'aws-cdk-lib';
import type { ITable } from 'aws-cdk-lib/aws-dynamodb';
import { ManagedPolicy, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import {
  Alias,
  ApplicationLogLevel,
  Architecture,
  Code,
  type FunctionUrl,
  FunctionUrlAuthType,
  type IVersion,
  Function as LambdaFunction,
  LoggingFormat,
  Runtime,
  RuntimeFamily,
  SystemLogLevel,
} from 'aws-cdk-lib/aws-lambda';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import type { BackendSettings } from '../checked-props.ts';

/** The bundled functions: part of the package; in a checkout `packaging/function-bundles.ts` writes them. */
const FUNCTIONS = join(import.meta.dirname, '../../functions');

/** By name, since a version of the CDK knows those runtimes only that are older than itself. */
const NODE_24 = new Runtime('nodejs24.x', RuntimeFamily.NODEJS);

/** What differs between the functions of the backend. */
interface FunctionProps {
  /** The folder of its bundle. */
  readonly name: string;
  readonly description: string;
  readonly timeout: Duration;
  /** In MiB; that of the settings by default. */
  readonly memorySize?: number;
  readonly reservedConcurrency?: number | 'none';
  readonly environment: Readonly<Record<string, string>>;
}

/** A function of the backend, with a role and a log of its own. */
export class BackendFunction extends Construct {
  readonly handler: LambdaFunction;

  constructor(scope: Construct, id: string, settings: BackendSettings, props: FunctionProps) {
    super(scope, id);
    const { encryptionKey, vpc, vpcSubnets, securityGroups } = settings;
    const { reservedConcurrency = 'none', description, timeout, environment } = props;
    const logGroup = new LogGroup(this, 'Logs', {
      retention: settings.logRetention ?? RetentionDays.ONE_MONTH,
      removalPolicy: RemovalPolicy.DESTROY,
      ...(encryptionKey !== undefined && { encryptionKey }),
    });
    if (encryptionKey !== undefined) letLogsUse(encryptionKey, Stack.of(this));
    const role = new Role(this, 'Role', { assumedBy: new ServicePrincipal('lambda.amazonaws.com') });
    logGroup.grantWrite(role); // the default managed policy allows writing to every log group
    if (vpc !== undefined) role.addManagedPolicy(networkInterfaces());
    this.handler = new LambdaFunction(this, 'Handler', {
      description: `haverdict: ${description}`,
      code: Code.fromAsset(join(FUNCTIONS, props.name, 'bundle')),
      handler: 'index.handler',
      runtime: NODE_24,
      architecture: Architecture.ARM_64,
      memorySize: props.memorySize ?? settings.memorySize ?? 512,
      timeout,
      ...(reservedConcurrency !== 'none' && { reservedConcurrentExecutions: reservedConcurrency }),
      role,
      logGroup,
      loggingFormat: LoggingFormat.JSON,
      systemLogLevelV2: SystemLogLevel.WARN, // a line for each start and end would cost more than the invocation
      applicationLogLevelV2: ApplicationLogLevel.INFO,
      environment,
      currentVersionOptions: { removalPolicy: RemovalPolicy.RETAIN }, // to roll back to
      ...(vpc !== undefined && { vpc }),
      ...(vpcSubnets !== undefined && { vpcSubnets }),
      ...(securityGroups !== undefined && { securityGroups: [...securityGroups] }),
    });
  }
}

/** The function that looks up subjects, its alias `live`, and the URL of that. */
export class CheckFunction extends BackendFunction {
  readonly alias: Alias;
  readonly url: FunctionUrl;
  readonly unqualifiedUrl: FunctionUrl | undefined;

  constructor(scope: Construct, id: string, settings: BackendSettings, table: ITable) {
    const { reservedConcurrency, provisionedConcurrency, ttl } = settings;
    super(scope, id, settings, {
      name: 'check',
      description: 'looks subjects up in the blocklist',
      timeout: Duration.seconds(5),
      reservedConcurrency,
      environment: {
        HAVERDICT_TABLE: table.tableName,
        HAVERDICT_TTL_SECONDS: Tokenization.stringifyNumber(ttl.toSeconds()),
      },
    });
    this.alias = new Alias(this, 'Live', {
      aliasName: 'live',
      version: this.handler.currentVersion as IVersion, // as the CDK compiles it
      ...(provisionedConcurrency !== undefined && { provisionedConcurrentExecutions: provisionedConcurrency }),
    });
    this.url = this.alias.addFunctionUrl({ authType: FunctionUrlAuthType.AWS_IAM });
    if (settings.unqualifiedUrl ?? true) {
      this.unqualifiedUrl = this.handler.addFunctionUrl({ authType: FunctionUrlAuthType.AWS_IAM });
      Annotations.of(this.handler).acknowledgeWarning(
        '@aws-cdk/aws-lambda:addPermissionsToVersionOrAlias',
        'the alias gets every permission that the function gets',
      );
    }
  }
}

function networkInterfaces() {
  return ManagedPolicy.fromAwsManagedPolicyName('service-role/AWSLambdaENIManagementAccess');
}

/** CloudWatch Logs encrypts with the key itself; a key of another stack has to allow it already. */
function letLogsUse(key: IKey, { region, partition, account }: Stack): void {
  const arn = `arn:${partition}:logs:${region}:${account}:log-group:*`;
  const logs = new ServicePrincipal(`logs.${region}.amazonaws.com`);
  key.grantEncryptDecrypt(logs.withConditions({ ArnLike: { 'kms:EncryptionContext:aws:logs:arn': arn } }));
}
