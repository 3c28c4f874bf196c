import { extname, join } from 'node:path';
import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import {
  ApplicationLogLevel,
  Architecture,
  type FunctionUrl,
  FunctionUrlAuthType,
  type IFunction,
  LoggingFormat,
  Runtime,
  SystemLogLevel,
} from 'aws-cdk-lib/aws-lambda';
import { NodejsFunction, OutputFormat } from 'aws-cdk-lib/aws-lambda-nodejs';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import type { BackendSettings } from '../settings.ts';

/** TypeScript in a checkout, JavaScript in the package. */
const ENTRY = join(import.meta.dirname, `../../functions/check/lambda${extname(import.meta.filename)}`);

/** The bundle is ESM, in which the CommonJS parts of the SDK lack `require`. */
const REQUIRE = "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);";

/** The function that looks up subjects, with its URL. */
export class CheckFunction extends Construct {
  readonly handler: IFunction;
  readonly url: FunctionUrl;

  constructor(scope: Construct, id: string, settings: BackendSettings, tableName: string) {
    super(scope, id);
    const logGroup = new LogGroup(this, 'Logs', {
      retention: settings.logRetentionDays,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    const role = new Role(this, 'Role', { assumedBy: new ServicePrincipal('lambda.amazonaws.com') });
    logGroup.grantWrite(role); // the default managed policy allows writing to every log group
    this.handler = new NodejsFunction(this, 'Handler', {
      description: 'haverdict: looks subjects up in the blocklist',
      entry: ENTRY,
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      memorySize: 512,
      timeout: Duration.seconds(5),
      ...(settings.reservedConcurrency !== 'none' && { reservedConcurrentExecutions: settings.reservedConcurrency }),
      role,
      logGroup,
      loggingFormat: LoggingFormat.JSON,
      systemLogLevelV2: SystemLogLevel.WARN, // a line for each start and end would cost more than the invocation
      applicationLogLevelV2: ApplicationLogLevel.INFO,
      environment: { HAVERDICT_TABLE: tableName, HAVERDICT_TTL_SECONDS: String(settings.ttlSeconds) },
      bundling: {
        format: OutputFormat.ESM,
        mainFields: ['module', 'main'], // 190 KiB less than with the default
        target: 'node24',
        minify: true,
        bundleAwsSDK: true,
        banner: REQUIRE,
      },
    });
    this.url = this.handler.addFunctionUrl({ authType: FunctionUrlAuthType.AWS_IAM });
  }
}
